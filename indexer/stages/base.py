"""What a stage is: read media, compute, commit. The process that runs it may be any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from grounding.spans import Span
from indexer.messages import Message

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from indexer.catalog.leasing.chunk_tasks import ClaimedTask
    from indexer.media.decode.frames import Sampling
    from indexer.media.decode.reader import PictureRead
    from indexer.media.files import MediaFiles


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
    def name(self) -> str:
        """As in the catalog: picture, speech, screen, sound, events."""
        ...

    @property
    def key(self) -> str:
        """Identity of model and sampling: rows under another key are done again."""
        ...

    @property
    def better_key(self) -> str | None:
        """Of a more thorough way to do it, whose complete rows are kept; None: there is none."""
        ...

    @property
    def sampling(self) -> Sampling | None:
        """The pictures that it takes of a chunk; None where it reads for itself. Those that all
        stages of a chunk take come from one decoding.
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

    def read(
        self, media: MediaFiles, source: Source, span: Span, pictures: PictureRead | None
    ) -> Any:
        """What `compute` needs of the chunk. `pictures`: those of its `sampling`; None where it has
        none, or the video has no pictures. Raises MediaError.
        """
        ...

    def compute(self, item: ClaimedTask, read: Any) -> Any:
        """What to commit, from what `read` returned. Raises MediaError, ModelError."""
        ...

    def commit(
        self, session: Session, item: ClaimedTask, owner: str, result: Any, seconds: float
    ) -> bool:
        """Writes the rows of one chunk; False when the work belongs to somebody else by now
        (nothing is written).
        """
        ...

    def damage(self, result: Any) -> Message:
        """What could not be read of the chunk; empty when all of it was."""
        ...


def embedder_key_of(key: str) -> str:
    """The model that made the vectors under a stage's key: all of it before the last slash."""
    return key.rpartition("/")[0]
