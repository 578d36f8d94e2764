"""Saved searches tell of new footage: each video that became ready is asked the questions, and what
matches is sent to the webhook, again and again until it is taken or given up.

The state of it is in SQL: whoever does it may be killed at any moment. A message may come twice,
and has the same id then.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from indexer.catalog import collections, videos
from indexer.catalog.leasing.owner import owner_name
from indexer.catalog.people import alerts
from indexer.catalog.people.alerts import Delivery
from indexer.catalog.videos import VideoRow
from indexer.context import Context
from indexer.errors import CatalogError, SeekpointError
from indexer.formatting import video_title
from indexer.queue import webhooks
from indexer.search.scope import make_scope
from indexer.search.searcher import Searcher
from indexer.search.types import Moment

log = logging.getLogger(__name__)

WAITS_S = (30.0, 120.0, 600.0, 3600.0, 4 * 3600.0, 12 * 3600.0)
"""Between one attempt and the next: a receiver may be away for most of a day."""
LEASE_S = 120.0
LAST_S = 600.0
MOMENTS = 10


class Alerts:
    """The deliveries of one process. `searcher` is called when one is due."""

    def __init__(self, context: Context, searcher: Callable[[], Searcher]) -> None:
        self._context = context
        self._searcher = searcher
        self._owner = owner_name()
        # Until when the messages of an account or token come last: its receivers hang, and one
        # message after the other would wait for each of them.
        self._last: dict[tuple[int | None, int | None], float] = {}

    def run_next(self) -> bool:
        """Does the next delivery that is due; False: there is none. Raises CatalogError where the
        database is away: it waits then.
        """
        catalog = self._context.catalog
        with catalog.read() as session:
            if not alerts.is_due(session):
                return False
        with catalog.begin() as session:
            now_s = time.monotonic()
            self._last = {one: until for one, until in self._last.items() if until > now_s}
            delivery = alerts.claim_delivery(session, self._owner, LEASE_S, list(self._last))
        if delivery is None:
            return False
        try:
            self._deliver(delivery)
        except CatalogError:
            with catalog.begin() as session:
                alerts.queue.release(session, [self._owner], delivery.id)
            raise
        except SeekpointError as error:
            log.warning("delivery %d of a saved search failed: %s", delivery.id, error)
            self._last[delivery.belongs_to] = time.monotonic() + LAST_S
            self._postpone(delivery, error)
        return True

    def _deliver(self, delivery: Delivery) -> None:
        catalog, settings = self._context.catalog, self._context.settings
        body = delivery.body or self._body(delivery)
        if body is None:
            catalog.write(lambda s: alerts.drop_delivery(s, delivery.id, self._owner))
            return
        if not catalog.write(lambda s: alerts.keep_body(s, delivery.id, self._owner, body)):
            return
        webhooks.send(
            delivery.url,
            delivery.secret,
            f"msg_{delivery.search_id}_{delivery.id}",
            body.encode(),
            allow_private=settings.webhook_private_addresses,
        )
        catalog.write(lambda s: alerts.queue.finish(s, delivery.id, self._owner))

    def _postpone(self, delivery: Delivery, error: SeekpointError) -> None:
        wait_s = WAITS_S[min(delivery.attempts, len(WAITS_S)) - 1]
        with self._context.catalog.begin() as session:
            alerts.postpone(
                session,
                delivery.id,
                self._owner,
                error.full_message,
                wait_s,
                len(WAITS_S) + 1,
            )

    def _body(self, delivery: Delivery) -> str | None:
        """What is sent; None: the video does not match, or may not be seen."""
        query = delivery.query
        with self._context.catalog.read() as session:
            video = videos.get_video(session, delivery.video_id)
            there = collections.list_collection_names(session)
        seen = delivery.collection_ids
        if seen is not None and video.collection_id not in seen:
            return None
        if query.collections is not None and video.collection not in query.collections:
            return None
        # How far a moment stands out depends on what is beside it: as in the search that was saved.
        names = None
        if seen is not None or query.collections is not None:
            names = [
                name
                for id, name in there
                if (seen is None or id in seen)
                and (query.collections is None or name in query.collections)
            ]
        scope = make_scope(
            self._context, names, video_id=video.id, only=query.kinds, filters=query.filters
        )
        if not scope.video_ids:
            return None
        answer = self._searcher().search(query.question, scope, top=MOMENTS)
        if not answer.matched or not answer.shown:
            return None
        return json.dumps(_message(delivery, video, answer.shown), ensure_ascii=False)


def _message(delivery: Delivery, video: VideoRow, moments: tuple[Moment, ...]) -> dict[str, Any]:
    path = video.paths[0].relative_path if video.paths else None
    return {
        "type": "search.matched",
        "data": {
            "saved_search": {
                "id": delivery.search_id,
                "title": delivery.title,
                "question": delivery.query.question,
            },
            "video": {
                "video_id": video.id,
                "title": video_title(video.title or "", path, video.id),
                "collection": video.collection,
                "duration_s": round(video.duration_s, 3),
            },
            "moments": [_moment(moment) for moment in moments],
        },
    }


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        "start_s": round(moment.span.start_s, 3),
        "end_s": round(moment.span.end_s, 3),
        "peak_s": round(moment.peak_s, 3),
        "score": round(moment.score, 6),
        "likelihood": str(moment.likelihood),
        "evidence": [
            {"kind": str(one.kind), "score": round(one.score, 6), "text": one.text}
            for one in moment.evidence
        ],
    }
