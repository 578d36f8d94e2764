"""The `seekpoint` command. Each verb is thin: it calls the Library and draws what comes back."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib.metadata import distribution

import typer

from indexer.cli.lazy_group import LazyGroup
from indexer.errors import SeekpointError, UsageError

INTERRUPTED = 130  # 128 + SIGINT, as shells count
# New objects before the collector looks for cycles: imports make many that stay, and looking
# through them again and again is a tenth of what a short command costs.
COLLECT_EVERY = 50_000


class Commands(LazyGroup):
    """Every command and where it is. The page and the workers add theirs by entry points: the
    indexer knows neither.
    """

    places = {
        "ingest": "indexer.cli.ingest:ingest",
        "search": "indexer.cli.search:search",
        "ask": "indexer.cli.search:ask",
        "chapters": "indexer.cli.media:chapters",
        "videos": "indexer.cli.library:videos",
        "collections": "indexer.cli.library:collections",
        "remove": "indexer.cli.library:remove",
        "reindex": "indexer.cli.library:reindex",
        "retry": "indexer.cli.library:retry",
        "cancel": "indexer.cli.library:cancel",
        "status": "indexer.cli.library:status",
        "clip": "indexer.cli.media:clip",
        "subtitles": "indexer.cli.media:subtitles",
        "transcripts": "indexer.cli.media:transcripts",
        "evaluate": "indexer.cli.evaluate:evaluate",
        "doctor": "indexer.cli.system:doctor",
        "backup": "indexer.cli.backup:backup",
        "restore": "indexer.cli.backup:restore",
        "audit": "indexer.cli.system:audit",
        "models": "indexer.cli.system:models",
        "demo": "indexer.cli.demo:demo",
        "db": "indexer.cli.system:database",
    } | {
        entry_point.name: entry_point.value
        for entry_point in distribution("seekpoint").entry_points.select(group="seekpoint.commands")
    }


app = typer.Typer(
    name="seekpoint",
    cls=Commands,
    help="Ask a library of videos when something happens, and jump to the moment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(help=app.info.help)
def prepare(context: typer.Context) -> None:
    """Before every command; not before --help."""
    from indexer.logs import set_up
    from indexer.settings import load_settings

    set_up(load_settings(), context.invoked_subcommand or "seekpoint")


def _spare_short_commands() -> None:
    """Leaves out what costs a command of a second more than it can ever give back."""
    gc.set_threshold(COLLECT_EVERY)
    # At its end Python looks through all objects for cycles, several times, to free what the
    # system is about to take back anyway: a fifth of the time of a search.
    atexit.register(gc.freeze)
    # Reads the metadata of every installed package, for plugins of pydantic that may be there.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def main() -> None:
    """Entry point: errors that a person can act on are printed without a traceback. Exit 0 done, 1
    failed, 2 wrong use.
    """
    _spare_short_commands()
    try:
        app()
    except SeekpointError as error:
        from indexer.cli.output import print_error

        print_error(error)
        sys.exit(2 if isinstance(error, UsageError) else 1)
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
