"""What looking after a library tells: values that programs without vectors have too."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.messages import NOTHING, Message


@dataclass(frozen=True, slots=True)
class Removed:
    """Numbers of the videos that are gone, and the bytes of disk space that are free again."""

    video_ids: tuple[int, ...]
    freed_bytes: int


@dataclass(frozen=True, slots=True)
class Check:
    """`found`: what was seen; `mend`: what to do about it, empty where nothing is to be done."""

    name: Message
    ok: bool
    found: Message
    mend: Message = NOTHING
