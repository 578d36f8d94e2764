"""`backup` and `restore`: all that cannot be made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from indexer.cli.output import JsonOption, escape, note, print_json, stdout
from indexer.errors import SeekpointError
from indexer.formatting import format_bytes
from indexer.library import Library


def backup(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    as_json: JsonOption = False,
) -> None:
    """Copy the catalog, uploads, thumbnails, secrets and settings, while all goes on."""
    report = Library().backup(folder)
    if as_json:
        print_json(report)
        return
    stdout.print(
        f"{escape(str(report.folder))} holds the catalog ({report.rows['video']} videos) and "
        f"{report.files} files, {format_bytes(report.size_bytes)}, in {report.seconds:.1f} s. "
        "It holds secrets: keep it as safe as the library."
    )
    if report.objects:
        note(
            f"the vectors of frames of {report.objects} chunks are in object storage and not in "
            "the backup: keep its versions, or a copy, as long as the backup"
        )


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `seekpoint backup` wrote.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare what was brought back with the backup.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Keep the catalog that is there aside.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a backup back; stop the page and the workers before."""
    library = Library()
    report = library.restore(folder, verify=verify, replace=replace)
    try:
        library.reindex()
    except SeekpointError as error:  # the next search writes what it needs
        note(str(error))
    if as_json:
        print_json(report)
        return
    stdout.print(
        f"{report.rows['video']} videos and {report.files} files are back"
        + (", and are what the backup holds" if report.verified else "")
    )
    if report.kept_aside is not None:
        stdout.print(f"the catalog that was here is at {escape(str(report.kept_aside))}")
    if report.other_settings:
        names = ", ".join(report.other_settings)
        stdout.print(f"set otherwise now than in the backup's settings.env: {escape(names)}")
