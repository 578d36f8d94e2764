"""What a reading process is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """`name`: a method of ReaderWorker, called with `args`. `path`: the file, for messages."""

    name: str
    args: tuple[Any, ...]
    path: str
    timeout_s: float
    memory_mb: int
