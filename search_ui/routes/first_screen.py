"""What a page shows until Streamlit has started, from the first byte: the first cards of the
library and of the first page, and there the box for the question.

Pictures and links are the real ones, and what is typed is not lost. The page takes its place
(first_screen.js), and one that was narrowed or scrolled before never shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request

from grounding.spans import format_time
from indexer.admin.videos import Video
from search_ui.i18n.translator import Translator, translator_of
from search_ui.routes.shelf import first_shelf, pictures_of, version_of
from search_ui.starts import EXAMPLES, Starts, starts_of
from search_ui.url_state import LONGEST_QUESTION, Link, Place, read_link

FOLDER = Path(__file__).parents[1]
CARDS = 28  # more than are in view of most windows
USUAL = "find=&amp;collection=&amp;state=&amp;sort=added&amp;order=falling"  # as shelf.js asks
# Of the search, its filters, the search by picture, and what opens.
ICONS = {
    "search": "M11 4a7 7 0 0 1 5.6 11.2l4.1 4.1-1.4 1.4-4.1-4.1A7 7 0 1 1 11 4zm0 2a5 5 0 1 0 0 10 "
    "5 5 0 0 0 0-10z",
    "tune": "M3 17v2h6v-2zM3 5v2h10V5zm10 16v-2h8v-2h-8v-2h-2v6zM7 9v2H3v2h4v2h2V9zm14 4v-2H11v2z"
    "m-6-4h2V7h4V5h-4V3h-2z",
    "image": "M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zm1 12h14l-4.5-"
    "6-3.5 4.5-2.5-3z",
    "open": "M16.6 8.6 12 13.2 7.4 8.6 6 10l6 6 6-6z",
}


def first_screen(request: Request, icon: str) -> str:
    """HTML to stand in the document of a page; "" where there is nothing to show. `icon`: the
    address of the product's picture.
    """
    tr = translator_of(request)
    if request.url.path == "/library":
        name, body = "library", _library(request, tr)
    elif request.url.path in ("/", "/search") and _is_first_page(request):
        name, body = "home", _home(request, tr)
    else:
        return ""
    if not body:
        return ""
    style, script = _files(icon)
    return (
        f"<style>{style}</style>"
        f'<div id="first-screen" data-page="{name}" aria-busy="true">'
        f'{_words("name", "Seekpoint")}<div class="first-body">{body}</div></div>'
        f"<script>{script}</script>"
    )


@cache
def _files(icon: str) -> tuple[str, str]:
    style = (FOLDER / "first_screen.css").read_text(encoding="utf-8").replace("ICON", icon, 1)
    return style, (FOLDER / "first_screen.js").read_text(encoding="utf-8")


def _is_first_page(request: Request) -> bool:
    asked = request.query_params
    link = read_link({name: asked.getlist(name) for name in asked})
    return link.place is None and link.search.is_empty


# --- the library ---


def _library(request: Request, tr: Translator) -> str:
    found = first_shelf(request)
    rows = [found["rows"][str(id)] for id in found["ids"][:CARDS] if str(id) in found["rows"]]
    if not rows:
        return ""
    count, length = len(found["ids"]), found["length"]
    counted = (
        tr("1 video, {length}", length=length)
        if count == 1
        else tr("{n} videos, {length}", n=count, length=length)
    )
    adds = request.state.user.can_edit
    return (
        _words("title", tr("Library"))
        + (_words("add", f"+ {tr('Add videos')}") if adds else "")
        + _words("bar", counted)
        + f"<ul>{''.join(map(_row, rows))}</ul>"
        + _list_for_the_page(found)
    )


def _list_for_the_page(found: Mapping[str, Any]) -> str:
    """What components/shelf.js would ask for next."""
    listed = json.dumps(found).replace("<", "\\u003c")
    return (
        f'<script type="application/json" id="first-shelf" data-asked="{USUAL}"'
        f' data-version="{version_of(len(found["ids"]))}">{listed}</script>'
    )


def _row(row: Mapping[str, Any]) -> str:
    return _card(row["href"], row["picture"], row["length"], row["title"])


# --- the first page ---


def _home(request: Request, tr: Translator) -> str:
    starts = starts_of(request.state.user)
    if starts is None:
        return ""
    return (
        f'<p class="first-hero">{escape(tr("Which moment are you looking for?"))}</p>'
        f"{_box(tr)}"
        f'<div class="first-starts">{_chips(starts, tr)}</div>'
        f"{_words('newest', tr('Newest videos'))}"
        f'<ul class="first-newest">{"".join(map(_video, starts.newest))}</ul>'
    )


def _box(tr: Translator) -> str:
    label, hint = tr("What are you looking for?"), tr("When does the dog jump?")
    beside = "".join(
        f'<span class="first-pill" aria-hidden="true">{_icon(icon)}'
        f'<i data-words="{escape(text)}"></i>{_icon("open")}</span>'
        for icon, text in (("tune", tr("Filters")), ("image", tr("By picture")))
    )
    return (
        f'<form class="first-ask" role="search"><label>{_icon("search")}<input name="q" autofocus'
        f' autocomplete="off" maxlength="{LONGEST_QUESTION}" aria-label="{escape(label)}"'
        f' placeholder="{escape(hint)}"></label>{beside}</form>'
    )


def _chips(starts: Starts, tr: Translator) -> str:
    examples = [tr(text) for text in EXAMPLES] if starts.has_demo else []
    saved = [search.title[:60] for search in starts.saved]
    recent = [search.title[:60] for search in starts.recent]
    return "".join(
        _chip_row(title, texts, end)
        for title, texts, end in (
            (tr("Try"), examples, ""),
            (tr("Saved"), saved, ""),
            (tr("Recent"), recent, tr("Clear")),
        )
        if texts
    )


def _chip_row(title: str, texts: Sequence[str], end: str) -> str:
    chips = "".join(f'<i data-words="{escape(text)}"></i>' for text in texts)
    chips += f'<u data-words="{escape(end)}"></u>' if end else ""
    return (
        f'<p class="first-chips" aria-hidden="true"><b data-words="{escape(title)}"></b>{chips}</p>'
    )


def _video(video: Video) -> str:
    href = Link(place=Place(video.video_id)).href()
    date = video.recorded_at.date().isoformat() if video.recorded_at else ""
    about = f'<small data-words="{escape(video.collection)}" data-date="{date}"></small>'
    length, picture = format_time(video.duration_s), pictures_of(video)["picture"]
    return _card(href, picture, length, video.shown_title, about)


# --- pieces ---


def _words(name: str, text: str) -> str:
    """Drawn by the style: to be seen only, for what can be read out and pressed comes with the
    page.
    """
    return f'<p class="first-{name}" data-words="{escape(text)}" aria-hidden="true"></p>'


def _icon(name: str) -> str:
    return f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{ICONS[name]}"/></svg>'


def _card(href: str, picture: str, length: str, title: str, about: str = "") -> str:
    source = f'src="{escape(picture)}" alt=""'
    image = f'<img class="behind" {source}><img {source}>' if picture else ""
    return (
        f'<li><a href="{escape(href)}"><span class="first-picture">{image}'
        f"<i>{escape(length)}</i></span><b>{escape(title)}</b>{about}</a></li>"
    )
