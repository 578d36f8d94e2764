"""Text to ids as the published model was used: Llama's sentencepiece model, the placeholder tokens, a space before every segment.

transformers 5 reads the same files differently around added tokens (`legacy: false`), so normaliser and pre-tokenizer are set here
to what the model saw: each piece of text between added tokens begins with a space mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenizers import normalizers
from transformers import LlamaTokenizer

from grounding.lego.errors import CheckpointError
from grounding.lego.modality import Modality
from grounding.lego.registry import MODALITIES

SPACE = "▁"


class LegoTokenizer:
    def __init__(self, folder: str | Path, modalities: Sequence[type[Modality]] = MODALITIES) -> None:
        folder = Path(folder)
        if not any((folder / name).is_file() for name in ("tokenizer.model", "tokenizer.json")):
            raise CheckpointError(f"{folder} holds no tokenizer.model; it comes with the checkpoint")
        try:
            self._inner = LlamaTokenizer.from_pretrained(folder)
        except Exception as error:  # transformers raises whatever a damaged file leads to
            raise CheckpointError(f"the tokenizer in {folder} cannot be read: {type(error).__name__}: {error}") from error
        self._modalities = tuple(modalities)
        # the published nine come first and in their order, whichever modalities are switched on
        kinds = dict.fromkeys((*MODALITIES, *modalities))
        self._inner.add_tokens([token for kind in kinds for token in kind.placeholder.tokens], special_tokens=True)
        backend = self._inner.backend_tokenizer
        backend.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
        backend.pre_tokenizer = None

    def __len__(self) -> int:
        return len(self._inner)

    @property
    def end_id(self) -> int:
        return int(self._inner.eos_token_id)  # type: ignore[arg-type]

    @property
    def special_tokens(self) -> tuple[str, ...]:
        return tuple(self._inner.all_special_tokens) + tuple(token for kind in self._modalities for token in kind.placeholder.tokens)

    def encode(self, text: str) -> list[int]:
        """Ids with the start token in front, also where a folder holds `tokenizer.model` and no word on start tokens."""
        ids = list(self._inner(text).input_ids)
        start = self._inner.bos_token_id
        return ids if start is None or ids[:1] == [start] else [start, *ids]  # type: ignore[list-item]

    def decode(self, ids: Sequence[int], *, keep_special: bool = False) -> str:
        return str(self._inner.decode(list(ids), skip_special_tokens=not keep_special, clean_up_tokenization_spaces=False))

    def placeholder_ids(self, kinds: Sequence[type[Modality]] | None = None) -> Mapping[str, tuple[int, int, int]]:
        """Modality name -> ids of its patch, start and end tokens."""
        chosen = self._modalities if kinds is None else kinds
        return {kind.name: tuple(self._inner.convert_tokens_to_ids(list(kind.placeholder.tokens))) for kind in chosen}  # type: ignore[misc]

    def save(self, folder: str | Path) -> None:
        self._inner.save_pretrained(folder)
