"""`seekpoint evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from indexer.cli.output import CollectionOption, JsonOption, print_json, stderr, stdout, table
from indexer.evaluation.scoring import Report
from indexer.library import DEFAULT_COLLECTION, Library
from indexer.search.types import KINDS


def evaluate(
    ground_truth: Annotated[
        Path, typer.Argument(help="JSON lines of ours, QVHighlights rows, or Charades-STA lines.")
    ],
    collection: CollectionOption = DEFAULT_COLLECTION,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help=f"Only what matched by: {', '.join(KINDS)} (repeatable)."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option("--predictions", help="Score this file instead of asking the library."),
    ] = None,
    ground: Annotated[
        bool,
        typer.Option(
            "--ground", help="Ask LEGO too; report both, and how often its span was accepted."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the answers against ground truth."""

    def wrap(rows):
        return track(rows, "asking", console=stderr, transient=True, disable=not stderr.is_terminal)

    library = Library()
    report = (
        library.score(ground_truth, predictions)
        if predictions
        else library.evaluate(ground_truth, collection, only=only, ground=ground, wrap=wrap)
    )
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report)


def _print(report: Report) -> None:
    kinds = list(report.by_kind)
    rows = table("metric", "all", "95 % interval", *kinds, right=("all", *kinds))
    intervals = report.intervals.get("all", {})
    for metric, value in report.all.items():
        within = " to ".join(_number(end) for end in intervals.get(metric, ()))
        rows.add_row(
            metric,
            _number(value),
            within,
            *(_number(report.by_kind[kind].get(metric)) for kind in kinds),
        )
    stdout.print(rows)


def _number(value: float | None) -> str:
    return (
        ""
        if value is None or value != value
        else f"{value:.3f}"
        if isinstance(value, float)
        else str(value)
    )


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command()(evaluate)
