"""Logs of a worker: `install(app)` makes Celery leave them to indexer.logs, in the parent and in
its children.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from celery import Celery, signals
from celery.apps import worker

from indexer.logs import about, set_up
from indexer.settings import load_settings

log = logging.getLogger(__name__)

_open: dict[str, AbstractContextManager[None]] = {}


def install(app: Celery) -> None:
    """Every line of a task names it; what a task is about in the library (video, chunk) its code
    adds with `indexer.logs.about`.
    """
    del app  # signals are Celery's own, of whatever app
    _connect(signals.setup_logging, _set_up)
    _connect(signals.task_prerun, _begin)
    _connect(signals.task_postrun, _end)


def _connect(signal: Any, handler: Callable[..., None]) -> None:
    signal.connect(handler, weak=False, dispatch_uid=f"seekpoint.{handler.__name__}")


def _set_up(**_: Any) -> None:
    """That somebody listens to this signal keeps Celery from handlers of its own."""
    settings = load_settings()
    set_up(settings, "worker")
    if settings.log_format == "json":  # what Celery says of signals it writes past all logs
        worker.safe_say = _say


def _say(message: str, *_: object) -> None:
    log.info(message)


def _begin(task_id: str, task: Any, **_: Any) -> None:
    _open[task_id] = about(task=task.name.rpartition(".")[2], task_id=task_id)
    _open[task_id].__enter__()


def _end(task_id: str, **_: Any) -> None:
    if (opened := _open.pop(task_id, None)) is not None:
        opened.__exit__(None, None, None)
