"""Looking after the installation: `doctor`, `models`, `db upgrade`."""

from __future__ import annotations

import typer

from indexer.cli.output import JsonOption, escape, print_json, stdout, table
from indexer.formatting import format_bytes
from indexer.library import Library

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
def upgrade(as_json: JsonOption = False) -> None:
    """Bring the database to the revision of this program."""
    revision = Library().upgrade_database()
    if as_json:
        print_json({"revision": revision})
    else:
        stdout.print(f"the catalog is at revision {revision}")
