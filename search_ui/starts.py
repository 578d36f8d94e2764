"""What the first page begins with: the newest videos, what was asked lately, what was kept, and
examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grounding.spans import Span
from indexer.admin.videos import Video
from indexer.catalog.people import saved_searches
from indexer.catalog.people.saved_searches import SavedSearch
from indexer.messages import N_
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User

DEMO = "demo"
NEWEST = 12
RECENT = 8
SHOWN_SHARE = 0.3  # of the length: the beginning is often black, or a title
PREVIEW_S = 6.0
EXAMPLES = (
    N_("When is there a close-up of a cat?"),
    N_("When do people ride bicycles in the street?"),
    N_("At what time does the rocket stand on the launch pad?"),
    N_("Show me the cup of coffee on a table"),
)


@dataclass(frozen=True, slots=True)
class Starts:
    """`has_demo`: the demo library is there, which the examples ask for. The newest come first."""

    has_demo: bool
    saved: Sequence[SavedSearch]
    recent: Sequence[SavedSearch]
    newest: Sequence[Video]


def starts_of(user: User) -> Starts | None:
    """None where there is nothing that could answer this user."""
    library = app_state().library
    collections = user.visible(library.collections())
    if not any(collection.ready for collection in collections):
        return None
    with library.catalog.read() as session:
        recent = saved_searches.list_searches(session, user.account_id, saved=False)
        saved = saved_searches.list_searches(session, user.account_id, saved=True)
    names = [collection.name for collection in collections]
    newest = library.videos(names, newest=NEWEST)[::-1]
    return Starts(DEMO in names, saved, _once(recent)[:RECENT], newest)


def _once(searches: Sequence[SavedSearch]) -> list[SavedSearch]:
    """Each question once, whatever it was narrowed by, as it was asked last."""
    seen: dict[str, SavedSearch] = {}
    for search in searches:
        seen.setdefault(search.title.strip().casefold(), search)
    return list(seen.values())


def preview_of(video: Video) -> Span:
    """What a card of a video shows the beginning of, and plays under the pointer."""
    start_s = video.duration_s * SHOWN_SHARE
    return Span(start_s, min(video.duration_s, start_s + PREVIEW_S))
