"""Before a question is asked: how to begin, what was asked lately, what is new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from grounding.spans import format_time
from indexer.admin.videos import Video
from indexer.catalog.people import saved_searches
from indexer.catalog.people.saved_searches import SavedSearch
from indexer.catalog.video_queries import find_ready_since, has_ready
from indexer.errors import SeekpointError
from indexer.formatting import container_title
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.pages import answers, progress
from search_ui.pages.cards import pictures_of
from search_ui.pages.saved import manage
from search_ui.session_state import escape_markdown
from search_ui.starts import DEMO, EXAMPLES, preview_of, starts_of
from search_ui.url_state import Link, Place, Search, parse_link

MOST_NEW_VIDEOS = 500
SETTLED = timedelta(seconds=2)  # an index looks twice a second for what is new


def show(link: Link, user: User, tr: Translator) -> None:
    """What the page shows before a question: recent and saved searches, collections."""
    starts = starts_of(user)
    if starts is None:
        show_empty(user, tr)
        return
    with st.container(key="starts"):
        if starts.has_demo:
            _examples(tr)
        _search_chips(tr("Saved"), starts.saved, "saved", user, tr)
        _search_chips(tr("Recent"), starts.recent, "recent", user, tr)
    progress.show(user, tr)
    st.subheader(tr("Newest videos"), anchor=False)
    _videos(link, starts.newest, tr)


def is_empty(user: User) -> bool:
    """Whether there is nothing that could answer this user."""
    ids = None if user.collection_ids is None else list(user.collection_ids)
    with app_state().library.catalog.read() as session:
        return not has_ready(session, ids)


def show_empty(user: User, tr: Translator) -> None:
    """How to add videos, for who may; what one could ask then."""
    with st.container(border=True):
        st.header(tr("Your library is empty"), anchor=False)
        st.write(
            tr(
                "Add a folder or some files, and ask when something happens in them. To "
                "look around first, add the demo library: five small videos."
            )
            if user.can_edit
            else tr("Nobody has added a video for you yet.")
        )
        if user.can_edit:
            with st.container(horizontal=True, vertical_alignment="center"):
                busy = any(job.kind == "demo" and job.is_open for job in app_state().jobs.all())
                st.button(
                    tr("Add the demo library"),
                    type="primary",
                    icon=":material/auto_awesome:",
                    on_click=_add_demo,
                    disabled=busy,
                )
                st.page_link(
                    st.session_state["pages"][1], label=tr("Add videos"), icon=":material/add:"
                )
        st.caption(tr("Then ask for example: {examples}", examples=" · ".join(map(tr, EXAMPLES))))
    progress.show(user, tr)


def _add_demo() -> None:
    user = session_state.user()
    if user is not None and user.can_edit:
        app_state().jobs.demo(DEMO, actor=user.actor())


def _examples(tr: Translator) -> None:
    with _chips(tr("Try"), "example"):
        for number, example in enumerate(EXAMPLES):
            st.button(
                tr(example),
                key=f"example_{number}",
                on_click=session_state.go,
                args=(Link(Search(text=tr(example))),),
            )


@contextmanager
def _chips(title: str, key: str) -> Iterator[None]:
    """A row of buttons behind a word of what they are."""
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"chips_{key}"
    ):
        st.caption(title, width="content")
        yield


def _search_chips(
    title: str, searches: Sequence[SavedSearch], key: str, user: User, tr: Translator
) -> None:
    if not searches:
        return
    with _chips(title, key):
        for search in searches:
            label = escape_markdown(search.title[:60])
            if key == "saved" and (count := _count_new(search, user)):
                label += f" :primary-background[{tr('{n} new', n=count)}]"
            st.button(
                label,
                key=f"{key}_{search.id}",
                on_click=_ask_again,
                args=(search, user, key == "saved"),
            )
        if key == "recent":
            st.button(
                tr("Clear"),
                key="clear_recent",
                icon=":material/close:",
                type="tertiary",
                on_click=_clear_recent,
                args=(user,),
            )
        if key == "saved":
            manage(searches, user, tr)


def _ask_again(search: SavedSearch, user: User, is_saved: bool) -> None:
    if is_saved:  # what is new is new from now on
        with app_state().library.catalog.begin() as session:
            saved_searches.save_search(session, user.account_id, search.title, search.link)
    session_state.go(parse_link(search.link))


def _count_new(search: SavedSearch, user: User) -> int:
    """Moments that answer a saved search in videos that became ready since it was asked last. The
    question is asked again only where there are such videos, and once: but while indexes may not
    hold the newest of them yet, the count is not remembered.
    """
    known: dict[int, tuple[Any, int]] = st.session_state.setdefault("new_for_saved", {})
    stamp = (search.asked_at, app_state().jobs.finished)
    if search.id in known and known[search.id][0] == stamp:
        return known[search.id][1]
    ids = None if user.collection_ids is None else list(user.collection_ids)
    settled = datetime.now(UTC) - SETTLED
    with app_state().library.catalog.read() as session:
        new = set(find_ready_since(session, ids, search.asked_at, MOST_NEW_VIDEOS))
        is_settled = not find_ready_since(session, ids, settled, 1)
    count = 0
    if new:
        asked = replace(parse_link(search.link).search, ground=False)
        try:
            shown = answers.ask(asked, user).shown
        except SeekpointError:  # who asks it is told
            shown = ()
        count = sum(moment.video_id in new for moment in shown)
    if is_settled:
        known[search.id] = stamp, count
    return count


def _clear_recent(user: User) -> None:
    with app_state().library.catalog.begin() as session:
        saved_searches.clear_recent_searches(session, user.account_id)


def _videos(link: Link, videos: Sequence[Video], tr: Translator) -> None:
    data = {
        "cards": [_card(link, video) for video in videos],
        "labels": {"list": tr("Newest videos"), "offline": tr("offline")},
        "search": "home",
    }
    components.cards(data, key="videos", on_open=lambda: session_state.open_clicked("videos"))


def _card(link: Link, video: Video) -> dict[str, Any]:
    shown = preview_of(video)
    pictures = pictures_of(video.video_id, shown.start_s, shown.end_s, shown.start_s)
    sizes = {"sizes": f"{pictures['small']} 320w, {pictures['picture']} 640w"}
    return {
        "key": str(video.video_id),
        "video": video.video_id,
        "href": link.at(Place(video.video_id)).href(),
        "title": video.shown_title,
        "second": container_title(video.title, video.paths[0].path if video.paths else None),
        "collection": video.collection,
        "date": video.recorded_at.date().isoformat() if video.recorded_at else "",
        "span": format_time(video.duration_s),
        **pictures,
        **(sizes if video.duration_s else {}),
    }
