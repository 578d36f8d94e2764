"""What is heard: the probabilities of sounds over time, for questions, and named events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from grounding.spans import Span
from indexer.catalog.frames import FrameBlock
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.catalog.passages import NewPassage
from indexer.catalog.segments import NewSegment, commit_sound
from indexer.embedders.sound.sound_classes import CLASSES, load_sound_classes, sound_vectors
from indexer.embedders.sound.sound_embedder import hear, sound_key
from indexer.media.decode.frames import Sampling
from indexer.media.decode.reader import PictureRead
from indexer.media.files import MediaFiles
from indexer.messages import NOTHING, Message
from indexer.passages import sound_events
from indexer.passages.sound_events import find_events
from indexer.settings import Settings
from indexer.stages.base import Source

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RATE_HZ = 16_000
FRAME_S, STEP_S = 0.96, 0.48  # a frame of sound hears .96 s, and stands for the .48 s in its middle
SEGMENT_FRAMES = 10  # 4.8 s: the unit of the index
REVISION = 1  # counts changes of sampling or segmentation that make older rows worth replacing


@dataclass(frozen=True, slots=True)
class SoundRead:
    """Samples (N,) float32 at 16 kHz from `start_s` on; none where the file has no sound."""

    samples: np.ndarray
    start_s: float


@dataclass(frozen=True, slots=True)
class SoundResult:
    """What is stored of a chunk."""

    block: FrameBlock
    segments: list[NewSegment]
    passages: list[NewPassage]


@dataclass(frozen=True, slots=True)
class SoundStage:
    """Sounds, and what they mean."""

    settings: Settings
    name: str = "sound"

    @property
    def key(self) -> str:
        """`MODEL/SAMPLING`, as that of pictures."""
        return f"{sound_key()}/{STEP_S:g}s.{REVISION}-{sound_events.VERSION}"

    @property
    def better_key(self) -> str | None:
        """None: there is one way to do it."""
        return None

    @property
    def sampling(self) -> Sampling | None:
        """None: it takes no pictures."""
        return None

    @property
    def reads_sound(self) -> bool:
        """True."""
        return True

    def changed_s(self, path: Path) -> float:
        """0: it depends on the video alone."""
        del path
        return 0.0

    def read(
        self, media: MediaFiles, source: Source, span: Span, pictures: PictureRead | None
    ) -> SoundRead:
        """Samples of the chunk and what its first and last frames hear beside it."""
        del pictures
        start_s, count = frames_of(span)
        if not source.has_sound or not count:
            return SoundRead(np.empty(0, np.float32), start_s)
        end_s = start_s + (count - 1) * STEP_S + FRAME_S
        window = Span(max(0.0, start_s), max(span.end_s, min(end_s, source.duration_s)))
        samples = media.audio(source.path, window)
        # The first frame of a video begins before it: there is silence.
        before = round((window.start_s - start_s) * RATE_HZ)
        return SoundRead(np.pad(samples, (before, 0)), start_s)

    def compute(self, item: ClaimedTask, read: SoundRead) -> SoundResult:
        """Listens, and finds the events."""
        start_s, count = frames_of(item.span)
        if not len(read.samples):
            empty = np.empty(0)
            return SoundResult(FrameBlock(empty, np.empty((0, CLASSES), np.float16), empty), [], [])
        probabilities = hear(self.settings, read.samples)[:count]
        begins_s = start_s + (FRAME_S - STEP_S) / 2 + STEP_S * np.arange(len(probabilities))
        vectors = sound_vectors(probabilities)
        block = FrameBlock(begins_s + STEP_S / 2, vectors.astype(np.float16), np.empty(0))
        events = find_events(probabilities, begins_s, STEP_S, load_sound_classes().columns)
        return SoundResult(
            block,
            sound_segments(vectors, begins_s, item.span),
            [
                NewPassage(event.kind, inside, event.text, event.language, event.confidence)
                for event in events
                if (inside := event.span.clamp(item.start_s, item.end_s)).length_s > 0
            ],
        )

    def commit(
        self, session: Session, item: ClaimedTask, owner: str, result: SoundResult, seconds: float
    ) -> bool:
        """Stores frames, segments and events."""
        return commit_sound(
            session,
            item.task_id,
            owner,
            result.block,
            result.segments,
            result.passages,
            seconds,
        )

    def damage(self, result: SoundResult) -> Message:
        """Nothing: silence is heard where sound cannot be read."""
        del result
        return NOTHING


def frames_of(span: Span) -> tuple[float, int]:
    """Where the first frame of a chunk begins, and how many there are.

    All frames of a video lie on one grid, and the middle of each lies in exactly one chunk.

    >>> frames_of(Span(0.0, 1.0)), frames_of(Span(1.0, 2.0))
    ((-0.24, 2), (0.72, 2))
    """
    first, last = (max(0, int(np.ceil(edge / STEP_S - 0.5))) for edge in (span.start_s, span.end_s))
    return round(first * STEP_S - (FRAME_S - STEP_S) / 2, 6), last - first


def sound_segments(vectors: np.ndarray, begins_s: np.ndarray, span: Span) -> list[NewSegment]:
    """What is heard in each 4.8 s: of every class the highest, so that a short sound is not drowned
    by what surrounds it. vectors (N, 521) of frames that begin at begins_s (N,).
    """
    segments = []
    for first in range(0, len(vectors), SEGMENT_FRAMES):
        heard = vectors[first : first + SEGMENT_FRAMES]
        start_s = float(begins_s[first])
        inside = Span(start_s, start_s + len(heard) * STEP_S).clamp(span.start_s, span.end_s)
        segments.append(NewSegment(inside, heard.max(0), inside.middle_s))
    return segments
