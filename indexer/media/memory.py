"""Limits of memory for the processes that open what strangers made.

What counts is the memory that a process may write and shares with nobody (RLIMIT_DATA of
https://man7.org/linux/man-pages/man2/getrlimit.2.html): libraries and mapped files do not.
"""

from __future__ import annotations

import os
import resource
from contextlib import suppress

MEMORY_MB = 4000
_THREADS_MB = 400  # that pictures which several threads decode at once may take together
_BYTES_PER_PIXEL = 3  # of ten bits, or of eight with full colours


def limit_memory(memory_mb: int) -> None:
    """Of this process, from now on; MemoryError beyond. Where the limit it was started with is
    lower, that one stays.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, _limits(memory_mb, hard))


def limit_memory_of(pid: int, memory_mb: int) -> None:
    """Of a child that was just started. Systems without prlimit (macOS) do not limit it."""
    if hasattr(resource, "prlimit"):
        with suppress(ProcessLookupError, PermissionError):  # it ended; a sandbox forbids it
            _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
            resource.prlimit(pid, resource.RLIMIT_DATA, _limits(memory_mb, hard))


def decoding_threads(width: int, height: int, threads: int = 0) -> int:
    """How many threads decode pictures of this size, `threads` at most (0: as many as there are
    cores): each holds a picture of its own.
    """
    pixels = max(1, width * height)
    affordable = _THREADS_MB * 2**20 // (pixels * _BYTES_PER_PIXEL)
    return max(1, min(threads or os.cpu_count() or 1, affordable, 16))


def _limits(memory_mb: int, hard: int) -> tuple[int, int]:
    wanted = memory_mb * 2**20
    return (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)), hard
