"""What a stage is: read media, compute, commit. The process that runs it may be any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from grounding.spans import Span
from indexer.catalog.leasing.chunk_tasks import WorkItem
from indexer.media.decode.frames import Sampling
from indexer.media.files import MediaFiles

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Source:
    """The file of a video: where it is now and what can be read of it. `language`: what is mostly
    spoken in its collection (ISO 639-1); empty: not known.
    """

    path: Path
    duration_s: float
    has_pictures: bool
    has_sound: bool
    language: str = ""


class Stage(Protocol):
    """`read` runs ahead of `compute` (of another chunk), so it touches nothing but the media."""

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str:
        """Identity of model and sampling: rows under another key are done again."""
        ...

    @property
    def sampling(self) -> Sampling | None:
        """The pictures that `read` takes, where it takes sampled ones: stages of one chunk can have
        them from one decoding.
        """
        ...

    @property
    def reads_sound(self) -> bool:
        """Whether `read` takes sound: stages of one chunk can have it from one decoding."""
        ...

    def changed_s(self, path: Path) -> float:
        """When something beside the file changed that decides what is found (Unix time); what was
        done before is done again. 0: never.
        """
        ...

    def read(self, media: MediaFiles, source: Source, span: Span) -> Any:
        """Raises MediaError."""
        ...

    def compute(self, item: WorkItem, read: Any) -> Any: ...

    def commit(
        self, session: Session, item: WorkItem, owner: str, result: Any, seconds: float
    ) -> bool:
        """Writes the rows of one chunk; False when the work belongs to somebody else by now
        (nothing is written).
        """
        ...

    def damage(self, result: Any) -> str:
        """What could not be read of the chunk; empty when all of it was."""
        ...


def embedder_key_of(key: str) -> str:
    """The model that made the vectors under a stage's key: all of it before the last slash."""
    return key.rpartition("/")[0]
