"""Open questions about videos, judged by a language model: is the answer right, and how good is it
from 0 to 5?

The protocol is that of Video-ChatGPT (Maaz et al. 2023); the words are ours, so that numbers
compare only between runs with one judge.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from grounding.benchmarks.cases import Case
from grounding.benchmarks.scores import Scores, mean
from grounding.errors import EvaluationError
from grounding.language_model.endpoint import Endpoint, Message, NoAnswer

TRIES = 3
BEST = 5
JUDGE = (
    "You judge answers to questions about videos. You get a question, the correct answer, and the "
    "answer to judge. An answer is right if it means the same as the correct one: other words, "
    "more "
    "words and synonyms are fine, a contradiction or another thing is not. Reply with nothing but "
    "a "
    'JSON object such as {"right": "yes", "score": 4}: right is "yes" or "no", score a whole '
    "number "
    "from 0 (nothing fits) to 5 (fits perfectly)."
)
_OBJECT = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judge's; `score` from 0 to 5."""

    right: bool
    score: int


async def score_judged(cases: Sequence[Case], endpoint: Endpoint) -> Scores:
    """`qa`: a missing answer is wrong with score 0; an answer without a readable verdict is left
    out and counted.

    Raises EndpointError and BudgetSpent; what was judged until then is remembered. Raises
    EvaluationError where there are answers and no verdict about any: missing answers alone are not
    a result.
    """
    if not cases:
        raise EvaluationError("there is nothing to judge")
    failures: list[str] = []
    tasks = [asyncio.create_task(judge(case, endpoint, failures)) for case in cases]
    try:
        verdicts = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    of_answers = [verdict for case, verdict in zip(cases, verdicts) if _has_answer(case)]
    if of_answers and not any(of_answers):
        raise EvaluationError(
            f"the judge gave no readable verdict about any of {len(of_answers):,} answers; at "
            f"last: {failures[-1]}"
        )
    known = [verdict for verdict in verdicts if verdict is not None]
    metrics = {
        "accuracy": mean([verdict.right for verdict in known]),
        "score": mean([verdict.score for verdict in known], percent=False),
    }
    missing = sum(case.answer is None for case in cases)
    return Scores(
        "qa",
        metrics,
        {"rows": len(cases), "missing": missing, "not judged": len(cases) - len(known)},
    )


async def judge(case: Case, endpoint: Endpoint, failures: list[str]) -> Verdict | None:
    """The verdict of up to `TRIES` requests; None where the judge did not answer or gave nonsense
    each time, which is appended to `failures`.
    """
    if not _has_answer(case):
        return Verdict(False, 0)
    for variant in range(TRIES):
        try:
            text = (await endpoint.ask(request(case), variant)).text
        except NoAnswer as error:
            failures.append(str(error))
            continue
        verdict = parse_verdict(text)
        if verdict is not None:
            return verdict
        failures.append(f"no verdict: {text[:80]!r}")
    return None


def _has_answer(case: Case) -> bool:
    return bool(case.answer and case.answer.strip())


def request(case: Case) -> list[Message]:
    """The messages that ask for a verdict."""
    row = {
        "question": case.record.question,
        "correct answer": case.record.answer,
        "answer to judge": case.answer or "",
    }
    return [
        {"role": "system", "content": JUDGE},
        {"role": "user", "content": json.dumps(row, ensure_ascii=False, indent=1)},
    ]


def parse_verdict(text: str) -> Verdict | None:
    """The first object in the text that is a verdict; a score such as 4.0 or "4" is 4."""
    for match in _OBJECT.finditer(text):
        try:
            raw = json.loads(match.group())
            right, score = str(raw["right"]).strip().lower(), float(raw["score"])
        except (ValueError, KeyError, TypeError, OverflowError):
            continue
        if right in ("yes", "no") and 0 <= score <= BEST:
            return Verdict(right == "yes", round(score))
    return None
