"""Options of a command that asks a language model's endpoint."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from grounding.command_line import not_negative, positive, seconds
from grounding.language_model.endpoint import EndpointSettings

KEY_VARIABLE = "SEEKPOINT_ENDPOINT_KEY"


def add_endpoint_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that `endpoint_settings` and `store_path` read."""
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


def endpoint_settings(options: argparse.Namespace, temperature: float) -> EndpointSettings:
    """The options as settings, with the key from the environment; `temperature` is the default."""
    return EndpointSettings(
        url=options.endpoint,
        model=options.model,
        key=os.environ.get(KEY_VARIABLE, ""),
        concurrency=options.concurrency,
        per_minute=options.per_minute,
        max_requests=options.max_requests,
        max_tokens=options.max_tokens,
        attempts=options.attempts,
        timeout_s=options.timeout,
        temperature=temperature if options.temperature is None else options.temperature,
    )


def store_path(options: argparse.Namespace, output: Path) -> Path:
    """The file of answers: the one that is named, or one beside the output."""
    return options.store or output.with_name(output.name + ".answers.sqlite")
