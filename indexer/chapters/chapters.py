"""The chapters of a video: where its pictures, its sound and what is said change, each with a name.

They are made when they are asked for, from what the catalog holds: nothing is decoded, and an hour
of video takes a tenth of a second. Only the names that a grounder gave are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grounding.spans import Span
from indexer.artefacts import write_atomically
from indexer.catalog import videos
from indexer.catalog.frames import FrameBlock, get_video_frames
from indexer.catalog.passages import PassageVector, list_passage_vectors, list_passages
from indexer.chapters.names import Source, name_parts
from indexer.chapters.segmentation import part_starts
from indexer.context import Context
from indexer.vocabulary import EvidenceKind, StageName

LONGEST_GIVEN = 80  # letters of a name that a grounder gave
SHORTEST_VIDEO_S = 20.0  # a shorter video is one chapter
# Of what is heard and said beside the pictures, whose weight is 1 (docs/experiments/chapters.md).
SOUND_WEIGHT, TEXT_WEIGHT = 0.25, 0.25
# A grid that carries what is heard and said where a video has no pictures.
STEP_S = 0.5

Namer = Callable[[Span], str]
"""A grounder: the span of a chapter -> a name, empty where it has none."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """`source` says where the name is from; it is empty where nothing says what the part is."""

    span: Span
    name: str
    source: Source


def list_chapters(
    context: Context,
    video_id: int,
    namer: Namer | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Chapter]:
    """Five to fifteen chapters in order, which together are the whole video; fewer of a video
    shorter than a minute, none of one shorter than `SHORTEST_VIDEO_S`.

    Names that `namer` gives are kept one by one, and come before those of the video's own words
    from then on. `progress` is called with how many parts it has looked at, and of how many.
    Raises CatalogError for an unknown video, and what `namer` raises.
    """
    with context.catalog.read() as session:
        video = videos.get_video(session, video_id)
        pictures, sounds = (
            get_video_frames(session, video_id, key) if (key := video.keys.get(stage)) else None
            for stage in (StageName.PICTURE, StageName.SOUND)
        )
        passages = list_passages(session, video_id)
        meanings = list_passage_vectors(session, video_id, EvidenceKind.SPEECH)
    if video.duration_s < SHORTEST_VIDEO_S:
        return []
    times_s, features, cuts_s = features_of(pictures, sounds, meanings, video.duration_s)
    starts_s = part_starts(times_s, features, cuts_s, video.duration_s)
    ends_s = [*starts_s[1:], video.duration_s]
    parts = [Span(start_s, end_s) for start_s, end_s in zip(starts_s, ends_s, strict=True)]
    names = kept_names(context, video_id)
    if namer is not None:
        for done, part in enumerate(parts):
            if progress is not None:
                progress(done, len(parts))
            if name := _one_line(namer(part)):
                names[part] = name
                keep_names(context, video_id, names)
    return [
        Chapter(part, names[part], "model")
        if part in names
        else Chapter(part, own.text, own.source)
        for part, own in zip(parts, name_parts(parts, passages), strict=True)
    ]


def _one_line(name: str) -> str:
    return " ".join(name.split())[:LONGEST_GIVEN]


def kept_names(context: Context, video_id: int) -> dict[Span, str]:
    """Names that a grounder gave to parts of the video. Nothing where they cannot be read: they
    can be asked for again.
    """
    try:
        rows = json.loads(context.artefacts.chapter_names(video_id).read_text())
        return {Span(float(start_s), float(end_s)): str(name) for start_s, end_s, name in rows}
    except (OSError, ValueError, TypeError):
        return {}


def keep_names(context: Context, video_id: int, names: Mapping[Span, str]) -> None:
    """Stores them among the artefacts of the video. Raises StorageError."""
    rows = [(part.start_s, part.end_s, name) for part, name in names.items()]
    content = json.dumps(rows, ensure_ascii=False).encode()
    write_atomically(context.artefacts.chapter_names(video_id), content)


def features_of(
    pictures: FrameBlock | None,
    sounds: FrameBlock | None,
    meanings: Sequence[PassageVector],
    duration_s: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(times_s (N,), features (N, D), cuts_s (K,)): side by side what is seen, heard and said at
    the time of each picture; the square of a weight is its share of a distance.
    """
    if pictures is not None and len(pictures.times_s):
        times_s, cuts_s = pictures.times_s, pictures.cuts_s
        columns = [pictures.vectors.astype(np.float32)]
    else:
        times_s, cuts_s = np.arange(0.0, duration_s, STEP_S), np.empty(0)
        columns = []
    if sounds is not None and len(sounds.times_s):
        nearest = np.searchsorted(sounds.times_s, times_s).clip(0, len(sounds.times_s) - 1)
        columns.append(SOUND_WEIGHT**0.5 * sounds.vectors[nearest])
    if meanings:
        columns.append(TEXT_WEIGHT**0.5 * _said(times_s, meanings))
    if not columns:
        return times_s, np.zeros((len(times_s), 1), np.float32), cuts_s
    return times_s, np.hstack(columns), cuts_s


def _said(times_s: np.ndarray, meanings: Sequence[PassageVector]) -> np.ndarray:
    """(N, D): the meaning of the line that was last begun; zero before the first."""
    starts_s = np.array([meaning.span.start_s for meaning in meanings])
    vectors = np.vstack([np.zeros_like(meanings[0].vector), *(one.vector for one in meanings)])
    return vectors[np.searchsorted(starts_s, times_s, side="right")]
