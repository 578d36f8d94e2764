"""Before a question is asked: how to begin, what was asked lately, what is new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from grounding.spans import format_time
from indexer.admin.videos import Video
from indexer.catalog import saved_searches
from indexer.catalog.saved_searches import SavedSearch
from search_ui import components, state
from search_ui.app_state import site
from search_ui.pages import progress
from search_ui.strings import Texts
from search_ui.url_state import Link, Place, Search, read_link
from search_ui.user import Viewer

DEMO = "demo"
NEWEST = 12


def show(link: Link, viewer: Viewer, texts: Texts) -> None:
    collections = viewer.visible(site().library.collections())
    if not any(collection.ready for collection in collections):
        _empty(viewer, texts)
        return
    library = site().library
    with library.catalog.read() as session:
        recent = saved_searches.list_searches(session, viewer.account_id, saved=False)
        saved = saved_searches.list_searches(session, viewer.account_id, saved=True)
    if any(collection.name == DEMO for collection in collections):
        _chips(texts("examples"), texts.examples, "example")
    _kept(texts("saved"), saved, "saved", viewer, texts)
    _kept(texts("recent"), recent[:8], "recent", viewer, texts)
    progress.show(viewer, texts)
    st.subheader(texts("newest"), anchor=False)
    _videos(
        link,
        library.videos([collection.name for collection in collections], newest=NEWEST)[::-1],
        texts,
    )


def _empty(viewer: Viewer, texts: Texts) -> None:
    with st.container(border=True):
        st.header(texts("empty"), anchor=False)
        st.write(texts("empty.text") if viewer.can_edit else texts("empty.viewer"))
        if viewer.can_edit:
            with st.container(horizontal=True, vertical_alignment="center"):
                busy = any(job.what == "demo" and job.is_open for job in site().jobs.all())
                st.button(
                    texts("demo.add"),
                    type="primary",
                    icon=":material/auto_awesome:",
                    on_click=_add_demo,
                    disabled=busy,
                )
                st.page_link(
                    st.session_state["pages"][1], label=texts("add"), icon=":material/add:"
                )
    progress.show(viewer, texts)
    _chips(texts("examples"), texts.examples, "example", disabled=True)


def _add_demo() -> None:
    if state.may_edit():
        site().jobs.demo(DEMO)


def _chips(title: str, labels: Sequence[str], key: str, *, disabled: bool = False) -> None:
    st.caption(title)
    with st.container(horizontal=True, gap="small", key=f"chips_{key}"):
        for number, label in enumerate(labels):
            st.button(
                label,
                key=f"{key}_{number}",
                on_click=state.go,
                args=(Link(Search(text=label)),),
                disabled=disabled,
            )


def _kept(title: str, kept: Sequence[SavedSearch], key: str, viewer: Viewer, texts: Texts) -> None:
    if not kept:
        return
    st.caption(title)
    with st.container(horizontal=True, gap="small", key=f"chips_{key}"):
        for it in kept:
            st.button(state.plain(it.title[:60]), key=f"{key}_{it.id}", on_click=_again, args=(it,))
        if key == "saved":
            with st.popover(texts("forget"), icon=":material/bookmark_remove:", width="content"):
                for it in kept:
                    st.button(
                        state.plain(it.title[:60]),
                        key=f"forget_{it.id}",
                        on_click=_forget,
                        args=(it, viewer),
                    )


def _again(kept: SavedSearch) -> None:
    from urllib.parse import parse_qs, urlsplit

    state.go(read_link(parse_qs(urlsplit(kept.link).query)))


def _forget(kept: SavedSearch, viewer: Viewer) -> None:
    with site().library.catalog.begin() as session:
        saved_searches.delete_search(session, viewer.account_id, kept.id)


def _videos(link: Link, videos: Sequence[Video], texts: Texts) -> None:
    data = {
        "cards": [_card(link, video) for video in videos],
        "labels": {"list": texts("newest")},
    }
    components.cards(data, key="videos", on_open=lambda: state.open_clicked("videos"))


def _card(link: Link, video: Video) -> dict:
    return {
        "key": str(video.video_id),
        "href": link.at(Place(video.video_id)).href(),
        "title": title_of(video),
        "meta": video.collection,
        "span": format_time(video.duration_s),
        "picture": f"/thumbnail/{video.video_id}/{round(video.duration_s * 300)}",
    }


def title_of(video: Video) -> str:
    return video.title or (Path(video.paths[0].path).stem if video.paths else str(video.video_id))
