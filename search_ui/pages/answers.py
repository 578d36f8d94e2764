"""Answers: asking the library, what stands above the cards, the cards, and the export of what was
chosen.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import streamlit as st

from grounding.spans import Span, format_time
from indexer.catalog import saved_searches, videos
from indexer.catalog.video_queries import Filters
from indexer.catalog.videos import VideoRow
from indexer.errors import CatalogError
from indexer.search.types import Answer, Moment
from search_ui import components, state
from search_ui.app_state import site
from search_ui.export import as_csv, as_edl, as_playlist
from search_ui.highlight import marked
from search_ui.strings import Texts
from search_ui.url_state import Link, Place, Search, like_of, read_like
from search_ui.user import Viewer

log = logging.getLogger(__name__)

FRESH_S = 30.0


def answer_to(search: Search, viewer: Viewer, *, watching: bool = False) -> Answer:
    """Asked once for a search: clicks on its answers must not ask again. Asked anew after a while
    and when videos were added.

    `watching`: one of its moments is on the screen, and the others stay as they are beside it.
    """
    kept = st.session_state.get("answer")
    stamp = (search, viewer, site().jobs.finished)
    if kept is not None and kept[0] == stamp and (watching or time.monotonic() - kept[1] < FRESH_S):
        return kept[2]
    with site().searches.timed() as ended:
        answer = ask(search, viewer)
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
    st.session_state["answer"] = (stamp, time.monotonic(), answer)
    return answer


def ask(search: Search, viewer: Viewer) -> Answer:
    library = site().library
    names = site().visible_names(viewer)
    wanted = [name for name in search.collections if name in names] if search.collections else names
    filters = Filters(
        recorded_from=search.recorded_from,
        recorded_to=search.recorded_to,
        shortest_s=(search.shortest_min or 0) * 60,
        longest_s=search.longest_min * 60 if search.longest_min else None,
        name=search.name,
    )
    if not wanted:
        return Answer(search.text, search.text, False, 0.0, (), 0.0)
    everything = viewer.collection_ids is None and not search.collections
    shared = {"collections": None if everything else wanted, "top": search.top, "filters": filters}
    if search.like and (place := read_like(search.like)):
        if find_video(place.video_id, viewer) is None:
            return Answer("", "", False, 0.0, (), 0.0)
        return library.more_like(
            place.video_id, Span(place.start_s, place.end_s or place.start_s), **shared
        )
    if search.picture:
        return library.search_picture(search.picture, **shared)
    return library.search(
        search.text,
        only=search.only or None,
        titles=not search.only,
        ground=search.ground,
        **shared,
    )


def find_video(video_id: int, viewer: Viewer) -> VideoRow | None:
    """None for a video that there is not and for one that this viewer may not see."""
    try:
        with site().library.catalog.read() as session:
            video = videos.get_video(session, video_id)
    except CatalogError:
        return None
    return video if viewer.sees(video.collection_id) else None


def note(search: Search, viewer: Viewer) -> None:
    """Among the recent searches, once; after the answer is on its way: a writer of the catalog may
    have to wait for another.
    """
    if search.text and st.session_state.get("noted") != search:
        st.session_state["noted"] = search
        with site().library.catalog.begin() as session:
            saved_searches.add_recent_search(
                session, viewer.account_id, search.text, Link(search).href()
            )


# --- above the cards ---


def headline(link: Link, answer: Answer, viewer: Viewer, texts: Texts) -> None:
    if answer.moments and not answer.matched:
        st.warning(
            f"**{texts('no_match')}.** {texts('no_match.text')}", icon=":material/search_off:"
        )
    for note in answer.notes:
        st.info(state.plain(texts.said(note)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = (
            "answers.like"
            if link.search.like
            else "answers.picture"
            if link.search.picture
            else "answers"
        )
        st.subheader(texts(title), anchor=False, width="stretch")
        st.caption(
            texts("answers.took", n=len(answer.moments), ms=round(answer.took_ms)), width="content"
        )
        if link.search.text:
            st.button(
                texts("save"),
                icon=":material/bookmark:",
                on_click=_save,
                args=(link.search, viewer),
            )
        if answer.moments:
            _export(answer, texts)


def _save(search: Search, viewer: Viewer) -> None:
    with site().library.catalog.begin() as session:
        saved_searches.save_search(session, viewer.account_id, search.text, Link(search).href())
    st.toast(state.texts()("save.done"))


def _export(answer: Answer, texts: Texts) -> None:
    chosen = [
        moment for moment in answer.moments if key_of(moment) in st.session_state.get("chosen", [])
    ]
    moments = chosen or list(answer.moments)
    with st.popover(texts("export"), icon=":material/download:", width="content"):
        st.caption(
            texts("export.chosen", n=len(chosen)) if chosen else texts("export.all", n=len(moments))
        )
        for name, suffix, kind, write in (
            ("export.csv", "csv", "text/csv", as_csv),
            ("export.edl", "edl", "text/plain", as_edl),
            ("export.playlist", "m3u8", "application/vnd.apple.mpegurl", as_playlist),
        ):
            st.download_button(
                texts(name),
                write(moments),
                f"moments.{suffix}",
                kind,
                on_click="ignore",
                width="stretch",
                key=f"as_{suffix}",
            )


# --- cards ---


def show_cards(link: Link, answer: Answer, texts: Texts, *, narrow: bool = False) -> None:

    def on_like() -> None:
        clicked = st.session_state["moments"].get("like")
        if clicked and read_like(str(clicked["like"])):
            state.go(
                Link(
                    Search(
                        like=clicked["like"],
                        collections=link.search.collections,
                        top=link.search.top,
                    )
                )
            )

    def on_chosen() -> None:
        st.session_state["chosen"] = list(st.session_state["moments"].get("chosen") or [])

    data = {
        "cards": [_card(link, moment, texts) for moment in answer.moments],
        "labels": {"list": texts("answers"), "choose": texts("choose"), "like": texts("like")},
        "narrow": narrow,
        "dim": not answer.matched,
        "chosen": st.session_state.get("chosen", []),
    }
    components.cards(
        data,
        key="moments",
        on_open=lambda: state.open_clicked("moments"),
        on_like=on_like,
        on_chosen=on_chosen,
    )


def key_of(moment: Moment) -> str:
    return f"{moment.video_id}@{moment.span.start_s:.3f}-{moment.span.end_s:.3f}"


def place_of(moment: Moment) -> Place:
    return Place(moment.video_id, round(moment.span.start_s, 3), round(moment.span.end_s, 3))


def _card(link: Link, moment: Moment, texts: Texts) -> dict[str, Any]:
    place = place_of(moment)
    meta = [moment.collection, texts("score", score=f"{moment.score:.2f}")] + (
        [texts("offline")] if moment.offline else []
    )
    return {
        "key": key_of(moment),
        "href": link.at(place).href(),
        "like": like_of(place),
        "title": moment.title,
        "meta": " · ".join(meta),
        "span": _times(moment.span),
        "picture": f"/thumbnail/{moment.video_id}/{_picture_ms(moment)}",
        "why": _why(moment, link.search.text, texts),
        "current": link.place == place,
        "place": {
            "src": f"/stream/{place.video_id}",
            "start_s": place.start_s,
            "end_s": place.end_s,
        },
    }


def _why(moment: Moment, question: str, texts: Texts) -> list[dict[str, Any]]:
    """The kinds of evidence with their texts, and what LEGO says where it was asked."""
    why = [
        {
            "label": texts(f"evidence.{it.kind}"),
            "parts": marked(it.text, question) if it.text else [],
        }
        for it in moment.evidence
    ]
    if moment.grounded is not None:
        span = moment.grounded.span
        label = texts("lego.none") if span is None else texts("lego", span=_times(span))
        why.append({"label": label, "parts": []})
    return why


def _times(span: Span) -> str:
    return f"{format_time(span.start_s)} - {format_time(span.end_s)}"


def _picture_ms(moment: Moment) -> int:
    """Stored pictures are named by their time."""
    return int(moment.thumbnail.stem) if moment.thumbnail else round(moment.span.middle_s * 1000)
