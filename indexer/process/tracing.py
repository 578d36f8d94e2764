"""Spans of what a process does, for OpenTelemetry. Without a collector they cost a comparison, and
nothing of OpenTelemetry is loaded.

No span holds what was asked or the name of a file.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Start = Callable[[str, dict[str, str | int | float | bool]], AbstractContextManager[object]]

_start: Start | None = None


def start_tracing(url: str, process: str) -> None:
    """Spans of this process go to the collector at `url` (OTLP over HTTP) from now on. Raises
    ModuleNotFoundError where the extra `otel` is not installed.
    """
    global _start
    if _start is None:
        _start = import_module("indexer.process.otel_spans").make_starter(url, process)


@contextmanager
def trace(name: str, **attributes: str | int | float | bool) -> Iterator[None]:
    """What is done inside is a span, a child of the one around it. An error is noted by its kind
    alone.
    """
    if _start is None:
        yield
        return
    with _start(name, attributes):
        yield


def trace_calls(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorator: each call is a span."""

    def decorate(call: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(call)
        def calling(*args: P.args, **kwargs: P.kwargs) -> T:
            if _start is None:
                return call(*args, **kwargs)
            with _start(name, {}):
                return call(*args, **kwargs)

        return calling

    return decorate
