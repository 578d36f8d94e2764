"""Logs of every process: lines for people, or one JSON object a line for machines
(SEEKPOINT_LOG_FORMAT=json), on stderr.

`about(video=3, chunk=12)` says what the lines inside it are about, in whatever module they are
written.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO, Any

from indexer.settings import Settings

OURS = ("indexer", "grounding", "workers", "search_ui", "seekpoint")
NOTHING: Mapping[str, int | str] = {}
_about: ContextVar[Mapping[str, int | str]] = ContextVar("about", default=NOTHING)


def set_up(settings: Settings, process: str, stream: IO[str] | None = None) -> None:
    """Lines of this process go to `stream` (stderr) from now on; what other packages say, from
    warnings upward only.

    `process` names what it is: worker, page, or the command.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.set_name("seekpoint")
    handler.addFilter(_is_no_interrupt)
    handler.setFormatter(JsonLines(process) if settings.log_format == "json" else Lines())
    root = logging.getLogger()
    for old in [h for h in root.handlers if h.get_name() == "seekpoint"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(_level(settings))


def _is_no_interrupt(record: logging.LogRecord) -> bool:
    """Ctrl+C is no error, also where a package was tidying up just then and logs what stopped it;
    the command says what became of it.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], KeyboardInterrupt))


def _level(settings: Settings) -> int:
    if settings.log_level == "auto":
        return logging.INFO if settings.log_format == "json" else logging.WARNING
    return logging.getLevelNamesMapping()[settings.log_level.upper()]


@contextmanager
def about(**ids: int | str) -> Iterator[None]:
    """Log lines inside, in this thread, name these ids; inner ones are added to outer ones."""
    token = _about.set({**_about.get(), **ids})
    try:
        yield
    finally:
        _about.reset(token)


class Lines(logging.Formatter):
    """`12:03:04 warning what happened (video 3, chunk 12)`"""

    def format(self, record: logging.LogRecord) -> str:
        """One line for a record."""
        ids = ", ".join(f"{name} {value}" for name, value in _about.get().items())
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        line = f"{time} {record.levelname.lower()} {record.getMessage()}" + (
            f" ({ids})" if ids else ""
        )
        return "\n".join([line, *filter(None, [self._traceback(record)])])

    def _traceback(self, record: logging.LogRecord) -> str:
        return (
            self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
        )


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
            "message": record.getMessage(),
            **_about.get(),
            **getattr(record, "fields", {}),
        }
        if traceback := self._traceback(record):
            line["traceback"] = traceback
        return json.dumps(line, ensure_ascii=False, default=str)
