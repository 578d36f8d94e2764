"""Looking after the library: `videos`, `collections`, `remove`, `reindex`, `retry`, `cancel`,
`status`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from grounding.spans import format_time
from indexer.admin.status import Status
from indexer.cli.output import (
    CollectionsOption,
    JsonOption,
    escape,
    note,
    print_json,
    stdout,
    table,
)
from indexer.errors import UsageError
from indexer.formatting import format_bytes
from indexer.library import Library

VideosArgument = Annotated[
    list[int] | None, typer.Argument(help="Numbers of videos, as `seekpoint videos` lists them.")
]


def videos(collection: CollectionsOption = None, as_json: JsonOption = False) -> None:
    """List the videos."""
    found = Library().videos(collection)
    if as_json:
        print_json(found)
        return
    rows = table("#", "collection", "length", "state", "path", right=("#", "length"))
    for video in found:
        for number, path in enumerate(video.paths or (None,)):
            name = (
                ""
                if path is None
                else escape(path.path) + (" [dim](offline)[/]" if path.offline else "")
            )
            if number == 0:
                state = "partly read" if video.is_partly_read else video.state
                state += f": {escape(str(video.error))}" if video.error else ""
                rows.add_row(
                    str(video.video_id),
                    escape(video.collection),
                    format_time(video.duration_s),
                    state,
                    name,
                )
            else:
                rows.add_row("", "", "", "", name)
    stdout.print(rows if found else "The library is empty. `seekpoint ingest FOLDER` fills it.")


def collections(as_json: JsonOption = False) -> None:
    """List the collections."""
    found = Library().collections()
    if as_json:
        print_json(found)
        return
    rows = table("collection", "videos", "length", right=("videos", "length"))
    for collection in found:
        rows.add_row(
            escape(collection.name), str(collection.videos), format_time(collection.duration_s)
        )
    stdout.print(
        rows if found else "There is no collection yet. `seekpoint ingest FOLDER` makes the first."
    )


def remove(
    video: VideosArgument = None,
    collection: CollectionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take videos or whole collections out of the library. The files themselves stay."""
    if not video and not collection:
        raise UsageError(
            "nothing to remove was named", "give numbers of videos, or --collection NAME"
        )
    removed = Library().remove(video_ids=video or (), collections=collection or ())
    if as_json:
        print_json(removed)
    else:
        stdout.print(
            f"removed {len(removed.video_ids)} videos, freed {format_bytes(removed.freed_bytes)}"
        )


def reindex(as_json: JsonOption = False) -> None:
    """Rebuild the vector snapshot from the catalog."""
    published = Library().reindex()
    if as_json:
        print_json(published)
        return
    for snapshot in published:
        stdout.print(
            f"published {snapshot.rows:,} vectors of {escape(snapshot.key)} "
            f"({snapshot.kind}) in {snapshot.seconds:.1f} s"
        )
    if not published:
        stdout.print("There is nothing to publish yet.")


def retry(video: VideosArgument = None, as_json: JsonOption = False) -> None:
    """Put failed chunks back to be done again, and do them."""
    library = Library()
    report = library.retry(video or None)
    if as_json:
        print_json(report)
    else:
        done = (
            "workers do them"
            if library.settings.broker_url
            else f"{report.ready} of {report.videos} videos are ready now"
        )
        stdout.print(f"{report.chunks} chunks put back; {done}")
        for error in report.errors:
            note(error)
    if report.errors:
        raise typer.Exit(1)


def cancel(video: VideosArgument = None, as_json: JsonOption = False) -> None:
    """Drop the work that waits for these videos (all, if none is named); what is done stays
    searchable.
    """
    dropped = Library().cancel(video or None)
    if as_json:
        print_json({"chunks": dropped})
    else:
        stdout.print(f"{dropped} waiting chunks dropped; `seekpoint ingest` plans them again")


def status(
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again every second, until stopped.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """What the library holds, what it costs on disk, and what is being done."""
    library = Library()
    if as_json:
        print_json(library.status())
    elif not watch:
        stdout.print(_status_table(library.status()))
    else:
        with suppress(KeyboardInterrupt):  # the way to end it
            _watch(library)


def _watch(library: Library) -> None:
    """In place on a terminal; a pipe or a file gets a table whenever something changed."""
    shown = library.status()
    if stdout.is_terminal:
        with Live(_status_table(shown), console=stdout, auto_refresh=False) as live:
            while True:
                time.sleep(1)
                live.update(_status_table(library.status()), refresh=True)
    stdout.print(_status_table(shown))
    stdout.file.flush()
    while True:
        time.sleep(1)
        status = library.status()
        if status != shown:
            stdout.print("\n", _status_table(status), sep="", end="")
            stdout.file.flush()
        shown = status


def _status_table(status: Status) -> Table:
    rows = table("what", "value")
    rows.add_row("home", escape(str(status.home)))
    rows.add_row(
        "videos", ", ".join(f"{count} {state}" for state, count in status.videos.items()) or "none"
    )
    rows.add_row("length", f"{format_time(status.video_s)} in {status.segments:,} segments")
    rows.add_row(
        "chunks", ", ".join(f"{count} {state}" for state, count in status.chunks.items()) or "none"
    )
    for name, size in status.disk_bytes.items():
        rows.add_row(f"disk: {name}", format_bytes(size))
    if status.bytes_per_hour is not None:
        rows.add_row("disk per hour of video", format_bytes(status.bytes_per_hour))
    for model in status.models:
        rows.add_row(f"served: {model.stage}", f"{escape(model.key)} ({model.videos} videos)")
    if status.others:
        rows.add_row("plan with another embedder", escape(", ".join(status.others)))
    queue = status.queue
    if queue.waiting or queue.broker:
        rows.add_row(
            "waiting",
            ", ".join(f"{count} {kind}" for kind, count in queue.waiting.items()) or "nothing",
        )
        rows.add_row(
            "oldest waiting", "" if queue.oldest_s is None else f"{format_time(queue.oldest_s)} ago"
        )
        rows.add_row("speed", f"{queue.speed:.1f} times real time, over the last minute")
        rows.add_row(
            "at work",
            ", ".join(f"{escape(owner)} ({count})" for owner, count in queue.workers.items())
            or "nobody",
        )
        rows.add_row("workers that live", escape(", ".join(queue.live_workers)) or "none")
        rows.add_row(
            "broker",
            escape(queue.broker) + ("" if queue.hints is None else f" ({queue.hints} hints)"),
        )
    for error in status.errors:
        rows.add_row("error", escape(error))
    return rows
