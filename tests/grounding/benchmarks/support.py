from grounding.benchmarks.cases import Case
from grounding.records.record import single_turn


def case(
    answer: str | None,
    truth: dict,
    *,
    media: dict | None = None,
    question: str = "What?",
    true: str = "x",
    name: str = "1",
) -> Case:
    return Case(
        single_turn(question, true, media or {"video": "a.mp4"}, id=name, truth=truth), answer
    )


def values(scores) -> dict[str, float]:
    return {name: metric.value for name, metric in scores.metrics.items()}
