"""What an ingest tells while it runs, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from indexer.messages import NOTHING, Message

FileState = Literal[
    "indexed",
    "unchanged",
    "same content",
    "moved",
    "partly",
    "in progress elsewhere",
    "queued",
    "failed",
]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file; `error` and `hint` are empty where all went well."""

    path: str
    state: FileState
    video_id: int | None = None
    error: Message = NOTHING
    hint: Message = NOTHING


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of all files, and of known ones that are not there any more."""

    collection: str
    files: tuple[FileOutcome, ...]
    offline: tuple[str, ...]
    video_s: float
    seconds: float
    notes: tuple[Message, ...] = ()

    @property
    def failures(self) -> tuple[FileOutcome, ...]:
        """The files that have an error."""
        return tuple(file for file in self.files if file.error)

    @property
    def speed(self) -> float:
        """Seconds of video per second of work."""
        return self.video_s / self.seconds if self.seconds > 0 else 0.0


class Observer:
    """Told of the progress, does nothing by itself; the command line draws bars from it."""

    def on_start(self, files: int, size_bytes: int) -> None:
        """Called once, with the number of files and their bytes."""

    def on_advance(self, size_bytes: float, video_s: float) -> None:
        """Called with the bytes of files and the seconds of video since the last call."""

    def on_finish(self, outcome: FileOutcome) -> None:
        """Called for each file."""
