"""One record as the model trains on it: the prompt of inference, labels on answers only, files of
its media.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from grounding.errors import LegoError
from grounding.lego.model.modality import Modality
from grounding.lego.preprocess.audio import sound_tensor
from grounding.lego.preprocess.image import ImageTransform
from grounding.lego.preprocess.prompts import Turn, encode_with_labels, expand_markers
from grounding.lego.preprocess.tokenizer import LegoTokenizer
from grounding.lego.preprocess.video import clip_tensor
from grounding.records.media_files import existing_file, read_frames, read_image
from grounding.records.media_files import read_sound as read_samples
from grounding.records.record import Record
from grounding.records.skips import SkipRow

_SPAN = re.compile(r"\{([^{}]*)\}")
_BOX = re.compile(r"\[([^\[\]]*)\]")
_NUMBERS = re.compile(r"\s*-?[\d.]+\s*(?:,\s*-?[\d.]+\s*)*")


@dataclass(frozen=True, slots=True)
class Example:
    """`labels` are the ids of the answers and their closing stop, -100 elsewhere; as long as
    `ids`.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    media: Mapping[str, Path]


class Reader:
    """Turns records into examples and their files into tensors, for one model."""

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        tokenizer: LegoTokenizer,
        image: ImageTransform,
        max_length: int,
    ) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self._modalities = modalities
        self._image = image

    def example(self, record: Record, folder: Path) -> Example:
        """Raises SkipRow: a medium that the model lacks, a file that is not there, an answer of
        nonsense, too long.
        """
        unknown = sorted(set(record.media) - set(self._modalities))
        if unknown:
            raise SkipRow("medium that the model lacks", ", ".join(unknown))
        for message in record.messages[1::2]:
            check_answer(message.text)
        turns = [
            Turn("Human" if m.role == "human" else "Assistant", self._expand(m.role, m.text))
            for m in record.messages
        ]
        try:
            ids, labels = encode_with_labels(turns, self.tokenizer)
        except LegoError as error:
            raise SkipRow("cannot be tokenized", str(error)) from error
        if len(ids) > self.max_length:
            raise SkipRow("too long", f"{len(ids)} tokens, at most {self.max_length}")
        return Example(
            tuple(ids),
            tuple(labels),
            {name: existing_file(path, folder) for name, path in record.media.items()},
        )

    def rough_length(self, record: Record) -> int:
        """Tokens at about four bytes each; what batches of like length are made by."""
        media = sum(
            self._modalities[name].tokens for name in record.media if name in self._modalities
        )
        return media + 40 + sum(8 + len(m.text.encode()) // 4 for m in record.messages)

    def read(self, name: str, path: Path) -> Tensor:
        """The file as its encoder reads it. Raises SkipRow where it is missing or corrupt."""
        try:
            return {
                "image": self._read_image,
                "video": self._read_video,
                "sound": self._read_sound,
            }[name](path)
        except LegoError as error:
            raise SkipRow(f"{name} that the model cannot read", f"{path}: {error}") from error

    def _expand(self, role: str, text: str) -> str:
        text = text.strip()
        return expand_markers(text, self._modalities) if role == "human" else text

    def _read_image(self, path: Path) -> Tensor:
        return self._image(read_image(path))

    def _read_video(self, path: Path) -> Tensor:
        config = self._modalities["video"].config
        return clip_tensor(
            read_frames(path, config.max_frames), config.eva.image_size, config.max_frames
        )

    def _read_sound(self, path: Path) -> Tensor:
        dims = self._modalities["sound"].config.audio
        return sound_tensor(read_samples(path), dims.mels, dims.frames)


def check_answer(text: str) -> None:
    """Raises SkipRow unless every span and box in an answer is made of two or four numbers in
    [0, 1], in order.
    """
    for pattern, size, kind in ((_SPAN, 2, "span"), (_BOX, 4, "box")):
        for match in pattern.finditer(text):
            body = match.group(1)
            if kind == "box" and not _NUMBERS.fullmatch(body):
                continue  # brackets that hold words
            if not _valid(body, size):
                raise SkipRow(f"answer with a broken {kind}", match.group(0)[:60])


def _valid(body: str, size: int) -> bool:
    try:
        values = [float(value) for value in body.split(",")]
    except ValueError:
        return False
    pairs = zip(values[: size // 2], values[size // 2 :])
    return len(values) == size and all(0 <= low < high <= 1 for low, high in pairs)


def pad_right(examples: list[Example]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, labels and attention mask, each `(B, T)` int64, padded on the right."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
    for row, example in enumerate(examples):
        length = len(example.ids)
        ids[row, :length] = torch.tensor(example.ids)
        labels[row, :length] = torch.tensor(example.labels)
        mask[row, :length] = 1
    return ids, labels, mask
