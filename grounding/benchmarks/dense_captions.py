"""Dense captioning: events with their times against all true events of a video, by SODA_c and by
CIDEr at overlaps.

SODA_c (Fujita et al. 2020, "SODA: story oriented dense video captioning evaluation framework"):
predicted and true events are matched in their order so that the sum of IoU x likeness of the words
is largest; that sum over all videos, divided by the number of predicted and of true events, is
precision and recall, of which F1 is reported. Likeness is METEOR where Java is there, as published,
and CIDEr, whose weights are counted over all true sentences (ActivityNet's evaluator counts them
within each video, where most are 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from grounding.benchmarks.captions import NO_JAVA
from grounding.benchmarks.cases import Case, with_truth
from grounding.benchmarks.scores import Metric, Scores
from grounding.benchmarks.temporal_grounding import CLIP
from grounding.benchmarks.truth import true_events
from grounding.benchmarks.yes_no import f1
from grounding.lego.generate.answers import parse_events
from grounding.metrics.sentences import Cider, Meteor, has_java, tokenize
from grounding.spans import Span

OVERLAPS = (0.3, 0.5, 0.7, 0.9)
"""At which CIDEr counts (Krishna et al. 2017, "Dense-captioning events in videos")."""

Likeness = Callable[[Sequence[tuple[str, Sequence[str]]]], np.ndarray]


@dataclass(frozen=True, slots=True)
class Story:
    """Events of one video in the order of time; `words` are tokenized."""

    spans: tuple[Span, ...]
    words: tuple[str, ...]


def score_events(cases: Sequence[Case], *, java: bool | None = None) -> Scores:
    """`events`: a missing or unreadable answer has no events."""
    java = has_java() if java is None else java
    cases, others = with_truth(cases, "events", "events")
    predicted, true = _stories(cases, java)
    cider = Cider([[words] for story in true for words in story.words])
    metrics = _metrics("CIDEr", cider.pairs, predicted, true)
    if java:
        with Meteor() as meteor:
            metrics = _metrics("METEOR", meteor.pairs, predicted, true) | metrics
    missing = sum(case.answer is None for case in cases)
    counts = {
        "rows": len(cases),
        "missing": missing,
        "unread": sum(not story.spans for story in predicted) - missing,
        **others,
    }
    return Scores("events", metrics, counts, () if java else (NO_JAVA,))


def _metrics(
    name: str, likeness: Likeness, predicted: Sequence[Story], true: Sequence[Story]
) -> dict[str, Metric]:
    tables = _tables(likeness, predicted, true)
    overlaps = [iou_table(guess.spans, truth.spans) for guess, truth in zip(predicted, true)]
    return {
        f"SODA_c {name}": Metric(soda(tables, overlaps)),
        name: Metric(likeness_at(tables, overlaps)),
    }


def soda(tables: Sequence[np.ndarray], overlaps: Sequence[np.ndarray]) -> float:
    """F1 of SODA_c; the tables are `(P, G)` likeness and IoU of a video's predicted and true
    events.
    """
    total = sum(best_in_order(table * overlap) for table, overlap in zip(tables, overlaps))
    predicted, true = (sum(table.shape[axis] for table in tables) for axis in (0, 1))
    return f1(total / predicted, total / true) if predicted and true else 0.0


def best_in_order(gain: np.ndarray) -> float:
    """The largest sum of a matching that crosses nowhere: `best[i, j] = max(best[i-1, j], best[i,
    j-1], best[i-1, j-1] + gain[i, j])`.

    >>> best_in_order(np.array([[0.1, 0.9], [0.8, 0.2]]))  # .9 and .8 would cross
    0.9
    """
    rows, columns = gain.shape
    best = np.zeros((rows + 1, columns + 1))
    for i in range(rows):
        for j in range(columns):
            best[i + 1, j + 1] = max(best[i, j + 1], best[i + 1, j], best[i, j] + gain[i, j])
    return float(best[rows, columns])


def likeness_at(tables: Sequence[np.ndarray], overlaps: Sequence[np.ndarray]) -> float:
    """Mean over overlaps and videos of the mean likeness of all pairs of a predicted and a true
    event that overlap so much.

    A predicted event that overlaps none counts as a pair of likeness 0, a video without predictions
    as 0 (ActivityNet Captions' evaluator).
    """
    values = []
    for threshold in OVERLAPS:
        for table, overlap in zip(tables, overlaps):
            fits = overlap >= threshold
            pairs = np.count_nonzero(fits) + np.count_nonzero(~fits.any(axis=1))
            values.append(float(table[fits].sum()) / pairs if pairs else 0.0)
    return float(np.mean(values)) if values else 0.0


def iou_table(predicted: Sequence[Span], true: Sequence[Span]) -> np.ndarray:
    """`(P, G)` float64."""
    return np.array([[guess.iou(truth) for truth in true] for guess in predicted]).reshape(
        len(predicted), len(true)
    )


def _tables(
    likeness: Likeness, predicted: Sequence[Story], true: Sequence[Story]
) -> list[np.ndarray]:
    pairs = [
        (guess, [truth])
        for one, other in zip(predicted, true)
        for guess in one.words
        for truth in other.words
    ]
    scores = likeness(pairs) if pairs else np.zeros(0)
    shapes = [(len(one.words), len(other.words)) for one, other in zip(predicted, true)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(scores, ends[:-1]), shapes)]


def _stories(cases: Sequence[Case], java: bool) -> tuple[list[Story], list[Story]]:
    predicted = [
        [(event.span, event.text) for event in parse_events(case.answer or "", CLIP)]
        for case in cases
    ]
    known = list(map(true_events, cases))
    ordered = [sorted(events, key=lambda event: event[0]) for events in (*predicted, *known)]
    words = iter(tokenize([text for events in ordered for _, text in events], java=java))
    stories = [
        Story(tuple(span for span, _ in events), tuple(next(words) for _ in events))
        for events in ordered
    ]
    return stories[: len(cases)], stories[len(cases) :]
