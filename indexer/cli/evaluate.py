"""`seekpoint evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from indexer.cli.output import (
    CollectionOption,
    JsonOption,
    escape,
    print_json,
    stderr,
    stdout,
    table,
)
from indexer.errors import UsageError
from indexer.evaluation.compare import Comparison, load_report
from indexer.evaluation.compare import compare as compare_reports
from indexer.evaluation.report import Report
from indexer.library import DEFAULT_COLLECTION, Library
from indexer.search.types import KINDS


def evaluate(
    ground_truth: Annotated[
        Path | None,
        typer.Argument(help="JSON lines of ours, QVHighlights rows, or Charades-STA lines."),
    ] = None,
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
            "--ground",
            help="Ask the grounder too; report both, and how often its span was accepted.",
        ),
    ] = False,
    feedback: Annotated[
        bool,
        typer.Option("--feedback", help="What people said of answers is the ground truth."),
    ] = False,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", help="What changed, row by row, since this report (of --json)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the answers against ground truth."""

    def wrap(rows):
        return track(rows, "asking", console=stderr, transient=True, disable=not stderr.is_terminal)

    if (ground_truth is None) != feedback or (feedback and predictions):
        raise UsageError(
            "there is no ground truth, or more than one",
            "give a file, with or without --predictions, or --feedback",
        )
    before = load_report(compare) if compare else None
    library = Library()
    report = (
        library.score(ground_truth, predictions)
        if predictions and ground_truth
        else library.evaluate(ground_truth, collection, only=only, ground=ground, wrap=wrap)
    )
    comparison = None if before is None else compare_reports(before, report)
    if as_json:
        changes = {} if comparison is None else {"comparison": comparison.as_dict()}
        print_json(report.as_dict() | changes)
        return
    _print(report)
    if comparison is not None:
        _print_comparison(comparison)


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


def _print_comparison(comparison: Comparison) -> None:
    rows = table("", "figure", "before", "after", "video", "query", right=("before", "after"))
    for change in comparison.changes:
        rows.add_row(
            "better" if change.better else "worse",
            change.figure,
            "none" if change.before is None else _number(change.before),
            "none" if change.after is None else _number(change.after),
            escape(change.video),
            escape(change.query),
        )
    stdout.print(rows if comparison.changes else "No row changed.")
    better = sum(change.better for change in comparison.changes)
    stdout.print(f"{better} better, {len(comparison.changes) - better} worse")
    for name, queries in (("gone", comparison.gone), ("new", comparison.new)):
        if queries:
            stdout.print(f"{len(queries)} rows {name}: " + escape("; ".join(queries[:5])))


def _number(value: float | None) -> str:
    return (
        ""
        if value is None or value != value
        else f"{value:.3f}"
        if isinstance(value, float)
        else str(value)
    )
