"""The rows of a run: which there are, how often each is seen in an epoch, and what happens to one
that cannot be used.

A row that is unusable on paper is left out before the run; one whose file turns out to be
unreadable gives its place to the next. Both are counted by reason. Rows are kept as bytes, so that
worker processes share them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices

from grounding.errors import TrainingError
from grounding.records.record import Record, read_records
from grounding.records.skips import Skip, SkipRow, Tally
from grounding.training.examples import Example, Reader, pad_right
from grounding.training.features import Features
from grounding.training.settings import Source

MAX_UNREADABLE_IN_A_ROW = 64
"""Rows one after another that may be unreadable before a run gives up: then something is wrong with
the folder and not with a row.
"""


@dataclass(frozen=True, slots=True)
class Item:
    """A row as it goes into a batch."""

    example: Example
    media: dict[str, Tensor]
    """What the encoders read, or with kept features what they made of it."""
    skips: tuple[Skip, ...] = ()


class Rows(Dataset):
    """One epoch of the mixture. `lengths` are rough numbers of tokens."""

    def __init__(
        self,
        sources: Sequence[Source],
        reader: Reader,
        features: Features | None,
        tally: Tally,
        seed: int,
    ) -> None:
        self._reader = reader
        self._features = features
        self._folders = [source.folder for source in sources]
        blobs: list[bytes] = []
        origin: list[int] = []
        lengths: list[int] = []
        self._order: list[int] = []
        random = np.random.default_rng(seed)
        for number, source in enumerate(sources):
            first = len(blobs)
            for record in read_records(source.records, tally):
                if _usable(record, source.folder, reader, tally):
                    # all that training reads
                    row = Record(record.messages, record.media, record.id).to_json()
                    blobs.append(json.dumps(row).encode())
                    origin.append(number)
                    lengths.append(reader.rough_length(record))
            if len(blobs) == first:
                raise TrainingError(f"{source.records} holds no usable row: {dict(tally.counts)}")
            self._order += [
                first + i for i in rows_of_epoch(len(blobs) - first, source.weight, random)
            ]
        self._bytes = np.frombuffer(b"".join(blobs), np.uint8)
        self._ends = np.cumsum([len(blob) for blob in blobs])
        self._origin = np.array(origin)
        self.lengths = [lengths[row] for row in self._order]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> Item:
        skips: list[Skip] = []
        for place in range(index, index + MAX_UNREADABLE_IN_A_ROW):
            row = self._order[place % len(self._order)]
            record = self.record(row)
            try:
                return Item(
                    *self._read(record, self._folders[self._origin[row]]), skips=tuple(skips)
                )
            except SkipRow as skip:
                skips.append(skip.at(record.id or f"row {row}"))
        raise TrainingError(
            f"{MAX_UNREADABLE_IN_A_ROW} rows one after another cannot be read; the last: "
            f"{skips[-1]}"
        )

    def record(self, row: int) -> Record:
        """Row number `row` of those that are usable, whatever their order in an epoch."""
        start = self._ends[row - 1] if row else 0
        return Record.from_json(json.loads(self._bytes[start : self._ends[row]].tobytes()))

    def _read(self, record: Record, folder: Path) -> tuple[Example, dict[str, Tensor]]:
        example = self._reader.example(record, folder)
        read = self._features.read if self._features else self._reader.read
        return example, {name: read(name, path) for name, path in example.media.items()}


def _usable(record: Record, folder: Path, reader: Reader, tally: Tally) -> bool:
    try:
        reader.example(record, folder)
    except SkipRow as skip:
        tally(skip.at(record.id or "a row without a name"))
        return False
    return True


def rows_of_epoch(count: int, weight: float, random: np.random.Generator) -> list[int]:
    """Which of `count` rows an epoch holds: all of them `int(weight)` times, and a random share of
    them once more.

    >>> sorted(rows_of_epoch(4, 2.5, np.random.default_rng(0)))
    [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
    """
    whole = int(weight)
    rest = max(round((weight - whole) * count), 0 if whole else 1)
    return [*list(range(count)) * whole, *sorted(random.permutation(count)[:rest].tolist())]


class EpochSampler(Sampler[int]):
    """The order of an epoch, which the seed and the number of the epoch decide alone; `grouped`: by
    batches of like length.
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int, grouped: bool) -> None:
        self._lengths, self._batch, self._seed, self._grouped = list(lengths), batch, seed, grouped
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        rng = torch.Generator().manual_seed(self._seed * 100_003 + self.epoch)
        if self._grouped:
            return iter(get_length_grouped_indices(self._lengths, self._batch, generator=rng))
        return iter(torch.randperm(len(self._lengths), generator=rng).tolist())


def collate(items: Sequence[Item]) -> dict[str, Any]:
    """The arguments of `LossModule.forward` for a batch, and the rows that were skipped on
    the way.
    """
    ids, labels, mask = pad_right([item.example for item in items])
    skips = [skip for item in items for skip in item.skips]
    return {
        "input_ids": ids,
        "labels": labels,
        "attention_mask": mask,
        "media": [item.media for item in items],
        "skips": skips,
    }
