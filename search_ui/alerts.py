"""Webhooks of saved searches, set by a page or by the API."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from indexer.catalog.people import alerts
from indexer.catalog.people.alerts import Query
from indexer.catalog.video_queries import Filters
from indexer.queue.webhooks import check_url, new_secret
from search_ui.app_state import app_state
from search_ui.url_state import Search


def filters_of(search: Search) -> Filters:
    """Which files may answer a search."""
    return Filters(
        search.recorded_from,
        search.recorded_to,
        60 * (search.shortest_min or 0.0),
        None if search.longest_min is None else 60 * search.longest_min,
        search.name,
    )


def require_webhook(url: str) -> None:
    """Raises UsageError for an address that nothing may be sent to."""
    check_url(url, allow_private=app_state().settings.webhook_private_addresses)


def set_webhook(
    session: Session, search_id: int, search: Search, names: Sequence[str], url: str
) -> str:
    """The saved search tells at the address of what becomes ready from now on; the secret that
    signs its messages. `names`: the collections to look in, none: all that whoever saved it sees.
    """
    secret = new_secret()
    query = Query(search.text, tuple(names) or None, search.only or None, filters_of(search))
    alerts.set_alert(session, search_id, query, url, secret)
    return secret
