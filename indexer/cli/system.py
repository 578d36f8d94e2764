"""Looking after the installation: `doctor`, `models`, `models get`, `db upgrade`."""

from __future__ import annotations

import os
import sys
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

from indexer.admin.model_download import DOWNLOADS
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


def _agrees(question: str) -> bool:
    """Asks who sits there. Raises UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked", "--yes fetches and uses it without asking")
    return typer.confirm(question, default=False, err=True)


@database.command()
def upgrade(as_json: JsonOption = False) -> None:
    """Bring the database to the revision of this program."""
    revision = Library().upgrade_database()
    if as_json:
        print_json({"revision": revision})
    else:
        stdout.print(f"the catalog is at revision {revision}")
