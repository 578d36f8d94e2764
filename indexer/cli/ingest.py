"""`seekpoint ingest`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from grounding.spans import format_time
from indexer.cli.output import (
    CollectionOption,
    JsonOption,
    escape,
    note,
    print_json,
    stderr,
    stdout,
)
from indexer.ingest.run import FileOutcome, IngestReport, Observer
from indexer.library import DEFAULT_COLLECTION, Library
from indexer.settings import load_settings


def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Video files and folders (searched with all folders below)."),
    ],
    collection: CollectionOption = DEFAULT_COLLECTION,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Read keyframes only: many times faster, coarser in time."),
    ] = False,
    adaptive: Annotated[
        bool | None,
        typer.Option(
            "--adaptive/--no-adaptive",
            help="Read keyframes first, and everything only where something happens: many times "
            "faster on long recordings (SEEKPOINT_ADAPTIVE).",
        ),
    ] = None,
    events: Annotated[
        bool | None,
        typer.Option(
            "--events/--no-events",
            help="Let the grounder say what happens when; on by itself with a model of this "
            "machine's own and a GPU.",
        ),
    ] = None,
    queue: Annotated[
        bool,
        typer.Option(
            "--queue", help="Note the files for workers and return at once (SEEKPOINT_BROKER_URL)."
        ),
    ] = False,
    language: Annotated[
        str | None,
        typer.Option(
            help="What is mostly spoken in the collection, such as de: for videos whose own "
            "language is unclear."
        ),
    ] = None,
    change_model: Annotated[
        bool,
        typer.Option(
            "--change-model",
            help="Compute anew with this machine's embedder, also where the library is served "
            "with another one.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make videos searchable. Safe to stop and to repeat."""
    library = Library(load_settings(**({"change_model": True} if change_model else {})))
    with Bar() as bar:
        report = library.ingest(
            paths,
            collection,
            fast=fast,
            adaptive=adaptive,
            events=events,
            queue=queue,
            language=language,
            observer=bar,
        )
    if as_json:
        print_json({**_as_dict(report)})
    else:
        _print(report)
    for text in report.notes:
        note(text)
    if report.failures:
        raise typer.Exit(1)


class Bar(Observer):
    """A progress bar by bytes (known before a file is opened), with the speed."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=stderr,
            transient=True,
            disable=not stderr.is_terminal,
        )
        self._task = self._progress.add_task("ingest", total=None, speed="")
        self._video_s = 0.0
        self._started = time.monotonic()

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def on_start(self, files: int, size_bytes: int) -> None:
        """Shows the bar."""
        self._started = time.monotonic()
        self._progress.update(self._task, total=size_bytes, description=f"{files} files")

    def on_advance(self, size_bytes: float, video_s: float) -> None:
        """Moves the bar and its speed."""
        self._video_s += video_s
        speed = self._video_s / max(time.monotonic() - self._started, 1e-6)
        self._progress.update(
            self._task, advance=size_bytes, speed=f"{speed:.1f}x real time" if self._video_s else ""
        )

    def on_finish(self, outcome: FileOutcome) -> None:
        """Prints what became of a file."""
        if outcome.error:
            self._progress.console.print(
                f"[red]{outcome.state}[/] {escape(outcome.error)}. [dim]{escape(outcome.hint)}[/]",
                soft_wrap=True,
            )


def _as_dict(report: IngestReport) -> dict:
    return {
        "collection": report.collection,
        "files": report.files,
        "offline": report.offline,
        "failed": len(report.failures),
        "video_s": report.video_s,
        "seconds": report.seconds,
        "speed": report.speed,
    }


def _print(report: IngestReport) -> None:
    counts = {
        state: sum(file.state == state for file in report.files)
        for state in dict.fromkeys(file.state for file in report.files)
    }
    parts = [f"{count} {state}" for state, count in counts.items()]
    if report.offline:
        parts.append(f"{len(report.offline)} offline (gone, still searchable)")
    line = f"collection [bold]{escape(report.collection)}[/]: " + (
        ", ".join(parts) or "nothing to do"
    )
    if report.video_s:
        line += (
            f"; {format_time(report.video_s)} of video in {report.seconds:.1f} s "
            f"({report.speed:.1f} times real time)"
        )
    stdout.print(line)
