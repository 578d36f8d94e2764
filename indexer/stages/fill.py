"""Rows of frames of which only some were looked at: the others stand for what is around them, and
say so.

Two things are saved. Of a stretch that was not decoded there is one picture alone, and rows on the
grid are filled in. Of the pictures that there are, first every fourth of a shot gets its vector;
between two of them the others do only where these differ, or where a picture in between looks like
neither. So a still shot costs little, and what changes is looked at picture by picture.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.media.decode.frames import Frames, Gap

STRIDE = 4  # pictures of a shot that are passed over at most
VECTOR_CHANGE = 0.05  # of 1 - cosine, from where on what lies between two pictures is looked at
PICTURE_CHANGE = 8.0  # of 255, of the brightness of a coarse picture against the nearer neighbour
# of 255, mean change of any small square: pictures that differ less have vectors of a cosine above
# .9995, less far apart than what rounding makes of them when they are stored
STILL_CHANGE = 1.0
_SQUARE = 10  # samples on each side of such a square; every second pixel is one
_COARSE = 16  # pixels on each side of what one of its samples stands for
_EPSILON_S = 1e-6
_GRID_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Rows:
    """What is stored of a chunk's frames, in the order of time.

    times_s  (N,) float64
    vectors  (N, D) float32 unit
    filled   (N,) bool, of what was not decoded, or not embedded
    picture  (N,) the picture that shows it, or the last one before it that was decoded
    """

    times_s: np.ndarray
    vectors: np.ndarray
    filled: np.ndarray
    picture: np.ndarray


def fill_rows(
    frames: Frames,
    vectors: np.ndarray,
    known: np.ndarray,
    gaps: Sequence[Gap],
    cuts_s: np.ndarray,
    rate_hz: float,
) -> Rows:
    """A row for each picture, and at each k / rate_hz of the gaps. Rows without a vector of their
    own get one on the way between those around them in the same shot, or that of the nearer one
    where the shot begins or ends there.

    vectors (N, D) float32 unit of the pictures, of which those that are `known` (N,) bool count;
    cuts_s (K,). The first picture of a gap is shown at its start.
    """
    if not len(frames):
        nothing = np.empty(0)
        return Rows(nothing, vectors, np.empty(0, bool), np.empty(0, np.intp))
    times_s, picture, order = _with_gaps(frames, gaps, rate_hz)
    is_known = np.concatenate([known, np.zeros(len(times_s) - len(known), bool)])[order]
    shots = np.searchsorted(np.sort(cuts_s), times_s + _EPSILON_S)
    rows = _between(times_s, vectors[picture], is_known, shots)
    filled = ~is_known
    for gap in gaps:  # a picture from before the chunk stands for its beginning
        if gap.picture_s < gap.span.start_s - _EPSILON_S:
            filled |= times_s == gap.span.start_s
    return Rows(times_s, rows, filled, picture)


def _between(
    times_s: np.ndarray, vectors: np.ndarray, known: np.ndarray, shots: np.ndarray
) -> np.ndarray:
    """(N, D) unit vectors: those that are known, and between them what lies on the way."""
    places = np.flatnonzero(known)
    at = np.arange(len(times_s))
    before = places[np.clip(np.searchsorted(places, at, side="right") - 1, 0, None)]
    after = places[np.clip(np.searchsorted(places, at), None, len(places) - 1)]
    same_before, same_after = shots[before] == shots, shots[after] == shots
    before = np.where(same_before, before, np.where(same_after, after, before))
    after = np.where(same_after, after, before)
    length_s = np.maximum(times_s[after] - times_s[before], _EPSILON_S)
    share = np.clip((times_s - times_s[before]) / length_s, 0, 1).astype(np.float32)[:, None]
    mixed = vectors[before] + share * (vectors[after] - vectors[before])
    mixed /= np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-12)
    mixed[known] = vectors[known]
    return mixed


def embed_once(embed: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """Vectors (N, D) of pictures (N, H, W, 3) uint8, as `embed` gives them; one that looks like the
    last that was embedded (a slide, a title, a still camera at night) has its vector.
    """
    source = np.zeros(len(images), np.intp)
    for at in range(1, len(images)):
        before = source[at - 1]
        source[at] = before if _is_still(images[before], images[at]) else at
    chosen, row = np.unique(source, return_inverse=True)
    return embed(images if len(chosen) == len(images) else images[chosen])[row]


def _is_still(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether no small square of two pictures (H, W, 3) uint8 changed by STILL_CHANGE, in any of
    its colours; green, which is most of what is bright, comes first.
    """
    return all(
        _largest_change(one[::2, ::2, colour], other[::2, ::2, colour]) < STILL_CHANGE
        for colour in (1, 0, 2)
    )


def _largest_change(one: np.ndarray, other: np.ndarray) -> float:
    change = np.abs(one.astype(np.int16) - other)
    for axis in (0, 1):  # sums of squares; those at the far sides may be narrower
        edges = range(0, change.shape[axis], _SQUARE)
        change = np.add.reduceat(change, edges, axis, np.int32)
    return float(change.max()) / _SQUARE**2


def embed_changing(
    embed: Callable[[np.ndarray], np.ndarray], frames: Frames, cuts_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """((N, D) float32 unit vectors, (N,) bool known): of the pictures that are worth it; zeros for
    the others.
    """
    coarse = _coarse(frames.images)
    edges = [0, *np.searchsorted(frames.times_s, np.sort(cuts_s) - _EPSILON_S), len(frames)]
    wanted = sorted({n for a, b in itertools.pairwise(edges) if a < b for n in _first(a, b)})
    vectors: np.ndarray | None = None
    known = np.zeros(len(frames), bool)
    while wanted:
        found = embed(frames.images[wanted])
        if vectors is None:
            vectors = np.zeros((len(frames), found.shape[1]), np.float32)
        vectors[wanted] = found
        known[wanted] = True
        wanted = _next(vectors, known, coarse, set(edges))
    assert vectors is not None, "there are pictures"
    return vectors, known


def _first(start: int, end: int) -> list[int]:
    """Of a shot from one row to another: its first, its last, and some between them."""
    count = max(1, math.ceil((end - 1 - start) / STRIDE))
    return [start + round((end - 1 - start) * n / count) for n in range(count + 1)]


def _next(
    vectors: np.ndarray, known: np.ndarray, coarse: np.ndarray, starts: set[int]
) -> list[int]:
    """The pictures to look at next: of each stretch between two that are known."""
    wanted = []
    for before, after in itertools.pairwise(np.flatnonzero(known)):
        if after - before < 2 or after in starts:
            continue
        inside = coarse[before + 1 : after]
        apart = np.minimum(
            np.abs(inside - coarse[before]).mean(axis=1),
            np.abs(inside - coarse[after]).mean(axis=1),
        )
        if 1 - float(vectors[before] @ vectors[after]) > VECTOR_CHANGE:
            wanted.append(int(before + after) // 2)
        elif apart.max() > PICTURE_CHANGE:
            wanted.append(int(before + 1 + apart.argmax()))
    return wanted


def _coarse(images: np.ndarray) -> np.ndarray:
    """(N, n) float32 brightness of a few hundred places of each picture."""
    half = _COARSE // 2
    return (
        images[:, half::_COARSE, half::_COARSE]
        .mean(axis=3, dtype=np.float32)
        .reshape(len(images), -1)
    )


def _with_gaps(
    frames: Frames, gaps: Sequence[Gap], rate_hz: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times (M,) of the pictures and of each k / rate_hz of the gaps, rising; the picture that
    shows each; and where each stood before it was sorted, pictures first.
    """
    times, pictures = [frames.times_s], [np.arange(len(frames))]
    for gap in gaps:
        first = int(np.searchsorted(frames.times_s, gap.span.start_s - _EPSILON_S))
        grid_s = _grid(gap.span.start_s, gap.span.end_s, rate_hz)
        times.append(grid_s)
        pictures.append(np.full(len(grid_s), first))
    times_s, picture = np.concatenate(times), np.concatenate(pictures)
    order = np.argsort(times_s, kind="stable")
    return times_s[order], picture[order], order


def _grid(start_s: float, end_s: float, rate_hz: float) -> np.ndarray:
    """Grid times inside of (start_s, end_s)."""
    first = math.floor(start_s * rate_hz + _GRID_EPSILON) + 1
    end = math.ceil(end_s * rate_hz - _GRID_EPSILON)
    return np.arange(first, max(first, end)) / rate_hz


def repeat_stills(frames: Frames, gaps: Sequence[Gap], rate_hz: float) -> Frames:
    """The pictures, with those of the gaps repeated at each k / rate_hz, for who follows pictures
    one after another.
    """
    if not gaps:
        return frames
    times_s, picture, _ = _with_gaps(frames, gaps, rate_hz)
    return Frames(frames.images[picture], times_s, frames.durations_s[picture])
