"""`seekpoint demo`: a sample library, a few questions with known answers, and what to do next."""

from __future__ import annotations

import typer

from grounding.spans import Span, format_time
from indexer.admin.demo import QUESTIONS, DemoQuestion, make_library, true_spans
from indexer.cli.ingest import Bar
from indexer.cli.output import escape, note, stdout, table
from indexer.formatting import format_bytes, format_span
from indexer.library import Library
from indexer.search.types import Answer

COLLECTION = "demo"


def demo() -> None:
    """Make a small library of real footage, ask it a few questions, and show the answers beside the
    truth.
    """
    library = Library()
    note("Putting the demo videos together ...")
    paths = make_library(library.settings.home_path / "demo")
    note("Ingesting them ...")
    with Bar() as bar:
        report = library.ingest([paths[0].parent], COLLECTION, observer=bar)
    if report.failures:
        raise typer.Exit(1)
    if report.video_s:
        stdout.print(
            f"{format_time(report.video_s)} of video became searchable in "
            f"{report.seconds:.1f} s ({report.speed:.1f} times real time).\n"
        )
    rows = table("question", "answer", "truth", "overlap", right=("overlap",))
    truth = true_spans()
    for question in QUESTIONS:
        answer = library.search(question.text, collections=[COLLECTION], top=1)
        rows.add_row(escape(question.text), *_compare_spans(question, answer, truth))
    stdout.print(rows)
    _print_next(library)


def _compare_spans(
    question: DemoQuestion, answer: Answer, truth: dict[tuple[str, str], Span]
) -> tuple[str, str, str]:
    best = answer.moments[0] if answer.moments else None
    shown = (
        "no match"
        if best is None or not answer.matched
        else f"{best.path.rpartition('/')[2]} {_times(best.span)}"
    )
    if question.video is None or question.shows is None:
        return shown, "no match", "right" if shown == "no match" else "wrong"
    span = truth[question.video, question.shows]
    right_video = best is not None and answer.matched and best.path.endswith(f"/{question.video}")
    overlap = best.span.iou(span) if best is not None and right_video else 0.0
    return shown, f"{question.video} {_times(span)}", f"{overlap:.2f}"


def _times(span: Span) -> str:
    return format_span(span, tenths=True)


def _print_next(library: Library) -> None:
    status = library.status()
    seekpoint = "seekpoint"
    stdout.print(
        f"\nThe index of these videos takes {format_bytes(status.bytes_per_hour or 0)} per "
        "hour of video. Now ask your own:"
    )
    stdout.print(
        f'  {seekpoint} search "when does the camera zoom out from the cat?" '
        f"--collection {COLLECTION}",
        markup=False,
    )
    stdout.print(
        f"  {seekpoint} ingest ~/Videos --collection mine        then: {seekpoint} "
        'search "..." --collection mine',
        markup=False,
    )
    stdout.print(
        f"  {seekpoint} models                                   what is installed, and "
        "how to get a better model",
        markup=False,
    )
    stdout.print(
        f"  {seekpoint} remove --collection {COLLECTION}                 takes the demo away",
        markup=False,
    )
    stdout.print(
        "(`make demo` installs the command at .venv/bin/seekpoint: put .venv/bin on "
        "your PATH, or write it in full.)",
        markup=False,
    )
