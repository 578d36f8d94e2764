"""What a shared link shows, without an account: its moments, as clips that are cut for it. Nothing
else of a video can be reached by it.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from indexer.catalog.people import shared_links
from indexer.catalog.people.shared_links import SharedLinkRow
from indexer.errors import SeekpointError
from indexer.formatting import format_span_briefly
from search_ui.app_state import app_state
from search_ui.i18n.translator import Translator, translator_of
from search_ui.kept_moments import Kept, kept_moments, sharer
from search_ui.routes.media import find_clip_of, keep_clip_of
from search_ui.routes.plain_page import plain_page
from search_ui.routes.stills import nothing, picture_of

SCRIPT = Path(__file__).parents[1] / "components" / "shared.js"
STYLE = Path(__file__).parents[1] / "components" / "shared.css"
# Whoever has the address has the moments: it is told to nobody else, and kept by no search engine.
HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


def routes() -> list[BaseRoute]:
    """Routes that need no account."""
    return [
        Route("/shared/{token}", shared_page),
        Route("/shared/{token}/clip/{number:int}", clip),
        Route("/shared/{token}/still/{number:int}", still),
    ]


def shared_page(request: Request) -> Response:
    """The moments, played one after another; 404 for a link that is unknown, over or ended, which
    look the same.
    """
    tr = translator_of(request)
    link, moments = _opened(request)
    if link is None:
        words = tr("This link shows nothing any more. Ask whoever sent it for a new one.")
        response = plain_page(tr, tr("Moments"), f"<p>{escape(words)}</p>", 404)
    else:
        with app_state().library.catalog.begin() as session:
            shared_links.note_opened(session, link.id)
        response = plain_page(tr, link.name, _body(link, moments, tr))
    response.headers.update(HEADERS)
    return response


def _body(link: SharedLinkRow, moments: list[Kept], tr: Translator) -> str:
    data: dict[str, Any] = {
        "moments": [
            {
                "title": one.title,
                "span": format_span_briefly(one.row.span),
                "question": one.row.question,
            }
            for one in moments
        ],
        "labels": {
            "play": tr("Play all"),
            "failed": tr("This moment cannot be played now."),
            "list": tr("Moments"),
        },
    }
    until = tr("This link works until {day}.", day=f"{link.expires_at:%Y-%m-%d}")
    # Within a script only what could end it must be escaped.
    packed = json.dumps(data).replace("<", "\\u003c")
    return (
        f"<style>{STYLE.read_text(encoding='utf-8')}</style>"
        f"<h2>{escape(link.name)}</h2><div id=moments></div><p><small>{escape(until)}</small></p>"
        f'<script id=data type="application/json">{packed}</script>'
        f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>"
    )


async def clip(request: Request) -> Response:
    """One of the moments, exactly that, by ranges."""
    one = await _moment(request)
    span = one.row.span
    try:
        await keep_clip_of(request, one.video, span.start_s, span.end_s)
    except SeekpointError as error:
        raise HTTPException(410, translator_of(request)(error.full_message)) from None
    found = await run_in_threadpool(find_clip_of, request, one.video, span.start_s, span.end_s)
    if found is None:
        raise HTTPException(410, translator_of(request)("The file is not there now."))
    found.headers.update(HEADERS)
    del found.headers["content-disposition"]  # it is played, under a name that says nothing
    return found


async def still(request: Request) -> Response:
    """The frame in the middle of one of the moments."""
    one = await _moment(request)
    made = await picture_of(request, one.video.id, one.row.span.middle_s) or nothing()
    made.headers.update(HEADERS)
    return made


async def _moment(request: Request) -> Kept:
    _, moments = await run_in_threadpool(_opened, request)
    number = request.path_params["number"]
    if number >= len(moments):
        raise HTTPException(404)
    return moments[number]


def _opened(request: Request) -> tuple[SharedLinkRow | None, list[Kept]]:
    """The link, and those of its moments that whoever made it still sees."""
    with app_state().library.catalog.read() as session:
        link = shared_links.find_link(session, request.path_params["token"])
    user = sharer(link) if link is not None else None
    if link is None or user is None or not user.can_edit:
        return None, []
    return link, kept_moments(link.list_id, user)
