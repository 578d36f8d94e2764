"""Descriptions against reference captions: CIDEr and METEOR. Records about the same media are one
question with several references.
"""

from __future__ import annotations

from collections.abc import Sequence

from grounding.benchmarks.cases import Case, with_truth
from grounding.benchmarks.scores import Metric, Scores, mean
from grounding.benchmarks.truth import true_caption
from grounding.metrics.sentences import Cider, Meteor, has_java, tokenize

NO_JAVA = (
    "without Java: words are cut plainly and METEOR is left out; CIDEr may differ a little from "
    "published numbers"
)


def score_captions(cases: Sequence[Case], *, java: bool | None = None) -> Scores:
    """`caption`: the first answer about each media; a missing one scores nothing. `java` None: if
    it is there.
    """
    java = has_java() if java is None else java
    groups: dict[tuple, list[Case]] = {}
    cases, others = with_truth(cases, "caption", "caption")
    for case in cases:
        groups.setdefault(tuple(sorted(case.record.media.items())), []).append(case)
    texts = [
        next((case.answer for case in group if case.answer is not None), None)
        for group in groups.values()
    ]
    flat = [text or "" for text in texts] + [
        true_caption(case) for group in groups.values() for case in group
    ]
    words = iter(tokenize(flat, java=java))
    answers = [next(words) for _ in texts]
    references = [[next(words) for _ in group] for group in groups.values()]
    metrics: dict[str, Metric] = {
        "CIDEr": mean(Cider(references).pairs(list(zip(answers, references))).tolist())
    }
    if java:
        with Meteor() as meteor:
            metrics["METEOR"] = mean(meteor.pairs(list(zip(answers, references))).tolist())
    missing = sum(text is None for text in texts)
    unread = sum(not (text or "").strip() for text in texts) - missing
    counts = {"rows": len(texts), "missing": missing, "unread": unread, **others}
    return Scores("caption", metrics, counts, () if java else (NO_JAVA,))
