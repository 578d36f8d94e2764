"""Looking after the installation: `doctor`, `audit`, `models`, `models get`, `db upgrade`, `db
move-frames`."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from indexer.admin.models.download import DOWNLOADS
from indexer.cli.output import (
    JsonOption,
    escape,
    note,
    print_json,
    stderr,
    stdout,
    table,
)
from indexer.errors import UsageError
from indexer.formatting import format_bytes
from indexer.library import Library
from indexer.vocabulary import AuditAction

BYTE_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    DownloadColumn(),
    TransferSpeedColumn(),
    TimeRemainingColumn(),
)

database = typer.Typer(name="db", help="The catalog's database.", no_args_is_help=True)


def doctor(as_json: JsonOption = False) -> None:
    """Check models, ffmpeg, database, snapshot, recall and disk; say how to fix what is wrong."""
    checks = Library().doctor()
    if as_json:
        print_json({"ok": all(check.ok for check in checks), "checks": checks})
    else:
        rows = table("", "check", "what was found", "how to fix it")
        for check in checks:
            rows.add_row(
                "[green]ok[/]" if check.ok else "[red]no[/]",
                escape(check.name),
                escape(check.found),
                escape(check.mend),
            )
        stdout.print(rows)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def audit(
    last: Annotated[int, typer.Option("--last", help="How many entries.", min=1)] = 50,
    action: Annotated[
        list[AuditAction] | None, typer.Option("--action", help="Only this one (repeatable).")
    ] = None,
    who: Annotated[str | None, typer.Option("--who", help="Only of this name.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", help="Not before this time (UTC).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show who signed in, was refused, added, removed, shared or changed rights; newest first."""
    begin = None if since is None else since.replace(tzinfo=UTC)
    entries = Library().audit_log(last=last, actions=action or (), who=who, since=begin)
    if as_json:
        print_json(entries)
        return
    rows = table("when (UTC)", "who", "from", "what", "of", "details")
    for entry in entries:
        details = ", ".join(f"{name}: {_words(value)}" for name, value in entry.details.items())
        cells = (entry.actor.name, entry.actor.address, entry.action, entry.subject, details)
        rows.add_row(f"{entry.at:%Y-%m-%d %H:%M:%S}", *(escape(cell) for cell in cells))
    stdout.print(rows if entries else "There is no such entry.")


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


models = typer.Typer(
    name="models",
    help="List the models: what each does, needs and costs, and how to get those that are missing.",
    invoke_without_command=True,
)


@models.callback()
def list_models(context: typer.Context, as_json: JsonOption = False) -> None:
    """The list, where no other command follows."""
    if context.invoked_subcommand is not None:
        return
    found = Library().models()
    if as_json:
        print_json(found)
        return
    rows = table("", "model", "for", "size", "licence", "languages", "quality", "how to get it")
    for model in found:
        mark = (
            "[green]in use[/]"
            if model.in_use and model.installed
            else "installed"
            if model.installed
            else "[dim]not there[/]"
        )
        what = f"{model.kind}: {model.purpose}"
        cells = (
            model.name,
            what,
            format_bytes(model.size_mb * 1e6),
            model.licence,
            model.languages,
            model.quality,
            model.how_to_get,
        )
        rows.add_row(mark, *(escape(cell) for cell in cells))
    stdout.print(rows)


@models.command()
def get(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(DOWNLOADS)}.")],
    yes: Annotated[bool, typer.Option("--yes", help="Fetch it and use it without asking.")] = False,
) -> None:
    """Fetch a model from the hub and use it: says its size before, goes on where it stopped."""
    library = Library()
    offer = library.model_offer(name)
    licence = f", licence {offer.licence}" if offer.licence else ""
    size = format_bytes(offer.size_bytes)
    note(f"{offer.repository}: {size}{licence}, to {offer.folder}")
    if not offer.is_here and not (yes or _agrees(f"Fetch {size}?")):
        return
    with Progress(*BYTE_COLUMNS, console=stderr) as progress:
        bar = progress.add_task(name, total=offer.size_bytes)
        library.fetch_model(offer, lambda done: progress.update(bar, completed=done))
    lines = [f"{key}={value}" for key, value in offer.settings.items()]
    stdout.print(escape("\n".join(lines)))
    if yes or _agrees("Use it from now on?"):
        note(f"written to {library.use_model(offer)}")
        for key in offer.settings:
            if os.environ.get(key, "") not in ("", offer.settings[key]):
                note(f"{key} is set in the environment, which wins")
        if offer.settings.keys() & {"SEEKPOINT_EMBEDDER", "SEEKPOINT_TEXT_MODEL"}:
            note("ingest the same folders again, with --change-model; old answers stay until then")


def _agrees(question: str) -> bool:
    """Asks who sits there. Raises UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked", "--yes fetches and uses it without asking")
    return typer.confirm(question, default=False, err=True)


@database.command()
def upgrade(
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also while workers or a page report.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the database to the revision of this program; stop workers and the page before."""
    revision = Library().upgrade_database(anyway=anyway)
    if as_json:
        print_json({"revision": revision})
    else:
        stdout.print(f"the catalog is at revision {revision}")


@database.command(name="move-frames")
def move_frames(
    back: Annotated[
        bool, typer.Option("--back", help="Out of the object storage, into the database.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Move the vectors of frames to the object storage of SEEKPOINT_FRAMES_URL, or back."""
    columns = (TextColumn("{task.completed} chunks"),)
    with Progress(*columns, console=stderr) as progress:
        bar = progress.add_task("", total=None)
        count = Library().move_frames(
            to_storage=not back, progress=lambda done: progress.update(bar, completed=done)
        )
    if as_json:
        print_json({"chunks": count})
    else:
        stdout.print(f"the vectors of {count} chunks were moved")
