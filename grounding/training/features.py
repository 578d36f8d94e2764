"""What the frozen encoders made of each file, kept in a folder: they see a file once and not once
an epoch.

Stored as float16. A file's entry holds for its path, size and time of change and for the encoder's
weights.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from grounding.lego.model.lego_model import LegoModel
from grounding.lego.model.modality import Modality
from grounding.records.media_files import exists
from grounding.records.record import read_records
from grounding.records.skips import Skip, SkipRow
from grounding.training.examples import Reader
from grounding.training.settings import Source

log = logging.getLogger(__name__)

FILES_AT_ONCE = 16
"""Through an encoder together."""


class Features:
    """Raises SkipRow for files that cannot be read, OSError where the folder cannot be written."""

    def __init__(self, folder: Path, model: LegoModel, reader: Reader) -> None:
        self._reader = reader
        self._folders = {
            name: folder / f"{name}-{_fingerprint(model.modality(name))}"
            for name in model.modalities
        }
        for own in self._folders.values():
            own.mkdir(parents=True, exist_ok=True)
        self._encoders = {name: model.modality(name).encoder for name in model.modalities}

    def read(self, name: str, path: Path) -> Tensor:
        """Raises SkipRow where the file cannot be read."""
        entry = self._entry(name, path)
        try:
            return torch.from_numpy(np.load(entry))
        # not there yet, or cut off when a machine lost its power
        except (OSError, ValueError, EOFError):
            self._make(name, [path])
            return torch.from_numpy(np.load(entry))

    def fill_for(self, sources: Sequence[Source]) -> None:
        """Makes what is missing for all files of the sources. Each process of several takes its
        share of them.
        """
        rank, processes = (
            int(os.environ.get(name, default)) for name, default in (("RANK", 0), ("WORLD_SIZE", 1))
        )
        paths: dict[str, list[Path]] = {name: [] for name in self._encoders}
        for source in sources:
            for record in read_records(source.records, _ignore):
                for name, path in record.media.items():
                    if name in paths and exists(source.folder / path):
                        paths[name].append(source.folder / path)
        for name, own in paths.items():
            made = self.fill(name, list(dict.fromkeys(own))[rank::processes])
            log.info(
                "%d files of %s went through their encoder, %d were kept from before",
                made,
                name,
                len(set(own)) - made,
            )

    def fill(self, name: str, paths: Iterable[Path]) -> int:
        """Makes the entries that are not there yet, many at a time; files that cannot be read are
        left to `read`. Returns how many.
        """
        missing = [path for path in dict.fromkeys(paths) if not self._entry(name, path).exists()]
        for first in range(0, len(missing), FILES_AT_ONCE):
            self._make(name, missing[first : first + FILES_AT_ONCE], strict=False)
        return len(missing)

    @torch.no_grad()
    def _make(self, name: str, paths: list[Path], strict: bool = True) -> None:
        tensors: dict[Path, Tensor] = {}
        for path in paths:
            try:
                tensors[path] = self._reader.read(name, path)
            except SkipRow:
                if strict:
                    raise
        encoder = self._encoders[name]
        one = next(encoder.parameters())
        for shape in {tensor.shape for tensor in tensors.values()}:
            group = [path for path, tensor in tensors.items() if tensor.shape == shape]
            made = encoder(torch.stack([tensors[path] for path in group]).to(one.device, one.dtype))
            for path, features in zip(group, made):
                _write(self._entry(name, path), features.cpu().to(torch.float16).numpy())

    def _entry(self, name: str, path: Path) -> Path:
        try:
            stat = path.stat()
        except OSError as error:
            raise SkipRow("missing file", str(path)) from error
        key = hashlib.sha1(
            f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}".encode()
        ).hexdigest()
        return self._folders[name] / f"{key}.npy"


def _ignore(skip: Skip) -> None:
    """Rows that are not records are counted where the run reads them."""


def _write(entry: Path, array: np.ndarray) -> None:
    temporary = entry.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.save(file, array)
    temporary.replace(entry)


def _fingerprint(modality: Modality) -> str:
    """Of the encoder's weights: their sums are enough to tell one training from another, and are
    quick at any size.
    """
    digest = hashlib.sha1()
    for name, tensor in modality.encoder.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.double().sum().item():.9g}".encode())
    return digest.hexdigest()[:12]
