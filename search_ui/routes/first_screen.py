"""What a page shows until Streamlit has started: from the first byte the first cards of the library
and of the first page, and there the box for the question; as soon as they are found the answers to
a question in the address.

Pictures and links are the real ones, and what is typed is not lost. The page takes its place
(first_screen.js), and one that was narrowed or scrolled before never shows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request

from grounding.spans import format_time
from indexer.admin.videos import Video
from indexer.search.likelihood import Likelihood
from indexer.search.types import Answer
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator, translator_of
from search_ui.pages import facets
from search_ui.pages.answers import ask_ahead, count_of, title_of
from search_ui.pages.cards import LIKELIHOODS, cards_data, videos_of
from search_ui.routes.shelf import first_shelf, pictures_of, version_of
from search_ui.starts import EXAMPLES, Starts, starts_of
from search_ui.url_state import LONGEST_QUESTION, Link, Place, read_link

FOLDER = Path(__file__).parents[1]
CARDS = 28  # more than are in view of most windows
FEW = 3  # as in components/cards.js
LONGEST_WAIT_S = 2.5  # for answers; then the page comes without them, and asks on
SEARCH_PATHS = ("/", "/search")
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
    elif request.url.path in SEARCH_PATHS and _is_first_page(_link(request)):
        name, body = "home", _home(request, tr)
    else:
        return ""
    return _screen(name, body, icon)


def answers_screen(request: Request, icon: str) -> Iterator[str] | None:
    """As `first_screen`, of a question in the address and in pieces: the box, then what was found;
    None of another address. It is being answered from now on, and the session that the document
    starts takes the same answer.
    """
    link = _link(request)
    asks = request.url.path in SEARCH_PATHS and link.place is None and not link.search.is_empty
    if not asks or link.search.ground or request.method != "GET":
        return None
    found = ask_ahead(link.search, request.state.user)
    return _answers_screen(link, found, request.state.user, translator_of(request), icon)


def _answers_screen(
    link: Link, found: Future[Answer] | None, user: User, tr: Translator, icon: str
) -> Iterator[str]:
    begin, end = _frame("answers", icon, link.at(None).href())
    yield begin + _box(tr, link.search.text)
    if found is not None:
        wait([found], LONGEST_WAIT_S)
    if found is None or not found.done() or found.cancelled():
        yield end
        return
    answer = found.result() if found.exception() is None else None
    if answer is not None and answer.moments:
        yield _answers(link, answer, user, tr) + end
    else:
        yield f'<p class="first-none" hidden></p>{end}'


def _screen(name: str, body: str, icon: str) -> str:
    return body.join(_frame(name, icon)) if body else ""


def _frame(name: str, icon: str, search: str = "") -> tuple[str, str]:
    """What stands before and behind the body."""
    style, script = _files(icon)
    return (
        f"<style>{style}</style>"
        f'<div id="first-screen" data-page="{name}" data-search="{escape(search)}"'
        f' aria-busy="true">'
        f'{_words("name", "Seekpoint")}<div class="first-body">',
        f"</div></div><script>{script}</script>",
    )


@cache
def _files(icon: str) -> tuple[str, str]:
    style = (FOLDER / "first_screen.css").read_text(encoding="utf-8").replace("ICON", icon, 1)
    return style, (FOLDER / "first_screen.js").read_text(encoding="utf-8")


def _link(request: Request) -> Link:
    asked = request.query_params
    return read_link({name: asked.getlist(name) for name in asked})


def _is_first_page(link: Link) -> bool:
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


def _box(tr: Translator, asked: str | None = None) -> str:
    label, hint = tr("What are you looking for?"), tr("When does the dog jump?")
    beside = "".join(
        f'<span class="first-pill" aria-hidden="true">{_icon(icon)}'
        f'<i data-words="{escape(text)}"></i>{_icon("open")}</span>'
        for icon, text in (("tune", tr("Filters")), ("image", tr("By picture")))
    )
    return (
        f'<form class="first-ask" role="search"><label>{_icon("search")}<input name="q"'
        f'{" autofocus" if asked is None else ""} value="{escape(asked or "")}"'
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


# --- answers ---


def _answers(link: Link, answer: Answer, user: User, tr: Translator) -> str:
    known = videos_of(answer)
    chips = facets.chips_data(link.search, answer, known, user, tr)
    cards = [card for card in cards_data(link, answer, known, tr)["cards"] if not card["weaker"]]
    by_video: dict[int, list[Mapping[str, Any]]] = {}
    for card in cards:
        by_video.setdefault(card["video"], []).append(card)
    in_view = set(list(by_video)[:CARDS])
    drawn = [card for card in cards if card["video"] in in_view]
    items = "".join(_answer(card, by_video[card["video"]], tr) for card in drawn)
    look = ["first-answers", *([] if answer.matched else ["dim"])]
    look += ["few"] if len(by_video) <= FEW else []
    nothing = tr("Nothing in these videos seems to show that. These are the nearest moments.")
    counted = count_of(answer.shown, answer.took_ms, tr)
    return (
        (_facets(chips) if chips else "")
        + ("" if answer.matched else _note(tr("No match."), nothing))
        + "".join(_note("", tr(note)) for note in answer.notes)
        + f'<p class="first-head" aria-hidden="true"><b data-words="'
        f'{escape(title_of(link.search, tr))}"></b><i data-words="{escape(counted)}"></i></p>'
        f'<ul class="{" ".join(look)}" data-video="{len(by_video)}"'
        f' data-moment="{len(cards)}">{items}</ul>'
    )


def _note(what: str, text: str) -> str:
    return (
        f'<p class="first-note" aria-hidden="true">{_icon("search")}<span>'
        f'<b data-words="{escape(what)}"></b> <i data-words="{escape(text)}"></i></span></p>'
    )


def _facets(chips: Mapping[str, Any]) -> str:
    active = "".join(
        f'<i class="active" data-words="{escape(chip["label"])}"></i>' for chip in chips["active"]
    )
    groups = "".join(
        f'<span><b data-words="{escape(group["label"])}"></b>'
        + "".join(
            f'<i data-words="{escape(chip["label"])}"><small data-words="{chip["count"]}">'
            "</small></i>"
            for chip in group["chips"]
        )
        + "</span>"
        for group in chips["groups"]
    )
    return (
        '<p class="first-facets" aria-hidden="true">'
        f"{f'<span>{active}</span>' if active else ''}{groups}</p>"
    )


def _answer(card: Mapping[str, Any], of_video: Sequence[Mapping[str, Any]], tr: Translator) -> str:
    """A moment; beside the best of its video where the others are, which stand there only where
    every moment is listed.
    """
    is_best = card is of_video[0]
    likelihood = Likelihood(card["likelihood"])
    about = [card["collection"], tr("offline") if card["offline"] else ""]
    second = f"<small>{escape(card['second'])}</small>" if card["second"] else ""
    image = card["picture"] if card["made"] else card["small"]
    others = _others(of_video) if is_best and len(of_video) > 1 else ""
    return (
        f'<li{"" if is_best else " class=other"}><a href="{escape(card["href"])}">'
        f"{_picture(image, card['span'], late=not is_best)}"
        f'<span class="first-text"><span class="first-line"><b>{escape(card["title"])}</b>'
        f'<em class="{likelihood}" data-words="{escape(tr(LIKELIHOODS[likelihood]))}"></em></span>'
        f'{second}<small data-words="{escape(" · ".join(filter(None, about)))}"'
        f' data-date="{card["date"]}"></small>{_why(card["why"])}</span></a>{others}</li>'
    )


def _why(reasons: Sequence[Mapping[str, Any]]) -> str:
    return f'<span class="first-why">{"".join(map(_reason, reasons))}</span>' if reasons else ""


def _reason(reason: Mapping[str, Any]) -> str:
    icon = f'<svg viewBox="0 0 24 24"><path d="{_card_icons()[reason["kind"]]}"/></svg>'
    if not reason["parts"]:
        return f'<span>{icon}<i data-words="{escape(reason["label"])}"></i></span>'
    said = "".join(
        f"<mark>{escape(piece)}</mark>" if marked else escape(piece)
        for piece, marked in reason["parts"]
    )
    return f'<span class="said">{icon}<q>{said}</q></span>'


@cache
def _card_icons() -> dict[str, str]:
    """By kind of evidence, as the cards of the page have them."""
    script = (FOLDER / "components" / "card_parts.js").read_text(encoding="utf-8")
    return dict(re.findall(r'^  (\w+): "(M[^"]+)",$', script, re.MULTILINE))


def _others(of_video: Sequence[Mapping[str, Any]]) -> str:
    duration_s = max(of_video[0]["duration_s"], 0.001)
    spots = "".join(
        f'<i class="{"best" if number == 0 else ""}" style="left:min({start:.2f}%,'
        f' calc(100% - 10px));width:{max(0.0, end - start):.2f}%"></i>'
        for number, card in enumerate(of_video)
        for start, end in [_shares(card["place"], duration_s)]
    )
    return (
        f'<p class="first-others" aria-hidden="true"><b data-words="+{len(of_video) - 1}"></b>'
        f"<span>{spots}</span></p>"
    )


def _shares(place: Mapping[str, Any], duration_s: float) -> tuple[float, float]:
    """Where a moment begins and ends, in hundredths of the video."""
    start_s, end_s = place["start_s"], place["end_s"] or place["start_s"]
    return min(1.0, start_s / duration_s) * 100, min(1.0, end_s / duration_s) * 100


# --- pieces ---


def _words(name: str, text: str) -> str:
    """Drawn by the style: to be seen only, for what can be read out and pressed comes with the
    page.
    """
    return f'<p class="first-{name}" data-words="{escape(text)}" aria-hidden="true"></p>'


def _icon(name: str) -> str:
    return f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{ICONS[name]}"/></svg>'


def _card(href: str, picture: str, length: str, title: str, about: str = "") -> str:
    return (
        f'<li><a href="{escape(href)}">{_picture(picture, length)}'
        f"<b>{escape(title)}</b>{about}</a></li>"
    )


def _picture(address: str, length: str, *, late: bool = False) -> str:
    """`late`: it is fetched when it comes into view."""
    source = f'src="{escape(address)}" alt=""{" loading=lazy" if late else ""}'
    image = f'<img class="behind" {source}><img {source}>' if address else ""
    return f'<span class="first-picture">{image}<i>{escape(length)}</i></span>'
