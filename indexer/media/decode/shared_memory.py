"""Memory that two processes share: a file without a name that the reading process writes pictures
to.

Not /dev/shm, and not a mapping: containers often have 64 MB of the first, and a write to a mapping
that cannot grow kills the writer, where one to a file is an error.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable

import numpy as np


def anonymous_memory() -> int:
    """A file descriptor; in memory where the system has such files, else on disk."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("seekpoint-frames")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def write_all(memory: int, arrays: Iterable[np.ndarray]) -> None:
    """Replaces the content with the bytes of contiguous arrays, one behind the other."""
    os.ftruncate(memory, 0)
    at = 0
    for array in arrays:
        data, done = _bytes_of(array), 0
        while done < len(data):
            done += os.pwrite(memory, data[done:], at + done)
        at += len(data)


def read_all(memory: int, array: np.ndarray, at: int = 0) -> None:
    """Fills a contiguous array from the content that begins `at` bytes behind its beginning."""
    data, done = _bytes_of(array), 0
    while done < len(data):
        count = os.preadv(memory, [data[done:]], at + done)
        if not count:
            raise EOFError(f"{done} bytes are there, {len(data)} were expected")
        done += count


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.reshape(-1).data.cast("B") if array.size else memoryview(b"")
