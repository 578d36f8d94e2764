"""Telling workers that there is work: messages on Redis that say a kind and nothing else. What
there is to do stands in SQL.

A hint that is lost costs time until the next sweep, one that comes twice finds nothing to do:
neither loses or doubles work.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from indexer.errors import QueueError, UsageError
from indexer.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

log = logging.getLogger(__name__)

KINDS = (
    "ground",
    "sweep",
    "publish",
    "plan",
    "picture",
    "events",
    "speech",
    "screen",
    "sound",
    "artefacts",
)
# What a worker of each queue does, the most urgent first. Speech and screen text gain from a GPU
# and do without.
QUEUES: Mapping[str, tuple[str, ...]] = {
    "gpu": ("ground", "sweep", "picture", "events", "speech", "screen", "sound"),
    "cpu": ("sweep", "publish", "plan", "speech", "screen", "sound", "artefacts"),
}
CAP = 64
"""Hints of a kind that wait at most: a worker that follows one goes on while there is work, so a
few wake as many as there are.
"""

CONNECT_TIMEOUT_S = 3.0
# Longer than a turn; one that takes longer yet is hinted at twice, which does no harm.
VISIBILITY_TIMEOUT_S = 300


def queue_name(kind: str) -> str:
    return f"seekpoint.{kind}"


def task_name(kind: str) -> str:
    return f"workers.tasks.{kind}"


def kinds_of(queues: tuple[str, ...]) -> list[str]:
    """What workers of these queues do, the most urgent first. UsageError for a queue that there is
    not.
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


class Hints:
    """Cheap to make: connects when it is used. All methods raise QueueError, or UsageError where no
    broker, or none of ours, is set.
    """

    def __init__(self, settings: Settings) -> None:
        self.url = settings.broker_url

    @property
    def shown_url(self) -> str:
        """Without the password."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def tell(self, counts: Mapping[str, int]) -> None:
        """There is work: as many hints of each kind as lack to `counts`, up to CAP."""
        depths = self.depths()
        with self._errors():
            for kind, count in counts.items():
                for _ in range(min(count, CAP) - depths.get(kind, 0)):
                    self._app.send_task(task_name(kind), queue=queue_name(kind), retry=False)

    def depths(self) -> dict[str, int]:
        """Hints that wait, by kind."""
        with self._errors():
            pipe = self._redis.pipeline(transaction=False)
            for kind in KINDS:
                pipe.llen(queue_name(kind))
            return dict(zip(KINDS, map(int, pipe.execute()), strict=True))

    def check(self) -> None:
        """Raises QueueError where the broker is away or refuses us."""
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

        app = Celery("seekpoint-hints", broker=self.url, set_as_current=False)
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
                "SEEKPOINT_BROKER_URL={shown_url!r} is no Redis",
                "write redis://host:6379/0",
                shown_url=self.shown_url,
            )

    def _errors(self) -> _Translating:
        return _Translating(self.shown_url)


class _Translating:
    """What Redis and Celery say, in words that a person can act on."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, (QueueError, UsageError)):
            return
        try:
            import kombu.exceptions
            import redis.exceptions
        except ModuleNotFoundError as missing:
            raise QueueError(
                "workers need the Python package {name}",
                "pip install 'seekpoint[queue]'",
                name=missing.name,
            ) from None
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if (
            isinstance(error, redis.exceptions.AuthenticationError)
            or "NOAUTH" in said
            or "WRONGPASS" in said
        ):
            raise QueueError(
                "the broker {url} refused user or password",
                "check SEEKPOINT_BROKER_URL",
                url=self._url,
            ) from error
        if isinstance(error, redis.exceptions.ResponseError):
            raise QueueError(
                "the broker {url} refuses: {said}",
                "check SEEKPOINT_BROKER_URL and that server's settings",
                url=self._url,
                said=said,
            ) from error
        if isinstance(error, (redis.exceptions.RedisError, kombu.exceptions.KombuError, OSError)):
            raise QueueError(
                "the broker {url} is away ({said})",
                "check that Redis runs, and SEEKPOINT_BROKER_URL",
                url=self._url,
                said=said,
            ) from error
        if isinstance(error, ValueError):
            raise UsageError(
                "SEEKPOINT_BROKER_URL={url!r} is no Redis ({said})",
                "write redis://host:6379/0",
                url=self._url,
                said=said,
            ) from error
