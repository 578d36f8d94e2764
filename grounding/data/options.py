"""The command line's options about an endpoint, which conversion, generation and evaluation share."""

from __future__ import annotations

import argparse
import os
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


def add_endpoint_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("endpoint", f"any that speaks OpenAI's chat completions; its key is read from {KEY_VARIABLE}")
    group.add_argument("--endpoint", required=True, metavar="URL", help="up to and including /v1")
    group.add_argument("--model", required=True)
    group.add_argument("--store", type=Path, help="where answers are kept (SQLite; default: beside the output)")
    group.add_argument("--concurrency", type=positive, default=4, help="requests at the same time (default 4)")
    group.add_argument("--per-minute", type=float, default=0, help="at most so many requests a minute")
    group.add_argument("--max-requests", type=int, default=0, help="budget of this run in requests, retries included")
    group.add_argument("--max-tokens", type=int, default=0, help="budget of this run in tokens, questions and answers together")
    group.add_argument("--attempts", type=positive, default=5, help="for a request that fails in a way that may pass (default 5)")
    group.add_argument("--timeout", type=float, default=120, help="seconds for a whole answer (default 120)")
    group.add_argument("--temperature", type=float)


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
