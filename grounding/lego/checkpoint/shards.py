"""The tensors of a folder, in safetensors or in torch's own format, read through a memory map and
one at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from grounding.errors import CheckpointError

MAPPED_PARTS = 64
"""A file is mapped again after each of so many parts, which gives the pages back."""

SMALLEST_PART_BYTES = 8 << 20
"""Mapping a file again costs more than the pages of a smaller part."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor lies, and how large it is."""

    file: Path
    shape: tuple[int, ...]
    nbytes: int


class Shards:
    """The tensors of a folder in `*.safetensors` or else in `pytorch_model*.bin`, without holding
    any.
    """

    def __init__(self, folder: Path, files: Sequence[Path] | None = None) -> None:
        self.folder = folder
        self.entries: dict[str, Entry] = {}
        for file in _weight_files(folder) if files is None else files:
            for name, entry in _entries(file).items():
                if name in self.entries:
                    raise CheckpointError(
                        "{name} is in {file_name} and again in {other} of {folder}",
                        name=name,
                        file_name=self.entries[name].file.name,
                        other=file.name,
                        folder=folder,
                    )
                self.entries[name] = entry

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
        """(name, tensor), each backed by a memory map. While one is kept its file stays mapped;
        when all are dropped the pages are freed.
        """
        by_file: dict[Path, list[str]] = {}
        for name in names:
            by_file.setdefault(self.entries[name].file, []).append(name)
        total = sum(entry.nbytes for entry in self.entries.values())
        at_once = max(total // MAPPED_PARTS, SMALLEST_PART_BYTES)
        for file, own in by_file.items():
            for group in _groups(own, self.entries, at_once):
                yield from _read_group(file, group)


def _weight_files(folder: Path) -> list[Path]:
    for stem, suffix in (("model", "safetensors"), ("pytorch_model", "bin")):
        files = sorted(folder.glob(f"{stem}*.{suffix}"))
        index = folder / f"{stem}.{suffix}.index.json"
        if index.is_file():
            wanted = {folder / name for name in _weight_map(index).values()}
            absent = sorted(path.name for path in wanted - set(files))
            if absent:
                raise CheckpointError(
                    "{folder} lacks {absent}, which {index_name} names",
                    folder=folder,
                    absent=", ".join(absent),
                    index_name=index.name,
                )
            files = sorted(wanted)
        if files:
            return files
    raise CheckpointError(
        "{folder} holds neither model*.safetensors nor pytorch_model*.bin", folder=folder
    )


def _weight_map(index: Path) -> Mapping[str, str]:
    try:
        return dict(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            "{index} is not the index of a checkpoint: {error}", index=index, error=repr(error)
        ) from error


def _entries(file: Path) -> dict[str, Entry]:
    if file.suffix == ".safetensors":
        return {
            name: Entry(file, shape, nbytes) for name, shape, nbytes in _safetensors_header(file)
        }
    return {name: Entry(file, tuple(t.shape), t.nbytes) for name, t in _torch_file(file).items()}


def _safetensors_header(file: Path) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """The header of the format: eight bytes of length, then JSON
    (https://github.com/huggingface/safetensors#format).
    """
    try:
        # the library knows a file that was cut off
        with safe_open(file, framework="pt"), file.open("rb") as stream:
            header: dict[str, Any] = json.loads(
                stream.read(int.from_bytes(stream.read(8), "little"))
            )
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            "{file} is not a safetensors file, or not all of it is there: {error}",
            file=file,
            error=error,
        ) from error
    for name, info in header.items():
        if name != "__metadata__":
            start, end = info["data_offsets"]
            yield name, tuple(info["shape"]), end - start


def _torch_file(file: Path) -> dict[str, Tensor]:
    try:
        stored = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    except (RuntimeError, UnpicklingError, OSError, EOFError) as error:
        raise CheckpointError(
            "{file} cannot be read as tensors: {error}", file=file, error=error
        ) from error
    if not isinstance(stored, dict) or not all(
        isinstance(tensor, Tensor) for tensor in stored.values()
    ):
        raise CheckpointError("{file} does not hold tensors by name", file=file)
    return stored


def _groups(names: list[str], entries: Mapping[str, Entry], at_once: int) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for name in names:
        if group and size + entries[name].nbytes > at_once:
            yield group
            group, size = [], 0
        group.append(name)
        size += entries[name].nbytes
    yield group


def _read_group(file: Path, names: list[str]) -> Iterator[tuple[str, Tensor]]:
    if file.suffix == ".safetensors":
        with safe_open(file, framework="pt") as stream:
            for name in names:
                yield name, stream.get_tensor(name)
    else:
        tensors = _torch_file(file)
        for name in names:
            yield name, tensors.pop(name)
