"""The similarity curve of one video to a query -> spans, without a language model.

Every span between two borders is scored at once: mean inside minus mean outside (TFVTG, Zheng et al. 2024), times the length to a power,
for without it the best span is a single frame. The curve is smoothed within shots, never across a cut; borders lie half-way between two
frames or on the cut between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from grounding.spans import ScoredSpan, Span, suppress


@dataclass(frozen=True, slots=True)
class LocalizerOptions:
    smoothing_frames: float = 1.0  # standard deviation of the Gaussian that smooths a shot's curve
    length_power: float = 0.35  # 0: single frames win, 1/2: the likelihood of one raised stretch in white noise, more: long spans win
    max_span_s: float = 90.0
    max_iou: float = 0.3  # of two spans that overlap more, the better stays (TFVTG)
    exhaustive_frames: int = 360  # up to so many frames every span is tried; of more, the neighbourhoods of the highest peaks


DEFAULT = LocalizerOptions()
_PEAKS = 4  # neighbourhoods that are searched in a long video


def localize(
    times_s: np.ndarray,
    similarities: np.ndarray,
    *,
    start_s: float,
    end_s: float,
    cuts_s: Sequence[float] | np.ndarray = (),
    count: int = 5,
    options: LocalizerOptions = DEFAULT,
) -> list[ScoredSpan]:
    """Spans of the stretch `[start_s, end_s)` that stand out, best first, at most `count`; none overlaps a better one by much.

    `times_s` (N,) float64 rising, `similarities` (N,) of the frames to the query, `cuts_s` starts of shots. A score is in standard
    deviations of the curve: spans of one curve are ordered by it, two curves are not comparable. Raises `ValueError` where lengths differ,
    times fall or values are not finite.
    """
    times, values = _checked(times_s, similarities)
    if not len(values):
        return []
    borders, is_cut = _borders(times, np.asarray(cuts_s, dtype=np.float64), start_s, end_s)
    curve = _smoothed(values, is_cut, options.smoothing_frames)
    begin, end, scores = _scored(curve, borders, options)
    best = np.argsort(-scores, kind="stable")[: max(200, 40 * count)]
    spans = [ScoredSpan(Span(float(borders[begin[k]]), float(borders[end[k]])), float(scores[k])) for k in best]
    return suppress(spans, options.max_iou)[:count]


def _checked(times_s: np.ndarray, similarities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    times, values = np.asarray(times_s, dtype=np.float64), np.asarray(similarities, dtype=np.float64)
    if times.ndim != 1 or times.shape != values.shape:
        raise ValueError(f"times_s and similarities must be two vectors of one length, not {times.shape} and {values.shape}")
    if not np.isfinite(values).all() or not np.isfinite(times).all():
        raise ValueError("times_s and similarities must be finite")
    if (np.diff(times) < 0).any():
        raise ValueError("times_s must not fall")
    return times, values


def _borders(times: np.ndarray, cuts: np.ndarray, start_s: float, end_s: float) -> tuple[np.ndarray, np.ndarray]:
    """(N + 1,) border before each frame and after the last, and whether it is a cut; the ends of the stretch count as cuts."""
    borders = np.concatenate([[start_s], (times[1:] + times[:-1]) / 2, [end_s]]).clip(start_s, end_s)
    is_cut = np.zeros(len(borders), dtype=bool)
    is_cut[[0, -1]] = True
    first_after = np.searchsorted(times, cuts - 1e-6)
    inside = (first_after > 0) & (first_after < len(times))
    borders[first_after[inside]] = cuts[inside]
    is_cut[first_after[inside]] = True
    return borders, is_cut


def _smoothed(values: np.ndarray, is_cut: np.ndarray, deviation: float) -> np.ndarray:
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


def _scored(curve: np.ndarray, borders: np.ndarray, options: LocalizerOptions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Border numbers where spans begin and end, and their scores: (M,) int64, (M,) int64, (M,) float64."""
    frames = len(curve)
    begin, end = _pairs(frames) if frames <= options.exhaustive_frames else _pairs_near_peaks(curve, options.exhaustive_frames)
    short = borders[end] - borders[begin] <= options.max_span_s
    if short.any():
        begin, end = begin[short], end[short]
    cumulative = np.concatenate([[0.0], np.cumsum(curve - curve.mean())])
    inside = cumulative[end] - cumulative[begin]
    length = end - begin
    outside = frames - length
    # The mean of the whole is 0, so the sum outside is minus the sum inside.
    contrast = inside / length + inside / np.maximum(outside, 1)
    deviation = float(curve.std()) or 1.0
    return begin, end, contrast / deviation * length**options.length_power * np.sqrt(outside / frames)


@lru_cache(maxsize=64)
def _pairs(frames: int) -> tuple[np.ndarray, np.ndarray]:
    begin, end = np.triu_indices(frames + 1, 1)
    return begin, end


def _pairs_near_peaks(curve: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs within neighbourhoods of the highest peaks, `width` frames in total each way, so that hours cost no more than minutes."""
    width = width // 2
    rest = curve.copy()
    begins, ends = [], []
    for _ in range(_PEAKS):
        peak = int(np.argmax(rest))
        first = min(max(0, peak - width // 2), len(curve) - width)
        begin, end = _pairs(width)
        begins.append(begin + first)
        ends.append(end + first)
        rest[first : first + width] = -np.inf
    keys = np.unique(np.concatenate(begins) * (len(curve) + 1) + np.concatenate(ends))
    return keys // (len(curve) + 1), keys % (len(curve) + 1)
