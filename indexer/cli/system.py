"""Looking after the installation: `doctor`, `audit`, `models`, `db upgrade`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from indexer.cli.output import JsonOption, escape, print_json, stdout, table
from indexer.formatting import format_bytes
from indexer.library import Library
from indexer.vocabulary import AuditAction

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


def models(as_json: JsonOption = False) -> None:
    """List the models: what each does, needs and costs, and how to get those that are missing."""
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
