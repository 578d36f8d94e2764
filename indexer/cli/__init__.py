"""The `seekpoint` command. Each verb is thin: it calls the Library and draws what comes back."""

from __future__ import annotations

import os
import sys
from importlib.metadata import distribution

import typer

from indexer.cli import demo, evaluate, ingest, library, media, search, system, ui
from indexer.cli.output import print_error
from indexer.errors import SeekpointError, UsageError
from indexer.logs import set_up
from indexer.settings import load_settings

INTERRUPTED = 130  # 128 + SIGINT, as shells count

app = typer.Typer(
    name="seekpoint",
    help="Ask a library of videos when something happens, and jump to the moment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(help=app.info.help)
def prepare(context: typer.Context) -> None:
    """Before every command; not before --help."""
    set_up(load_settings(), context.invoked_subcommand or "seekpoint")


for group in (ingest, search, library, media, evaluate, system, demo, ui):
    group.register(app)
for entry_point in distribution("seekpoint").entry_points.select(group="seekpoint.commands"):
    entry_point.load()(app)  # the page and the workers add theirs: the indexer knows neither


def main() -> None:
    """Entry point: errors that a person can act on are printed without a traceback. Exit 0 done, 1
    failed, 2 wrong use.
    """
    try:
        app()
    except UsageError as error:
        print_error(error)
        sys.exit(2)
    except SeekpointError as error:
        print_error(error)
        sys.exit(1)
    except SystemExit as stopped:
        if stopped.code == INTERRUPTED:  # typer turns Ctrl-C into a silent exit
            print(
                "Stopped. What was finished is kept; the same command goes on from there.",
                file=sys.stderr,
            )
        raise
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error of ours, and Python must not
        # complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
