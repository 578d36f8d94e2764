"""Notifying workers that there is work: messages on Redis that name a kind and nothing else. What
there is to do stands in SQL.

A notification that is lost costs time until the reaper's next run, one that comes twice finds
nothing to do: neither loses or doubles work.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from indexer.errors import QueueError, SeekpointError, UsageError
from indexer.settings import Settings
from indexer.vocabulary import StageName

if TYPE_CHECKING:
    from celery import Celery

log = logging.getLogger(__name__)

KINDS = (
    "ground",
    "reap",
    "proxy",
    "publish",
    "plan",
    StageName.PICTURE,
    StageName.EVENTS,
    StageName.SPEECH,
    StageName.SCREEN,
    StageName.SOUND,
    "artefacts",
)
"""Kinds of work, the most urgent first: jobs, stages of chunks, and looking after both."""

QUEUES: Mapping[str, tuple[str, ...]] = {
    "gpu": (
        "ground",
        "reap",
        StageName.PICTURE,
        StageName.EVENTS,
        StageName.SPEECH,
        StageName.SCREEN,
        StageName.SOUND,
    ),
    "cpu": (
        "reap",
        "proxy",
        "publish",
        "plan",
        StageName.SPEECH,
        StageName.SCREEN,
        StageName.SOUND,
        "artefacts",
    ),
}
"""What a worker of each queue does. Speech, screen text and sound gain from a GPU and do without.
"""

MAX_WAITING = 64
"""Notifications of a kind that wait at most: a worker that follows one goes on while there is work,
so a few wake as many as there are.
"""

CONNECT_TIMEOUT_S = 3.0

VISIBILITY_TIMEOUT_S = 300
"""Longer than a work slice; one that takes longer yet is notified of twice, which does no harm."""


def queue_name(kind: str) -> str:
    """Name in Redis of the list of notifications of a kind."""
    return f"seekpoint.{kind}"


def task_name(kind: str) -> str:
    """Celery's name of the task that follows a notification."""
    return f"workers.tasks.{kind}"


def kinds_of(queues: tuple[str, ...]) -> list[str]:
    """What workers of these queues do, the most urgent first. Raises UsageError for an unknown
    queue.
    """
    for queue in queues:
        if queue not in QUEUES:
            raise UsageError(
                "there is no queue {queue!r}",
                "choose from {queues}",
                queue=queue,
                queues=", ".join(QUEUES),
            )
    return [kind for kind in KINDS if any(kind in QUEUES[queue] for queue in queues)]


def transport_options() -> dict[str, Any]:
    """kombu's Redis transport: without the restore settings, what a killed worker had taken comes
    back after minutes only.
    """
    return {
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "queue_order_strategy": "priority",  # in the order in which the worker names its queues
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }


class Notifier:
    """Cheap to make: connects when it is used. All methods raise QueueError, or UsageError where no
    broker, or not a Redis, is set.
    """

    def __init__(self, settings: Settings) -> None:
        self.url = settings.broker_url

    @property
    def shown_url(self) -> str:
        """The broker's URL without its password."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def notify(self, counts: Mapping[str, int]) -> None:
        """There is work: as many notifications of each kind as lack to `counts`, up to
        MAX_WAITING.
        """
        depths = self.depths()
        with self._errors():
            for kind, count in counts.items():
                for _ in range(min(count, MAX_WAITING) - depths.get(kind, 0)):
                    self._app.send_task(task_name(kind), queue=queue_name(kind), retry=False)

    def depths(self) -> dict[str, int]:
        """Notifications that wait, by kind."""
        with self._errors():
            pipe = self._redis.pipeline(transaction=False)
            for kind in KINDS:
                pipe.llen(queue_name(kind))
            return dict(zip(KINDS, map(int, pipe.execute()), strict=True))

    def check(self) -> None:
        """Raises QueueError where the broker is unreachable or refuses us."""
        with self._errors():
            self._redis.ping()

    @cached_property
    def _redis(self) -> Any:
        self._require()
        import redis

        timeouts = {
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
            "socket_timeout": CONNECT_TIMEOUT_S,
        }
        with self._errors():
            return redis.Redis.from_url(self.url, **timeouts, health_check_interval=10)

    @cached_property
    def _app(self) -> Celery:
        self._require()
        from celery import Celery

        app = Celery("seekpoint-notifications", broker=self.url, set_as_current=False)
        app.conf.update(
            task_serializer="json",
            task_ignore_result=True,
            broker_transport_options={**transport_options(), "socket_timeout": CONNECT_TIMEOUT_S},
            broker_connection_timeout=CONNECT_TIMEOUT_S,
        )
        return app

    def _require(self) -> None:
        if not self.url:
            raise UsageError(
                "no broker is configured",
                "set SEEKPOINT_BROKER_URL (redis://host:6379/0), or work without --queue",
            )
        if urlsplit(self.url).scheme not in ("redis", "rediss"):
            raise UsageError(
                "SEEKPOINT_BROKER_URL={shown_url!r} is not a Redis URL",
                "write redis://host:6379/0",
                shown_url=self.shown_url,
            )

    def _errors(self) -> _Translating:
        return _Translating(self.shown_url)


class _Translating:
    """What Redis and Celery report, in words that a person can act on."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, (QueueError, UsageError)):
            return
        translated = _translate(error, self._url)
        if translated is not None:
            raise translated from error


def _translate(error: BaseException, url: str) -> SeekpointError | None:
    """None: it is not an error of the broker."""
    try:
        import kombu.exceptions
        import redis.exceptions
    except ModuleNotFoundError as missing:
        return QueueError(
            "workers need the Python package {name}",
            "pip install 'seekpoint[queue]'",
            name=missing.name,
        )
    detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, redis.exceptions.AuthenticationError) or _is_refused(detail):
        return QueueError(
            "the broker {url} refused user or password",
            "check SEEKPOINT_BROKER_URL",
            url=url,
        )
    if isinstance(error, redis.exceptions.ResponseError):
        return QueueError(
            "the broker {url} refuses: {detail}",
            "check SEEKPOINT_BROKER_URL and that server's settings",
            url=url,
            detail=detail,
        )
    if isinstance(error, (redis.exceptions.RedisError, kombu.exceptions.KombuError, OSError)):
        return QueueError(
            "the broker {url} is unreachable ({detail})",
            "check that Redis runs, and SEEKPOINT_BROKER_URL",
            url=url,
            detail=detail,
        )
    if isinstance(error, ValueError):
        return UsageError(
            "SEEKPOINT_BROKER_URL={url!r} is not a Redis URL ({detail})",
            "write redis://host:6379/0",
            url=url,
            detail=detail,
        )
    return None


def _is_refused(detail: str) -> bool:
    """Redis begins an error with its code; kombu may put words of its own before that."""
    return "NOAUTH" in detail or "WRONGPASS" in detail
