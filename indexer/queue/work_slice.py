"""What came of a work slice, and when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from indexer.catalog.leasing import jobs
from indexer.context import Context
from indexer.vocabulary import JobKind


@dataclass(frozen=True, slots=True)
class WorkSlice:
    """Chunk tasks or jobs by what became of them, seconds of video that are done. `more`: the
    slice ended before the work did.
    """

    kind: str
    done: int = 0
    failed: int = 0
    lost: int = 0
    video_s: float = 0.0
    more: bool = False


class SliceEnd:
    """Called, it says whether the slice is over: the process was told to end (`stopping`), its time
    is over, or, with `questions_first`, somebody's question waits.
    """

    def __init__(
        self, context: Context, stopping: Callable[[], bool], *, questions_first: bool = False
    ) -> None:
        self._catalog = context.catalog
        self._stopping = stopping
        self._questions_first = questions_first
        self._until = time.monotonic() + context.settings.work_slice_s

    def __call__(self) -> bool:
        if self._stopping() or time.monotonic() >= self._until:
            return True
        if not self._questions_first:
            return False
        with self._catalog.read() as session:
            return jobs.is_waiting(session, JobKind.GROUND)
