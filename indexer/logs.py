"""Logs of every process: lines for people, or one JSON object a line for machines
(SEEKPOINT_LOG_FORMAT=json), on stderr.

`about(video=3, chunk=12)` says what the lines inside it are about, in whatever module they are
written.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO, Any

from indexer.errors import UsageError
from indexer.messages import escape_controls, hide_passwords
from indexer.process.tracing import start_tracing
from indexer.settings import Settings

OURS = ("indexer", "grounding", "workers", "search_ui", "seekpoint")
NOTHING: Mapping[str, int | str] = {}
MOST_ALIKE, WINDOW_S = 20, 60.0
"""Lines of one kind that are written in a time: who floods the server must not fill its disk."""
_about: ContextVar[Mapping[str, int | str]] = ContextVar("about", default=NOTHING)


def set_up(settings: Settings, process: str, stream: IO[str] | None = None) -> None:
    """Lines of this process go to `stream` (stderr) from now on; what other packages say, from
    warnings upward only.

    `process` names what it is: worker, page, or the command. Traces are sent where the settings
    say so. Raises UsageError where they cannot be.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.set_name("seekpoint")
    handler.addFilter(_is_no_interrupt)
    handler.addFilter(FewAlike())
    handler.setFormatter(JsonLines(process) if settings.log_format == "json" else Lines())
    root = logging.getLogger()
    for old in [h for h in root.handlers if h.get_name() == "seekpoint"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(_level(settings))
    if settings.log_format == "json":
        _log_what_python_prints()
    if settings.traces_url:
        _start_tracing(settings.traces_url, process)


def _start_tracing(url: str, process: str) -> None:
    try:
        start_tracing(url, process)
    except ModuleNotFoundError as error:
        raise UsageError(
            "SEEKPOINT_TRACES_URL needs the package {name!r}",
            "install it: pip install 'seekpoint[otel]'",
            name=error.name,
        ) from None


def _log_what_python_prints() -> None:
    """Warnings, and errors that nobody caught, as lines of the log too."""
    logging.captureWarnings(True)
    warnings.formatwarning = lambda message, *_, **__: str(message)

    def uncaught(kind: Any, error: Any, traceback: Any) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            log = logging.getLogger("seekpoint")
            log.critical("an error ended the process", exc_info=(kind, error, traceback))

    sys.excepthook = uncaught
    threading.excepthook = lambda args: uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _is_no_interrupt(record: logging.LogRecord) -> bool:
    """Ctrl+C is no error, also where a package was tidying up just then and logs what stopped it;
    the command says what became of it.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], KeyboardInterrupt))


def _level(settings: Settings) -> int:
    if settings.log_level == "auto":
        return logging.INFO if settings.log_format == "json" else logging.WARNING
    return logging.getLevelNamesMapping()[settings.log_level.upper()]


class FewAlike(logging.Filter):
    """Of lines that one place writes again and again, `MOST_ALIKE` in `WINDOW_S`; the next one
    after that says how many were left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if record.name == "indexer.catalog.audit":
            return True  # each of them counts
        key, now = (record.name, str(record.msg)[:200]), time.monotonic()
        with self._lock:
            began, count = self._seen.get(key, (now, 0))
            if now - began >= WINDOW_S:
                began, left_out, count = now, max(0, count - MOST_ALIKE), 0
                if left_out:
                    record.msg = f"{record.getMessage()} (and {left_out} more like this before)"
                    record.args = ()
            if len(self._seen) > 1000:
                self._seen.clear()
            self._seen[key] = (began, count + 1)
            return count < MOST_ALIKE


@contextmanager
def about(**ids: int | str) -> Iterator[None]:
    """Log lines inside, in this thread, name these ids; inner ones are added to outer ones."""
    token = _about.set({**_about.get(), **ids})
    try:
        yield
    finally:
        _about.reset(token)


def _message(record: logging.LogRecord) -> str:
    return hide_passwords(record.getMessage())


class Lines(logging.Formatter):
    """`12:03:04 warning what happened (video 3, chunk 12)`"""

    def format(self, record: logging.LogRecord) -> str:
        """One line for a record."""
        ids = ", ".join(f"{name} {value}" for name, value in _about.get().items())
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        line = escape_controls(
            f"{time} {record.levelname.lower()} {_message(record)}" + (f" ({ids})" if ids else "")
        )
        return "\n".join([line, *filter(None, [self._traceback(record)])])

    def _traceback(self, record: logging.LogRecord) -> str:
        if not record.exc_info or not record.exc_info[0]:
            return ""
        return escape_controls(hide_passwords(self.formatException(record.exc_info)), keep="\n\t")


class JsonLines(Lines):
    """`{"time", "level", "logger", "process", "pid", "message", "traceback"?, ...}`, with the ids,
    and what `extra={"fields": {}}` adds.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": self._process,
            "pid": record.process,
            "message": _message(record),
            **_about.get(),
            **getattr(record, "fields", {}),
        }
        if traceback := self._traceback(record):
            line["traceback"] = traceback
        return escape_controls(json.dumps(line, ensure_ascii=False, default=str))
