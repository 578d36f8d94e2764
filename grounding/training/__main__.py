"""`python -m grounding.training stage1|stage2|stage3`: one stage of LEGO's training from records
and a checkpoint folder.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, cast

import typer

from grounding.errors import GroundingError, TrainingError
from grounding.training.settings import PUBLISHED, Source, Stage, read_changes, stage_settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

BaseCheckpoint = Annotated[Path, typer.Option("--from", help="Checkpoint folder to start from.")]
Output = Annotated[
    Path, typer.Option(help="Folder of the run; the checkpoint becomes its `model`.")
]
Data = Annotated[
    list[str],
    typer.Option(
        help="FILE of records, or FILE:WEIGHT (.1: a tenth of its rows in an epoch). Several times."
    ),
]
Media = Annotated[
    Path | None,
    typer.Option(
        help="Folder that paths in the records are relative to; otherwise that of each file."
    ),
]
Config = Annotated[
    Path | None, typer.Option(help="JSON object of settings that differ from the published ones.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="NAME=VALUE, as in the JSON object. Several times."),
]


def _command(stage: int, what: str):
    def command(
        base_checkpoint: BaseCheckpoint,
        output: Output,
        data: Data,
        media: Media = None,
        config: Config = None,
        set_: Set = None,
    ) -> None:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        try:
            _run(cast(Stage, stage), base_checkpoint, output, data, media, config, set_ or [])
        # OSError: a full disk, a folder that cannot be written
        except (GroundingError, OSError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from error

    rate = PUBLISHED[stage]["learning_rate"]
    app.command(f"stage{stage}", help=f"{what} Published learning rate {rate:g}.")(command)


def _run(
    stage: Stage,
    base_checkpoint: Path,
    output: Path,
    data: list[str],
    media: Path | None,
    config: Path | None,
    pairs: list[str],
) -> None:
    from grounding.training.stage import run_stage

    changes = {**(read_changes(config) if config else {}), **dict(_pair(text) for text in pairs)}
    sources = tuple(_source(text, media) for text in data)
    typer.echo(str(run_stage(stage_settings(stage, base_checkpoint, output, sources, **changes))))


def _pair(text: str) -> tuple[str, object]:
    name, sign, value = text.partition("=")
    if not sign:
        raise TrainingError(f"--set {text!r}; expected NAME=VALUE")
    try:
        read = json.loads(value)
    except ValueError:
        read = value
    return name, read


def _source(text: str, media: Path | None) -> Source:
    file, sign, weight = text.rpartition(":")
    if not sign or Path(text).exists():
        return Source(Path(text), media=media)
    try:
        share = float(weight)
    except ValueError:
        return Source(Path(text), media=media)  # a colon in the name
    return Source(Path(file), share, media)


for _stage, _what in (
    (1, "Adapters and the embeddings of the new tokens."),
    (2, "Adapters and the language model, on grounding data."),
    (3, "The same, on instructions."),
):
    _command(_stage, _what)

if __name__ == "__main__":
    app()
