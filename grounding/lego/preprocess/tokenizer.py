"""Text to ids as the published model was used: Llama's sentencepiece model, the placeholder tokens,
a space before every segment.

transformers 5 reads the same files differently around added tokens (`legacy: false`), so normaliser
and pre-tokenizer are set here to what the model saw: each piece of text between added tokens begins
with a space mark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenizers import normalizers
from transformers import LlamaTokenizer

from grounding.errors import CheckpointError, LegoError
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.model.modality import Modality
from grounding.lego.model.registry import MODALITIES

SPACE = "▁"
CONFIGURATION = "tokenizer_config.json"


class LegoTokenizer:
    """Reads and writes the token ids of one checkpoint folder. Raises CheckpointError where the
    folder's tokenizer is missing or damaged.
    """

    def __init__(
        self, folder: str | Path, modalities: Sequence[type[Modality]] = MODALITIES
    ) -> None:
        folder = Path(folder)
        if not any((folder / name).is_file() for name in ("tokenizer.model", "tokenizer.json")):
            raise CheckpointError(
                "{folder} holds no tokenizer.model; it comes with the checkpoint", folder=folder
            )
        try:
            self._inner = LlamaTokenizer.from_pretrained(folder)
        except Exception as error:  # transformers raises whatever a damaged file leads to
            raise CheckpointError(
                "the tokenizer in {folder} cannot be read: {name}: {error}",
                folder=folder,
                name=type(error).__name__,
                error=error,
            ) from error
        self._modalities = tuple(modalities)
        # the published nine come first and in their order, whichever modalities are switched on
        kinds = dict.fromkeys((*MODALITIES, *modalities))
        self._inner.add_tokens(
            [token for kind in kinds for token in kind.placeholder.tokens], special_tokens=True
        )
        backend = self._inner.backend_tokenizer
        backend.normalizer = normalizers.Sequence(
            [normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)]
        )
        backend.pre_tokenizer = None
        self._has_start = _wants_start(folder)

    def __len__(self) -> int:
        return len(self._inner)

    @property
    def end_id(self) -> int:
        """The token that ends an answer."""
        return int(self._inner.eos_token_id)  # type: ignore[arg-type]

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """Tokens that structure a prompt, placeholders included."""
        return tuple(self._inner.all_special_tokens) + tuple(
            token for kind in self._modalities for token in kind.placeholder.tokens
        )

    def first_id(self, word: str) -> int:
        """The token that a reply which begins with this word begins with."""
        return self.encode(word)[int(self._has_start)]

    def encode(self, text: str) -> list[int]:
        """Ids, with the start token in front unless the folder's configuration has `add_bos_token:
        false`.
        """
        ids, start = list(self._inner(text).input_ids), self._inner.bos_token_id
        if start is not None and ids[:1] == [start]:
            ids = ids[1:]
        return [start, *ids] if self._has_start and start is not None else ids  # type: ignore[list-item]

    def decode(self, ids: Sequence[int], *, keep_special: bool = False) -> str:
        """The text of ids; `keep_special` writes special tokens, too."""
        return str(
            self._inner.decode(
                list(ids), skip_special_tokens=not keep_special, clean_up_tokenization_spaces=False
            )
        )

    def placeholder_ids(
        self, kinds: Sequence[type[Modality]] | None = None
    ) -> Mapping[str, tuple[int, int, int]]:
        """Modality name -> ids of its patch, start and end tokens."""
        chosen = self._modalities if kinds is None else kinds
        return {
            kind.name: tuple(self._inner.convert_tokens_to_ids(list(kind.placeholder.tokens)))
            for kind in chosen
        }  # type: ignore[misc]

    def save(self, folder: str | Path) -> None:
        """Writes the files that this class reads."""
        self._inner.save_pretrained(folder)
        # transformers does not write what it does about the start token
        file = Path(folder) / CONFIGURATION
        file.write_text(
            json.dumps(json.loads(file.read_text()) | {"add_bos_token": self._has_start}, indent=2)
        )


def load_tokenizer(folder: str | Path, model: LegoModel) -> LegoTokenizer:
    """The folder's tokenizer. Raises LegoError unless it gives the placeholders the ids that the
    model was configured with.
    """
    tokenizer = LegoTokenizer(folder, [type(modality) for modality in model.modalities.values()])  # type: ignore[misc]
    for name, ids in tokenizer.placeholder_ids().items():
        if model.placeholder_ids(name) != ids:
            raise LegoError(
                "the tokenizer in {folder} gives {name} the ids {ids}, the checkpoint {model}",
                folder=folder,
                name=name,
                ids=ids,
                model=model.placeholder_ids(name),
            )
    return tokenizer


def _wants_start(folder: Path) -> bool:
    file = folder / CONFIGURATION
    return (
        not file.is_file()
        or json.loads(file.read_text(encoding="utf-8")).get("add_bos_token") is not False
    )
