"""How a video is cut: chunks of one to two minutes, and segments of a few seconds that never cross
a shot boundary.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grounding.spans import Span

CHUNK_MAX_S = 120.0
CHUNK_MIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A span inside one shot with its unit vector; `rows` are those of its frames, `thumbnail` that
    of the frame nearest to its middle.
    """

    span: Span
    vector: np.ndarray
    thumbnail: int
    rows: slice


def plan_chunks(duration_s: float, chunk_s: float) -> list[Span]:
    """Equal chunks near `chunk_s`, at least 60 s and at most 120 s long; a video under a minute is
    one chunk.
    """
    count = max(1, round(duration_s / chunk_s))
    if duration_s / count > CHUNK_MAX_S:
        count += 1
    elif duration_s / count < CHUNK_MIN_S:
        count = max(1, count - 1)
    edges = [duration_s * number / count for number in range(count + 1)]
    return [Span(start, end) for start, end in itertools.pairwise(edges)]


def plan_segments(chunk: Span, cuts_s: Sequence[float], min_s: float, max_s: float) -> list[Span]:
    """Each shot is cut into equal pieces near the geometric mean of the bounds; a shot shorter than
    `min_s` stays whole.

    >>> plan_segments(Span(0.0, 10.0), [1.0], 2.0, 8.0)
    [Span(start_s=0.0, end_s=1.0), Span(start_s=1.0, end_s=5.5), Span(start_s=5.5, end_s=10.0)]
    """
    edges = [
        chunk.start_s,
        *sorted(cut for cut in cuts_s if chunk.start_s < cut < chunk.end_s),
        chunk.end_s,
    ]
    spans = []
    for start, end in itertools.pairwise(edges):
        length = end - start
        pieces = max(1, round(length / math.sqrt(min_s * max_s)))
        if length / pieces < min_s:
            pieces = max(1, math.floor(length / min_s))
        if length / pieces > max_s:
            pieces += 1
        bounds = [start + length * k / pieces for k in range(pieces)] + [end]
        spans += [Span(a, b) for a, b in itertools.pairwise(bounds)]
    return spans


def build_segments(
    spans: Sequence[Span], times_s: np.ndarray, vectors: np.ndarray
) -> list[Segment]:
    """One vector per span: the unit mean of its frames. A span without a frame of its own joins the
    one before it.

    times_s (N,) rising, vectors (N, D) float32 unit; frames before the first span belong to it (a
    frame that is shown at the start of a chunk may have begun earlier).
    """
    if not len(times_s):
        return []
    starts = np.array([span.start_s for span in spans])
    owner = np.clip(np.searchsorted(starts, times_s + 1e-6, side="right") - 1, 0, None)
    filled = np.unique(owner)
    segments = []
    for position, row in enumerate(filled):
        end_s = (
            spans[filled[position + 1] - 1].end_s if position + 1 < len(filled) else spans[-1].end_s
        )
        start_s = spans[row].start_s if position else spans[0].start_s
        members = np.flatnonzero(owner == row)
        mean = vectors[members].mean(axis=0)
        unit = mean / max(float(np.linalg.norm(mean)), 1e-12)
        middle = members[np.argmin(np.abs(times_s[members] - (start_s + end_s) / 2))]
        rows = slice(int(members[0]), int(members[-1]) + 1)
        segments.append(Segment(Span(start_s, end_s), unit.astype(np.float32), int(middle), rows))
    return segments
