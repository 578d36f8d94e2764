"""The chapters of a video: where its pictures, its sound and what is said change, each with a name.

They are made when they are asked for, from what the catalog holds: nothing is decoded, and an hour
of video takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.frames import FrameBlock, get_video_frames
from indexer.catalog.passages import PassageVector, list_passage_vectors, list_passages
from indexer.chapters.names import Name, Source, name_parts
from indexer.chapters.segmentation import part_starts
from indexer.context import Context
from indexer.vocabulary import EvidenceKind, StageName

SHORTEST_VIDEO_S = 20.0  # a shorter video is one chapter
# Of what is heard and said beside the pictures, whose weight is 1 (docs/experiments/chapters.md).
SOUND_WEIGHT, TEXT_WEIGHT = 0.25, 0.25
# A grid that carries what is heard and said where a video has no pictures.
STEP_S = 0.5

Namer = Callable[[Span, str], str]
"""A language model: span of a chapter, words in it -> a name, empty where it has none."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """`source` says where the name is from; it is empty where nothing says what the part is."""

    span: Span
    name: str
    source: Source


def list_chapters(context: Context, video_id: int, namer: Namer | None = None) -> list[Chapter]:
    """Five to fifteen chapters in order, which together are the whole video; fewer of a video
    shorter than a minute, none of one shorter than `SHORTEST_VIDEO_S`. Raises CatalogError for an
    unknown video.
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
    names = name_parts(parts, passages)
    if namer is not None:
        names = [_named(namer, part, passages, name) for part, name in zip(parts, names)]
    return [Chapter(part, name.text, name.source) for part, name in zip(parts, names, strict=True)]


def _named(namer: Namer, part: Span, passages: Sequence, otherwise: Name) -> Name:
    words = " ".join(
        passage.text
        for passage in passages
        if passage.kind != EvidenceKind.SOUND and part.start_s <= passage.span.middle_s < part.end_s
    )
    text = namer(part, words)
    return Name(text, "model") if text else otherwise


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
