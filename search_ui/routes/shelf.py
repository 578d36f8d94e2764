"""The library as its page shows it: which videos there are, in which order, and what stands on the
cards of those in view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from grounding.spans import format_time
from indexer.admin.videos import Video
from indexer.catalog.video_queries import ListedVideo, list_briefly
from indexer.formatting import container_title, format_bytes, video_title
from indexer.valid_text import is_valid_text
from indexer.vocabulary import VideoState
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator, translator_of
from search_ui.starts import preview_of
from search_ui.url_state import Link, Place

MOST_ROWS = 200
FIRST_ROWS = 40  # more than are in view of most windows
LARGEST_ID = 2**62
# What a list is ordered by; what lacks it stands at the end, whichever way.
ORDERS: dict[str, Callable[[ListedVideo], Any]] = {
    "added": lambda video: video.created_at,
    "recorded": lambda video: video.recorded_at,
    "title": lambda video: video_title(video.title, video.path, video.video_id).casefold(),
    "length": lambda video: video.duration_s,
    "size": lambda video: video.size_bytes,
}
AT_WORK = (VideoState.PENDING, VideoState.INGESTING)
NARROWED: dict[str, Callable[[ListedVideo], bool]] = {
    "": lambda video: True,
    "work": lambda video: video.state in AT_WORK,
    "problem": lambda video: video.has_error or video.state == VideoState.FAILED,
}


def routes() -> list[BaseRoute]:
    """Routes of the library's list."""
    return [Route("/shelf", shelf), Route("/shelf/rows", rows)]


def shelf(request: Request) -> Response:
    """Numbers of all videos that pass, in order, with where each month begins; how many there are
    of each kind, how long they are together, and what the first cards say.
    """
    asked = request.query_params
    order, named = asked.get("sort", "added"), asked.get("find", "")[:200].strip()
    state = asked.get("state", "")
    if order not in ORDERS or state not in NARROWED or not is_valid_text(named):
        raise HTTPException(422)
    videos = _listed(request.state.user, asked.get("collection", ""), named)
    falling = asked.get("order", "falling") == "falling"
    found = _found(request, videos, state, order, falling=falling)
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


def first_shelf(request: Request) -> dict[str, Any]:
    """What `shelf` answers whoever was never there, for the document of the page."""
    return _found(request, _listed(request.state.user, "", ""), "", "added", falling=True)


def _found(
    request: Request, videos: Sequence[ListedVideo], state: str, order: str, *, falling: bool
) -> dict[str, Any]:
    chosen = [video for video in videos if NARROWED[state](video)]
    ordered = in_order(chosen, order, falling=falling)
    at = {"recorded": "recorded_at", "added": "created_at"}.get(order)
    return {
        "ids": [video.video_id for video in ordered],
        "months": _months(getattr(video, at) for video in ordered) if at else [],
        "length": format_time(sum(video.duration_s for video in ordered)),
        "counts": {name: sum(map(passes, videos)) for name, passes in NARROWED.items()},
        "rows": _rows_of(request, [video.video_id for video in ordered[:FIRST_ROWS]]),
    }


def version_of(videos: int) -> str:
    """What the page fetches its list again for: another one when there are other videos, or work
    on them was finished. `videos`: how many the reader sees.
    """
    return f"{app_state().jobs.finished}/{videos}"


def _listed(user: User, collection: str, named: str) -> list[ListedVideo]:
    library = app_state().library
    seen = user.visible(library.collections())
    with library.catalog.read_replica() as session:
        ids = [one.id for one in seen if not collection or one.name == collection]
        everything = user.collection_ids is None and not collection
        return list_briefly(session, None if everything else ids, named)


def in_order(videos: Iterable[ListedVideo], order: str, *, falling: bool) -> list[ListedVideo]:
    """The videos by one of `ORDERS`; those that lack it last, and of those alike the newest
    first.
    """
    key = ORDERS[order]
    newest = sorted(videos, key=lambda video: video.video_id, reverse=True)
    known = [video for video in newest if key(video) is not None]
    rest = [video for video in newest if key(video) is None]
    return [*sorted(known, key=key, reverse=falling), *rest]


def _months(days: Iterable[datetime | None]) -> list[tuple[str, int]]:
    """(`2023-05`, number of the first video of that month) in their order."""
    found: list[tuple[str, int]] = []
    for number, day in enumerate(days):
        month = f"{day:%Y-%m}" if day else ""
        if not found or found[-1][0] != month:
            found.append((month, number))
    return found


def rows(request: Request) -> Response:
    """What the cards of these videos (`ids`, at most `MOST_ROWS`) say, by number; those that are
    gone, or not for this user, are left out.
    """
    asked = request.query_params.get("ids", "").split(",")[:MOST_ROWS]
    ids = [int(one) for one in asked if one.isdecimal() and len(one) < 19]
    found = _rows_of(request, [one for one in ids if one < LARGEST_ID])
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


def _rows_of(request: Request, ids: list[int]) -> dict[str, dict[str, Any]]:
    names = set(app_state().visible_names(request.state.user))
    tr = translator_of(request)
    found = app_state().library.videos_of(ids)
    return {str(video.video_id): _row(video, tr) for video in found if video.collection in names}


def _row(video: Video, tr: Translator) -> dict[str, Any]:
    path = video.paths[0].path if video.paths else None
    return {
        "title": video.shown_title,
        "second": container_title(video.title, path) or "",
        "collection": video.collection,
        "state": state_of(video),
        "problem": tr(video.error),
        "length": format_time(video.duration_s),
        "size": format_bytes(video.size_bytes),
        "date": video.recorded_at.date().isoformat() if video.recorded_at else "",
        "path": path or "",
        "href": Link(place=Place(video.video_id)).href(),
        **pictures_of(video),
    }


def state_of(video: Video) -> str:
    """In one word: whether it can be searched, all of it, and be played."""
    if video.paths and all(path.offline for path in video.paths):
        return "offline"
    return "partly" if video.is_partly_read else str(video.state)


def pictures_of(video: Video) -> dict[str, Any]:
    """Addresses of what a card of a video shows, and plays under the pointer."""
    shown = preview_of(video)
    preview = {
        "src": f"/stream/{video.video_id}",
        "start_s": shown.start_s,
        "end_s": shown.end_s,
    }
    picture = f"/thumbnail/{video.video_id}/{round(shown.start_s * 1000)}" if video.width else ""
    return {"picture": picture, "preview": preview if video.width else None}
