"""What the command lines of data and evaluation share: types of options, those about an endpoint,
how a command ends.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from grounding.data.endpoint import EndpointSettings

KEY_VARIABLE = "SEEKPOINT_ENDPOINT_KEY"


def positive(text: str) -> int:
    """A whole number from 1, as argparse takes a type."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return value


def _number(text: str, least: float, most: float = sys.float_info.max) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number from {least:g}{f' to {most:g}' if most < sys.float_info.max else ''}"
        )
    return value


def not_negative(text: str) -> float:
    """A number from 0, as argparse takes a type."""
    return _number(text, 0)


def seconds(text: str) -> float:
    """A time to wait, as argparse takes a type."""
    return _number(text, 0.001)


def share(text: str) -> float:
    """A number from 0 to 1, as argparse takes a type."""
    return _number(text, 0, 1)


def add_endpoint_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "endpoint",
        f"any that speaks OpenAI's chat completions; its key is read from {KEY_VARIABLE}",
    )
    group.add_argument("--endpoint", required=True, metavar="URL", help="up to and including /v1")
    group.add_argument("--model", required=True)
    group.add_argument(
        "--store", type=Path, help="where answers are kept (SQLite; default: beside the output)"
    )
    group.add_argument(
        "--concurrency", type=positive, default=4, help="requests at the same time (default 4)"
    )
    group.add_argument(
        "--per-minute", type=not_negative, default=0, help="at most so many requests a minute"
    )
    group.add_argument(
        "--max-requests",
        type=positive,
        default=0,
        help="budget of this run in requests, retries included",
    )
    group.add_argument(
        "--max-tokens",
        type=positive,
        default=0,
        help="budget of this run in tokens, questions and answers together",
    )
    group.add_argument(
        "--attempts",
        type=positive,
        default=5,
        help="for a request that fails in a way that may pass (default 5)",
    )
    group.add_argument(
        "--timeout", type=seconds, default=120, help="seconds for a whole answer (default 120)"
    )
    group.add_argument("--temperature", type=not_negative)


def endpoint_settings(given: argparse.Namespace, temperature: float) -> EndpointSettings:
    return EndpointSettings(
        url=given.endpoint,
        model=given.model,
        key=os.environ.get(KEY_VARIABLE, ""),
        concurrency=given.concurrency,
        per_minute=given.per_minute,
        max_requests=given.max_requests,
        max_tokens=given.max_tokens,
        attempts=given.attempts,
        timeout_s=given.timeout,
        temperature=temperature if given.temperature is None else given.temperature,
    )


def store_path(given: argparse.Namespace, output: Path) -> Path:
    return given.store or output.with_name(output.name + ".answers.sqlite")


def run_command(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, *errors: type[Exception]
) -> int:
    """The exit status of what the parser says to run. `errors` are told in a line, as is a full
    disk or a folder that cannot be written.
    """
    given = parser.parse_args(arguments)
    try:
        return given.run(given)
    except (*errors, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
