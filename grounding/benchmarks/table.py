"""One table of all benchmarks, ours beside the published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from grounding.benchmarks.published import PUBLISHED, bare, published_score
from grounding.benchmarks.scores import Scores
from grounding.errors import EvaluationError


def read_result(path: Path) -> tuple[str, Scores]:
    """(benchmark, scores) of a file that `--json` wrote."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path} cannot be read as scores: {error}") from error
    name = raw.get("benchmark") if isinstance(raw, dict) else None
    return name or path.stem, Scores.from_json(raw)


def make_table(results: Sequence[tuple[str, Scores]]) -> str:
    """Markdown: a line for every metric of every benchmark; published benchmarks that were not run
    stand at the end.
    """
    lines = ["| benchmark | metric | ours | 95 % | published | rows |", "|---|---|---|---|---|---|"]
    for benchmark, scores in results:
        for name, metric in scores.metrics.items():
            value, _, interval = metric.text().partition(" ")
            lines.append(
                f"| {benchmark} | {name} | {value} | {interval} "
                f"| {published_score(benchmark, name)} | {_rows(scores)} |"
            )
    run = {bare(benchmark) for benchmark, _ in results}
    for benchmark, values in PUBLISHED.items():
        if bare(benchmark) not in run:
            lines += [
                f"| {benchmark} | {name} | not run | | {value:.2f} | |"
                for name, value in values.items()
            ]
    return "\n".join(lines)


def _rows(scores: Scores) -> str:
    lacking = [
        f"{count:,} {name}" for name, count in scores.counts.items() if name != "rows" and count
    ]
    return f"{scores.counts.get('rows', 0):,}" + (f" ({', '.join(lacking)})" if lacking else "")
