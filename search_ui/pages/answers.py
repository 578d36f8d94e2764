"""Answers: asking the library, the line above the cards, the cards, and the export of what was
chosen.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import streamlit as st

from grounding.spans import Span
from indexer.catalog import collections, videos
from indexer.catalog.people import feedback, moment_lists, saved_searches
from indexer.catalog.people.moment_lists import ListKind
from indexer.catalog.videos import VideoRow
from indexer.errors import CatalogBusy, CatalogError
from indexer.search.types import Answer, Moment
from search_ui import components, session_state
from search_ui.alerts import filters_of
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.export import as_csv, as_edl, as_playlist
from search_ui.i18n.translator import Translator
from search_ui.pages.cards import cards_data, key_of, key_of_span, place_of
from search_ui.session_state import escape_markdown
from search_ui.url_state import Link, Search, read_like

__all__ = [
    "answer_to",
    "ask",
    "ask_ahead",
    "count_of",
    "find_video",
    "headline",
    "kept_keys",
    "note_search",
    "place_of",
    "show_cards",
    "title_of",
]

log = logging.getLogger(__name__)

FRESH_S = 30.0
ASKED_AT_ONCE, MOST_MOMENTS = 50, 200


def answer_to(search: Search, user: User, *, watching: bool = False) -> Answer:
    """The answer to a search, asked once: clicks on its moments must not ask again.

    It is asked again after `FRESH_S` and when videos were added. `watching`: one of its moments is
    on the screen, and the others stay as they are beside it.
    """
    kept = st.session_state.get("answer")
    wanted = most_of(search)
    stamp = _question(search, user, wanted)
    if kept is not None and kept[0] == stamp and (watching or time.monotonic() - kept[1] < FRESH_S):
        return kept[2]
    ahead = app_state().answers_ahead.take(stamp)
    answer = ahead.result() if ahead is not None else _ask_measured(search, user, wanted)
    st.session_state["answer"] = (stamp, time.monotonic(), answer)
    return answer


def ask_ahead(search: Search, user: User) -> Future[Answer] | None:
    """Begins with the answer that `answer_to` will be asked for in the session which the document
    of this page starts; None where others' answers come first.
    """
    return app_state().answers_ahead.ask(
        _question(search, user, ASKED_AT_ONCE),
        lambda: _ask_measured(search, user, ASKED_AT_ONCE),
    )


def _question(search: Search, user: User, wanted: int) -> tuple[Search, User, int, int]:
    """All that an answer depends on."""
    return search, user, app_state().jobs.finished, wanted


def _ask_measured(search: Search, user: User, wanted: int) -> Answer:
    with app_state().searches.measure_time() as ended:
        answer = ask(search, user, wanted)
        ended(answer.matched)
    log.info(
        "searched",
        extra={
            "fields": {
                "took_ms": round(answer.took_ms, 1),
                "matched": answer.matched,
                "moments": len(answer.moments),
            }
        },
    )
    return answer


def most_of(search: Search) -> int:
    """How many moments are asked for; more once somebody has seen the last of them."""
    asked, count = st.session_state.get("most", (search, ASKED_AT_ONCE))
    return count if asked == search else ASKED_AT_ONCE


def _ask_for_more(search: Search) -> None:
    st.session_state["most"] = search, min(most_of(search) + ASKED_AT_ONCE, MOST_MOMENTS)


def ask(search: Search, user: User, top: int = ASKED_AT_ONCE) -> Answer:
    """Asks the library what the search asks, among the collections that the user sees."""
    library = app_state().library
    names = app_state().visible_names(user)
    wanted = [name for name in search.collections if name in names] if search.collections else names
    _note_unseen(search, names, user)
    filters = filters_of(search)
    if not wanted:
        return Answer(search.text, search.text, False, 0.0, (), 0.0)
    everything = user.collection_ids is None and not search.collections
    shared = {"collections": None if everything else wanted, "top": top, "filters": filters}
    if search.like and (place := read_like(search.like)):
        if find_video(place.video_id, user) is None:
            return Answer("", "", False, 0.0, (), 0.0)
        return library.more_like(
            place.video_id, Span(place.start_s, place.end_s or place.start_s), **shared
        )
    if search.picture:
        return library.search_picture(search.picture, question=search.text, **shared)
    return library.search(
        search.text,
        only=search.only or None,
        titles=not search.only,
        ground=search.ground,
        **shared,
    )


def _note_unseen(search: Search, seen: Sequence[str], user: User) -> None:
    unseen = {*search.collections} - {*seen}
    if not unseen or user.collection_ids is None:
        return
    with app_state().library.catalog.read() as session:
        there = [name for _, name in collections.list_collection_names(session)]
    for name in unseen & {*there}:
        app_state().note_unseen(user, name)


def find_video(video_id: int, user: User) -> VideoRow | None:
    """None for a video that does not exist and for one that this user may not see."""
    try:
        with app_state().library.catalog.read() as session:
            video = videos.get_video(session, video_id)
    except CatalogBusy:
        raise  # the database is away: that is no answer about the video
    except CatalogError:
        return None
    if user.sees(video.collection_id):
        return video
    app_state().note_unseen(user, f"video {video_id}")
    return None


def note_search(search: Search, user: User) -> None:
    """Puts the search among the recent ones, once; after the answer is on its way, because a
    writer of the catalog may have to wait for another.
    """
    if search.text and st.session_state.get("noted") != search:
        st.session_state["noted"] = search
        with app_state().library.catalog.begin() as session:
            saved_searches.add_recent_search(
                session, user.account_id, search.text, Link(search).href()
            )


# --- above the cards ---


def headline(link: Link, answer: Answer, kept: Sequence[str], user: User, tr: Translator) -> None:
    """The line above the answers: warnings, notes, how many, and what can be done with them.
    `kept`: as `kept_keys` reads them.
    """
    if answer.moments and not answer.matched:
        st.warning(
            f"**{tr('No match.')}** "
            + tr("Nothing in these videos seems to show that. These are the nearest moments."),
            icon=":material/search_off:",
        )
    for note in answer.notes:
        st.info(escape_markdown(tr(note)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="answer_head"):
        components.toolbar(
            {
                "title": title_of(link.search, tr),
                "count": count_of(answer.shown, answer.took_ms, tr),
                "labels": {
                    "views": tr("Show"),
                    "video": tr("by video"),
                    "moment": tr("every moment"),
                    "size": tr("Size of the pictures"),
                },
                "has_views": bool(answer.moments),
            }
        )
        if link.search.text:
            st.button(
                tr("Save search"),
                icon=":material/bookmark:",
                on_click=_save,
                args=(link.search, user),
                type="tertiary",
            )
        if answer.moments:
            _export(answer, kept, tr)


def count_of(moments: Sequence[Moment], took_ms: float, tr: Translator) -> str:
    """How many there are, and how long it took to find them."""
    count, ms = len(moments), round(took_ms)
    found_in = len({moment.video_id for moment in moments})
    if count == 1:
        return tr("1 moment, {ms} ms", ms=ms)
    if found_in == 1:
        return tr("{n} moments in one video, {ms} ms", n=count, ms=ms)
    return tr("{n} moments in {videos} videos, {ms} ms", n=count, videos=found_in, ms=ms)


def title_of(search: Search, tr: Translator) -> str:
    """What the list of answers is called."""
    if search.like:
        return tr("Moments like this one")
    return tr("Moments like your picture") if search.picture else tr("Answers")


def _save(search: Search, user: User) -> None:
    with app_state().library.catalog.begin() as session:
        saved_searches.save_search(session, user.account_id, search.text, Link(search).href())
    tr = session_state.translator()
    st.toast(
        tr("Saved: the first page tells of new footage that matches."), icon=":material/bookmark:"
    )


def _export(answer: Answer, kept: Sequence[str], tr: Translator) -> None:
    chosen = [moment for moment in answer.moments if key_of(moment) in kept]
    moments = chosen or list(answer.shown)
    with st.popover(tr("Export"), icon=":material/download:", width="content", type="tertiary"):
        st.caption(_what_is_exported(len(chosen), len(moments), tr))
        components.downloads(downloads(moments, "moments", tr))


def _what_is_exported(chosen: int, count: int, tr: Translator) -> str:
    if chosen:
        return tr("{n} of these that you keep", n=chosen)
    if count == 1:
        return tr("This moment")
    return tr("All {n} moments (keep some to export only those)", n=count)


def downloads(moments: Sequence[Moment], name: str, tr: Translator) -> list[dict[str, str]]:
    """The moments as files for other programs, as `components.downloads` takes them."""
    return [
        {
            "label": label,
            "name": f"{name}.{suffix}",
            "type": media_type,
            "text": write(moments).decode("utf-8"),
        }
        for label, suffix, media_type, write in (
            (tr("Table (CSV)"), "csv", "text/csv", as_csv),
            (tr("Edit list (EDL)"), "edl", "text/plain", as_edl),
            (tr("Playlist (M3U)"), "m3u8", "application/vnd.apple.mpegurl", as_playlist),
        )
    ]


# --- cards ---


def show_cards(
    link: Link,
    answer: Answer,
    known: Mapping[int, VideoRow],
    kept: Sequence[str],
    tr: Translator,
    *,
    narrow: bool = False,
) -> None:
    """The moments as cards; `known`: their videos, `kept`: as `kept_keys` reads them, `narrow`: in
    one column, beside the player.
    """

    def on_like() -> None:
        clicked = st.session_state["moments"].get("like")
        if clicked and read_like(str(clicked["like"])):
            like = Search(like=clicked["like"], collections=link.search.collections)
            session_state.go(Link(like))

    moments = {key_of(moment): moment for moment in answer.moments}

    asked = most_of(link.search)
    data = cards_data(link, answer, known, tr) | {
        "narrow": narrow,
        "chosen": list(kept),
        "said": _said(link.search, answer),
        "can_say": bool(link.search.text.strip()),
        "has_more": not narrow and asked < MOST_MOMENTS and len(answer.moments) >= asked,
    }
    components.cards(
        data,
        key="moments",
        on_open=lambda: session_state.open_clicked("moments"),
        on_like=on_like,
        on_keep=lambda: _keep_clicked(moments, link.search),
        on_say=lambda: _say_clicked(moments, link.search),
        on_more=lambda: _ask_for_more(link.search),
    )


# --- what people do with moments ---


def keep(video_id: int, span: Span, question: str, *, on: bool = True) -> None:
    """Puts a moment into the tray of whoever is there, or takes it out."""
    user = session_state.user()
    if user is None or find_video(video_id, user) is None:
        return
    with app_state().library.catalog.begin() as session:
        tray = moment_lists.tray_of(session, user.account_id)
        if on:
            moment_lists.add_moment(session, tray, video_id, span, question)
        else:
            moment_lists.remove_moment(session, tray, video_id, span)


def _keep_clicked(moments: Mapping[str, Moment], search: Search) -> None:
    clicked = st.session_state["moments"].get("keep")
    moment = moments.get(str(clicked["key"])) if clicked else None
    if moment is not None:
        place = place_of(moment)
        span = Span(place.start_s, place.end_s or place.start_s)
        keep(moment.video_id, span, search.text, on=bool(clicked["on"]))


def kept_keys() -> list[str]:
    """Of the moments in the tray, as cards have them."""
    user = session_state.user()
    if user is None:
        return []
    with app_state().library.catalog.read() as session:
        return [
            key_of_span(row.video_id, row.span)
            for one in moment_lists.list_lists(session, user.account_id, ListKind.TRAY)
            for row in moment_lists.list_moments(session, one.id)
        ]


def _said(search: Search, answer: Answer) -> dict[str, bool]:
    """What this person said of these answers to the question."""
    user = session_state.user()
    if user is None or not search.text.strip():
        return {}
    with app_state().library.catalog.read() as session:
        rows = feedback.list_own_feedback(session, search.text, account_id=user.account_id)
    shown = {key_of(moment) for moment in answer.moments}
    votes = {key_of_span(row.video_id, row.span): row.good for row in reversed(rows)}
    return {key: good for key, good in votes.items() if key in shown}


def _say_clicked(moments: Mapping[str, Moment], search: Search) -> None:
    user = session_state.user()
    clicked = st.session_state["moments"].get("say")
    moment = moments.get(str(clicked["key"])) if clicked else None
    if user is None or moment is None or find_video(moment.video_id, user) is None:
        return
    account = user.account_id
    with app_state().library.catalog.begin() as session:
        if clicked["good"] is not None:
            feedback.add_feedback(
                session,
                search.text,
                moment.video_id,
                moment.span,
                bool(clicked["good"]),
                account_id=account,
            )
            return
        for row in feedback.list_own_feedback(session, search.text, account_id=account):
            if key_of_span(row.video_id, row.span) == key_of(moment):
                feedback.delete_feedback(session, row.id, account_id=account)
