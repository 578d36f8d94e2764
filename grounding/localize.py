"""The similarity curve of one video to a query -> spans, without a language model.

Every span between two borders is scored at once: mean inside minus mean outside (TFVTG, Zheng et
al. 2024), times the length to a power, for without it the best span is a single frame, minus what a
log-normal prior over lengths says against it. The curve is smoothed within shots, never across a
cut; borders lie half-way between two frames or on the cut between them, and go to where the
similarity itself changes at once. What each step gained and
what was tried in vain is in docs/experiments/localizer.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grounding.spans import ScoredSpan, Span


@dataclass(frozen=True, slots=True)
class LocalizerOptions:
    """What spans win; chosen by measuring (docs/experiments/localizer.md)."""

    smoothing_frames: float = 1.5  # standard deviation of the Gaussian that smooths a shot's curve
    # of seconds. 0: single frames win; 1/2: likelihood of one raised stretch in white noise; more:
    # long spans win
    length_power: float = 0.3
    usual_length_s: float = (
        6.0  # people's moments: 3 to 4 s in films and camera recordings, 8 s in Charades-STA
    )
    # what a span loses for being e times longer or shorter than usual, in deviations of the curve
    length_weight: float = 0.1
    max_span_s: float = 120.0
    # of two spans that share more of the shorter one, the better stays: a part of a moment is no
    # second moment
    max_shared: float = 0.3
    # up to so many frames spans may lie anywhere; of more, in the neighbourhoods of the highest
    # peaks
    exhaustive_frames: int = 720


DEFAULT = LocalizerOptions()
_PEAKS = 4  # neighbourhoods that are searched in a long video
_NEIGHBOURHOOD_FRAMES = 240


MOTION_WEIGHT = 0.4  # of motion beside the similarity, both in deviations of their own curves
# A border moves so many frames at most to a step that is this share of what its span stands out by.
SHARP_REACH, SHARP_STEP = 2, 0.75


def change_between(vectors: np.ndarray) -> np.ndarray:
    """How much each frame (N, D), unit, differs from the one before or after it, whichever is
    further: (N,) cosine distances, the `motion` of `localize`.
    """
    change = np.zeros(len(vectors))
    if len(vectors) > 1:
        steps = 1 - (vectors[1:].astype(np.float32) * vectors[:-1].astype(np.float32)).sum(axis=1)
        change[1:] = steps
        change[:-1] = np.maximum(change[:-1], steps)
    return change


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / (values.std() + 1e-9) if len(values) else values


def localize(
    times_s: np.ndarray,
    similarities: np.ndarray,
    *,
    start_s: float,
    end_s: float,
    cuts_s: Sequence[float] | np.ndarray = (),
    count: int = 5,
    motion: np.ndarray | None = None,
    options: LocalizerOptions = DEFAULT,
) -> list[ScoredSpan]:
    """Spans of the stretch `[start_s, end_s)` that stand out, best first, at most `count`; none
    overlaps a better one by much.

    `times_s` (N,) float64 rising, `similarities` (N,) of the frames to the query, `cuts_s` starts
    of shots. With `motion` (N,), see `change_between`, frames that change count for more, as people
    ask for what happens. A score is in standard deviations of the curve: spans of one curve are
    ordered by it, two curves are not comparable. Raises `ValueError` where lengths differ, times
    fall or values are not finite.
    """
    times, similarities = _check(times_s, similarities)
    if not len(times):
        return []
    values = similarities
    if motion is not None:
        values = _standard(similarities) + MOTION_WEIGHT * _standard(motion)
    borders, is_cut = _borders(times, np.asarray(cuts_s, dtype=np.float64), start_s, end_s)
    curve = _smooth(values, is_cut, options.smoothing_frames)
    begin, end, scores = _score_spans(curve, borders, options)
    wide_begin, wide_end = _widen(values, is_cut, begin, end)
    sharp_begin, sharp_end = _find_steps(similarities, is_cut, begin, end)
    begin = np.where(sharp_begin < 0, wide_begin, sharp_begin)
    end = np.where(sharp_end < 0, wide_end, sharp_end)
    return _apart(borders[begin], borders[end], scores, count, options.max_shared)


def _check(times_s: np.ndarray, similarities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    times, values = (
        np.asarray(times_s, dtype=np.float64),
        np.asarray(similarities, dtype=np.float64),
    )
    if times.ndim != 1 or times.shape != values.shape:
        raise ValueError(
            "times_s and similarities must be two vectors of one length, "
            f"not {times.shape} and {values.shape}"
        )
    if not np.isfinite(values).all() or not np.isfinite(times).all():
        raise ValueError("times_s and similarities must be finite")
    if (np.diff(times) < 0).any():
        raise ValueError("times_s must not fall")
    return times, values


def _borders(
    times: np.ndarray, cuts: np.ndarray, start_s: float, end_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """(N + 1,) border before each frame and after the last, and whether it is a cut; the ends of
    the stretch count as cuts.
    """
    borders = np.concatenate([[start_s], (times[1:] + times[:-1]) / 2, [end_s]]).clip(
        start_s, end_s
    )
    is_cut = np.zeros(len(borders), dtype=bool)
    is_cut[[0, -1]] = True
    first_after = np.searchsorted(times, cuts - 1e-6)
    inside = (first_after > 0) & (first_after < len(times))
    borders[first_after[inside]] = cuts[inside]
    is_cut[first_after[inside]] = True
    return borders, is_cut


def _smooth(values: np.ndarray, is_cut: np.ndarray, deviation: float) -> np.ndarray:
    """Gaussian mean of the frames of the same shot: weights are renormalised at its ends."""
    if deviation <= 0:
        return values
    radius = int(np.ceil(3 * deviation))
    shot = np.cumsum(is_cut[:-1])
    total, weight = values.copy(), np.ones(len(values))
    for step in range(1, min(radius, len(values) - 1) + 1):
        w = np.exp(-0.5 * (step / deviation) ** 2) * (shot[step:] == shot[:-step])
        total[step:] += w * values[:-step]
        total[:-step] += w * values[step:]
        weight[step:] += w
        weight[:-step] += w
    return total / weight


def _score_spans(
    curve: np.ndarray, borders: np.ndarray, options: LocalizerOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Border numbers where spans begin and end, and their scores: (M,) int64, (M,) int64, (M,)
    float64.
    """
    begin, end = _pairs(curve, borders, options)
    centred = curve - curve.mean()
    cumulative = np.concatenate([[0.0], np.cumsum(centred)])
    inside, frames = cumulative[end] - cumulative[begin], end - begin
    outside = len(curve) - frames
    # The mean of the whole is 0, so the sum outside is minus the sum inside.
    contrast = (inside / frames + inside / np.maximum(outside, 1)) / (float(centred.std()) or 1.0)
    length_s = np.maximum(borders[end] - borders[begin], 1e-3)
    share_outside = np.sqrt(
        outside / len(curve)
    )  # a span that leaves next to nothing outside has nothing to stand out from
    scores = contrast * length_s**options.length_power * share_outside
    return (
        begin,
        end,
        scores - options.length_weight * np.log(length_s / options.usual_length_s) ** 2,
    )


def _pairs(
    curve: np.ndarray, borders: np.ndarray, options: LocalizerOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Borders where a span may begin and end: a best span begins where the curve rises and ends
    where it falls.
    """
    steps = np.diff(curve)
    rises = np.concatenate([[0], np.flatnonzero(steps >= 0) + 1])
    falls = np.concatenate([np.flatnonzero(steps <= 0) + 1, [len(curve)]])
    found = []
    for first, last in _neighbourhoods(curve, options.exhaustive_frames):
        begins = rises[(rises >= first) & (rises < last)]
        ends = falls[(falls > first) & (falls <= last)]
        row, column = np.nonzero(
            (begins[:, None] < ends)
            & (borders[ends] - borders[begins][:, None] <= options.max_span_s)
        )
        found.append((begins[row], ends[column]))
    begin, end = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return (begin, end) if len(begin) else (np.array([0]), np.array([len(curve)]))


def _neighbourhoods(curve: np.ndarray, exhaustive_frames: int) -> Iterator[tuple[int, int]]:
    """Stretches of frames [first, last) to search: all, or around the highest peaks, so that hours
    cost little more than minutes.
    """
    if len(curve) <= exhaustive_frames:
        yield 0, len(curve)
        return
    rest = curve.copy()
    for _ in range(_PEAKS):
        peak = int(np.argmax(rest))
        first, last = (
            max(0, peak - _NEIGHBOURHOOD_FRAMES // 2),
            min(len(curve), peak + _NEIGHBOURHOOD_FRAMES // 2),
        )
        yield first, last
        rest[first:last] = -np.inf


def _widen(
    values: np.ndarray, is_cut: np.ndarray, begin: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Borders (M,) each, a frame further out where that frame of the unsmoothed curve (N,) is
    nearer to the mean inside than to that outside: smoothing draws the borders of a sharp rise in.
    """
    N = len(values)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    inside = sums[end] - sums[begin]
    outside = (sums[-1] - inside) / np.maximum(N - (end - begin), 1)
    middle = (inside / (end - begin) + outside) / 2
    earlier = ~is_cut[begin] & (values[np.maximum(begin - 1, 0)] > middle)
    later = ~is_cut[end] & (values[np.minimum(end, N - 1)] > middle)
    return begin - earlier, end + later


def _find_steps(
    similarities: np.ndarray, is_cut: np.ndarray, begin: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Borders (M,) each, those near to `begin` and `end` at which the similarity (N,) takes nearly
    all of the way between outside and inside in one step; -1 where there is none. Such a change
    begins there, whatever smoothing says, and motion, which raises the frame before it too.
    """
    N = len(similarities)
    sums = np.concatenate([[0.0], np.cumsum(similarities)])
    inside = sums[end] - sums[begin]
    outside = (sums[-1] - inside) / np.maximum(N - (end - begin), 1)
    needed = SHARP_STEP * (inside / (end - begin) - outside)
    steps = np.diff(similarities)
    rise, rise_at = _steepest_near(steps)
    fall, fall_at = _steepest_near(-steps)
    rises = ~is_cut[begin] & (needed > 0) & (rise[begin] > needed)
    falls = ~is_cut[end] & (needed > 0) & (fall[end] > needed)
    ordered = np.where(rises, rise_at[begin], begin) < np.where(falls, fall_at[end], end)
    return (
        np.where(rises & ordered, rise_at[begin], -1),
        np.where(falls & ordered, fall_at[end], -1),
    )


def _steepest_near(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each border (N + 1,) the highest of the steps (N - 1,) that lie at most SHARP_REACH frames
    from it, and the border at that step.
    """
    nothing = np.full(SHARP_REACH + 1, -np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([nothing, steps, nothing]), 2 * SHARP_REACH + 1
    )
    at = windows.argmax(axis=1)
    return windows.max(axis=1), np.arange(len(windows)) + at - SHARP_REACH


def _apart(
    starts: np.ndarray, ends: np.ndarray, scores: np.ndarray, count: int, max_shared: float
) -> list[ScoredSpan]:
    """The `count` best, none of which shares more than `max_shared` of the shorter one with a
    better one.
    """
    rest = scores.copy()
    found: list[ScoredSpan] = []
    while len(found) < count and np.isfinite(rest[best := int(np.argmax(rest))]):
        found.append(ScoredSpan(Span(float(starts[best]), float(ends[best])), float(scores[best])))
        overlap = np.minimum(ends, ends[best]) - np.maximum(starts, starts[best])
        shorter = np.minimum(ends - starts, ends[best] - starts[best])
        rest[overlap > max_shared * shorter] = -np.inf
        rest[best] = -np.inf
    return found
