"""Any model of sentence-transformers as the space of passages and questions, from a folder or a hub
id.

Sentence models differ in where their cosines lie: of unrelated sentences near 0 for MiniLM, near .8
for E5. So the mean of a set of everyday sentences is taken from every vector (Mu & Viswanath 2018,
"All-but-the-top"), and what counts as a match holds for all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.embedders.base import unit
from indexer.embedders.devices import choose_device
from indexer.embedders.identity import make_key
from indexer.embedders.model_folder import ModelKind, find_folder, hint, is_here
from indexer.errors import ModelError
from indexer.questions.neutral_prompts import NEUTRAL_PROMPTS
from indexer.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

VERSION = 1
BATCH = 64
SENTENCE_MODEL = ModelKind(
    name="sentence-transformers",
    default="intfloat/multilingual-e5-small",
    model_types=frozenset(),
    setting="SEEKPOINT_TEXT_MODEL",
)

_loaded: dict[tuple[str, str], SentenceModel] = {}
_lock = threading.Lock()


def load_sentence_model(settings: Settings) -> SentenceModel:
    """Once per process and device; its weights are read with the first text. Raises ModelError."""
    wanted = (settings.text_model, settings.device)
    with _lock:
        if wanted not in _loaded:
            _loaded[wanted] = SentenceModel(settings)
        return _loaded[wanted]


def is_sentence_model_here(wanted: str) -> bool:
    """Whether the folder or hub id is on this machine; asks no hub."""
    return is_here(wanted, SENTENCE_MODEL)


class SentenceModel:
    """A `TextSpace`. Threads may share it."""

    across_scale = 1.0

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = find_folder(settings.text_model, SENTENCE_MODEL)
        if not (self._folder / "modules.json").is_file():
            raise ModelError(
                "{folder} holds no model of sentence-transformers: modules.json is not there",
                hint(SENTENCE_MODEL),
                folder=self._folder,
            )
        self.key = make_key("text", VERSION, _model_files(self._folder))
        self._embedding = threading.Lock()

    @property
    def dimension(self) -> int:
        """Of the vectors."""
        return int(self._model.get_embedding_dimension() or 0)

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """With the prompt that the model has for documents, where it has one."""
        return self._centred(self._encode(texts, question=False))

    def embed_questions(self, texts: Sequence[str]) -> np.ndarray:
        """With the prompt that the model has for queries, where it has one."""
        return self._centred(self._encode(texts, question=True))

    def across(self, vectors: np.ndarray) -> np.ndarray:
        """All of them: one model reads all languages that it reads at all."""
        return vectors

    def reads(self, text: str) -> bool:
        """Whether there are letters in it."""
        return any(letter.isalpha() for letter in text)

    def recognizes(self, words: Sequence[str]) -> bool:
        """True: what such a model knows is not known."""
        del words
        return True

    def is_english(self, text: str) -> bool:
        """True: no text is compared by another model than another."""
        del text
        return True

    @cached_property
    def _model(self) -> SentenceTransformer:
        device, _ = choose_device(self._settings)
        try:
            from sentence_transformers import SentenceTransformer

            return SentenceTransformer(
                str(self._folder),
                device=str(device),
                local_files_only=True,
                trust_remote_code=False,
            )
        # a folder of others raises whatever is wrong with it
        except Exception as error:
            raise ModelError(
                "the sentence model in {folder} cannot be loaded: {error}",
                hint(SENTENCE_MODEL),
                folder=self._folder,
                error=str(error) or type(error).__name__,
            ) from error

    @cached_property
    def _centre(self) -> np.ndarray:
        return self._encode(NEUTRAL_PROMPTS, question=False).mean(axis=0)

    def _centred(self, vectors: np.ndarray) -> np.ndarray:
        return unit(vectors - self._centre) if len(vectors) else vectors

    def _encode(self, texts: Sequence[str], *, question: bool) -> np.ndarray:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        model: Any = self._model
        encode = model.encode_query if question else model.encode_document
        with self._embedding:
            found = encode(
                list(texts),
                batch_size=BATCH,
                convert_to_numpy=True,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return np.asarray(found, np.float32)


def _model_files(folder: Path) -> list[Path]:
    """Also of the folders of its modules (pooling, dense layers)."""
    patterns = ("*.json", "*.safetensors", "*.txt", "*.model")
    return [path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()]
