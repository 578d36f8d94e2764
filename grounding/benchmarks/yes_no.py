"""POPE (Li et al. 2023, "Evaluating object hallucination in large vision-language models"): is
there a ... in the image?

As its authors count: of the first sentence, an answer with the word no or not is a no, any other a
yes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from grounding.benchmarks.cases import Case
from grounding.benchmarks.scores import Metric, Scores, mean
from grounding.errors import EvaluationError

_WORD = re.compile(r"[a-z']+")


def score_yes_no(cases: Sequence[Case]) -> Scores:
    """`pope`: accuracy, precision, recall and F1 of yes, and how often yes is the answer. A
    missing answer is wrong.
    """
    if not all(case.record.answer in ("yes", "no") for case in cases):
        raise EvaluationError(
            "the truth's answers are not all yes or no; convert POPE's file with "
            "`python -m grounding.datasets convert pope`"
        )
    truths = [case.record.answer == "yes" for case in cases]
    guesses = [None if case.answer is None else is_yes(case.answer) for case in cases]
    right = [guess == truth for guess, truth in zip(guesses, truths)]
    hits = sum(bool(guess) and truth for guess, truth in zip(guesses, truths))
    yes, answered = sum(map(bool, guesses)), sum(guess is not None for guess in guesses)
    precision, recall = _ratio(hits, yes), _ratio(hits, sum(truths))
    metrics = {
        "accuracy": mean(right),
        "precision": Metric(precision),
        "recall": Metric(recall),
        "F1": Metric(f1(precision, recall)),
        "yes ratio": Metric(_ratio(yes, answered)),
    }
    unread = sum(case.answer is not None and not _plain(case.answer) for case in cases)
    return Scores(
        "pope", metrics, {"rows": len(cases), "missing": len(cases) - answered, "unread": unread}
    )


def is_yes(text: str) -> bool:
    """As POPE's authors read an answer.

    >>> is_yes("Yes, there is."), is_yes("There is no dog. Yes."), is_yes("A dog.")
    (True, False, True)
    """
    return not {"no", "not"} & set(_first_words(text))


def _plain(text: str) -> bool:
    return bool({"yes", "no", "not"} & set(_first_words(text)))


def _first_words(text: str) -> list[str]:
    return _WORD.findall(text.partition(".")[0].lower())


def f1(precision: float, recall: float) -> float:
    """The harmonic mean; NaN where either is."""
    if math.isnan(precision) or math.isnan(recall):
        return math.nan
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
