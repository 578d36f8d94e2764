"""The similarity of a whole video to a question over time, for people to look at: a lane for each
kind of evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.catalog import videos
from indexer.catalog.frames import get_video_frames
from indexer.context import Context
from indexer.questions.statement import Statement
from indexer.search.evidence.sound import SoundSearch
from indexer.search.types import PassageHit
from indexer.stages.base import embedder_key_of
from indexer.vocabulary import StageName

POINTS = 1200  # more than a screen has columns would only be sent


@dataclass(frozen=True, slots=True)
class Curve:
    """`values` in [0, 1], each the highest of its stretch of time; `cuts_s`: where shots begin.
    Empty where nothing was asked.
    """

    times_s: list[float]
    values: list[float]
    cuts_s: list[float]


@dataclass(frozen=True, slots=True)
class Lane:
    """What fits a question in one kind of evidence: a curve (`times_s`, `values`) where it has
    frames, `spans` of (start_s, end_s, strength in [0, 1]) where it has passages.
    """

    times_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    spans: list[tuple[float, float, float]] = field(default_factory=list)


def passage_lanes(hits: Mapping[str, Sequence[PassageHit]]) -> dict[str, Lane]:
    """Kind -> lane of the passages that were found in a video; kinds without any are left out."""
    return {
        kind: Lane(
            spans=[
                (
                    round(hit.span.start_s, 3),
                    round(hit.span.end_s, 3),
                    round(min(1.0, max(0.0, hit.score)), 3),
                )
                for hit in sorted(found, key=lambda hit: hit.span.start_s)
            ]
        )
        for kind, found in hits.items()
        if found
    }


def curve(context: Context, video_id: int, queries: np.ndarray | None) -> Curve:
    """`queries`: (Q, D) unit vectors of what was asked, in the space of the installed embedder;
    None: cuts only. Of several the highest counts.
    """
    with context.catalog.read() as session:
        key = videos.get_video(session, video_id).keys.get(StageName.PICTURE)
        block = get_video_frames(session, video_id, key) if key else None
    if block is None or not len(block.times_s):
        return Curve([], [], [])
    cuts_s = [round(float(cut_s), 3) for cut_s in block.cuts_s]
    if queries is None or key is None or embedder_key_of(key) != context.embedder.key:
        return Curve([], [], cuts_s)
    return scaled_curve(block.times_s, (block.vectors @ queries.T).max(axis=1), cuts_s)


def sound_curve(context: Context, video_id: int, statements: Sequence[Statement]) -> Curve:
    """How well what is heard fits the best of some statements; empty where the video has no
    sound.
    """
    with context.catalog.read() as session:
        key = videos.get_video(session, video_id).keys.get(StageName.SOUND) or ""
    search = SoundSearch(context)
    curves = [search.curve(statement, video_id, key) for statement in statements]
    curves = [(times_s, values) for times_s, values in curves if len(times_s)]
    if not curves:
        return Curve([], [], [])
    return scaled_curve(curves[0][0], np.max([values for _, values in curves], axis=0), [])


def scaled_curve(times_s: np.ndarray, values: np.ndarray, cuts_s: list[float]) -> Curve:
    """Of (N,) times and values, N > 0."""
    times_s, values = highest(times_s, values, POINTS)
    low, high = np.percentile(values, 2), values.max()
    scaled = np.clip((values - low) / max(float(high - low), 1e-9), 0, 1)
    return Curve(np.round(times_s, 3).tolist(), np.round(scaled, 4).tolist(), cuts_s)


def highest(times_s: np.ndarray, values: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    """At most `points` of (N,) values: of each stretch the highest, so that no peak is lost.

    >>> highest(np.arange(4.0), np.array([1.0, 5.0, 2.0, 3.0]), 2)[1].tolist()
    [5.0, 3.0]
    """
    if len(values) <= points:
        return times_s, values
    pieces = np.array_split(np.arange(len(values)), points)
    peaks = np.array([piece[np.argmax(values[piece])] for piece in pieces])
    return times_s[peaks], values[peaks]
