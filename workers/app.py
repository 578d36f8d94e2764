"""The Celery application: what was measured to lose nothing on Redis (docs/explanation/queue.md,
"Workers").

Importing this loads neither torch nor faiss: a parent that had used them would leave its forked
children hanging in their next call.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery, bootsteps

from indexer.errors import SeekpointError
from indexer.queue.notify import Notifier, transport_options
from indexer.settings import Settings, load_settings
from workers import logs, metrics, presence

log = logging.getLogger(__name__)

CHILD_START_S = 60.0  # a loaded machine takes longer than Celery's 4 s


def make_app(settings: Settings) -> Celery:
    """The application of a worker with these settings; connects when it is used."""
    made = Celery("seekpoint", broker=settings.broker_url or "redis://", include=["workers.tasks"])
    made.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,  # what came of it stands in SQL
        # A notification goes when its work slice is over; a child that was killed in it leaves the
        # notification to the next one.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # the chunk is committed all the same
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_time_limit=settings.task_timeout_s,
        worker_concurrency=1,
        worker_max_memory_per_child=settings.worker_memory_mb * 1000 or None,
        worker_proc_alive_timeout=CHILD_START_S,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=transport_options(),
        worker_hijack_root_logger=False,
    )
    made.steps["consumer"].add(ReaperTimer)  # pyright: ignore[reportOptionalSubscript]
    return made


class ReaperTimer(bootsteps.StartStopStep):
    """Asks for the reaper every so often: every worker does, so that no other process has to. One
    notification that waits already is enough.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._settings = load_settings()
        self._notifier = Notifier(self._settings)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        """Again after every reconnection, with which the timers of the one before end."""
        self._ask()
        self._timer = parent.timer.call_repeatedly(self._settings.reaper_interval_s, self._ask)

    def stop(self, parent: Any) -> None:
        """Before a reconnection, and at the end."""
        del parent
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask(self) -> None:
        try:
            self._notifier.notify({"reap": 1})
        except SeekpointError as error:
            log.warning("%s", error)


app = make_app(load_settings())
logs.install(app)
metrics.install(app)
presence.install(app)
