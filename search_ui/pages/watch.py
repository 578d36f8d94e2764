"""One moment: the player, its timeline, the transcript, and the other moments beside it."""

from __future__ import annotations

import time
from pathlib import PurePosixPath
from typing import Any

import streamlit as st

from grounding.spans import Span
from indexer.admin.playback import Playback
from indexer.catalog.passages import PassageRow, list_passages
from indexer.catalog.videos import VideoRow
from indexer.errors import SeekpointError
from indexer.search.curve import Curve
from indexer.search.types import Answer
from search_ui import components, state
from search_ui.app_state import site
from search_ui.pages import answers
from search_ui.strings import TEXTS, Texts
from search_ui.url_state import Link, Place, read_like
from search_ui.user import Viewer

KEPT_CURVES = 8
WAIT_S = 1.0


def show(link: Link, viewer: Viewer, texts: Texts) -> None:
    place = link.place
    assert place is not None
    video = answers.find_video(place.video_id, viewer)
    if video is None:
        st.error(texts("player.unknown"), icon=":material/error:")
        return
    answer = None if link.search.is_empty else answers.answer_to(link.search, viewer, watching=True)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        back = texts("back" if answer else "back.home")
        st.button(
            back,
            icon=":material/arrow_back:",
            on_click=state.go,
            args=(link.at(None),),
            type="tertiary",
        )
        st.subheader(state.plain(_title(video)), anchor=False, width="stretch")
    left, right = (
        st.columns([2.4, 1], gap="medium")
        if answer and answer.moments
        else (st.container(key="watch_alone"), None)
    )
    with left:
        _player(link, place, video, answer, viewer, texts)
    if answer and right is not None:
        with right, st.container(key="more_moments"):
            answers.show_cards(link, answer, texts, narrow=True)


def _title(video: VideoRow) -> str:
    return video.title or (
        PurePosixPath(video.paths[0].relative_path).stem if video.paths else str(video.id)
    )


def _player(
    link: Link, place: Place, video: VideoRow, answer: Answer | None, viewer: Viewer, texts: Texts
) -> None:
    playback = site().library.playback(video.id)
    if playback.state == "wait":
        _await_proxy(video, _title(video), texts)
    elif playback.state == "gone":
        st.warning(texts("player.gone"), icon=":material/cloud_off:")
    components.player(
        _data(link, place, video, answer, playback, _curve(link, video, viewer), texts),
        on_next=lambda: _next(link, answer),
        on_where=lambda: _where(video, texts),
    )


def _await_proxy(video: VideoRow, title: str, texts: Texts) -> None:
    site().jobs.proxy(video.id, title, video.collection)

    @st.fragment(run_every=WAIT_S)
    def wait() -> None:
        open_jobs = [
            job
            for job in site().jobs.all()
            if job.what == "proxy" and job.subject.startswith(f"{video.id} ") and job.is_open
        ]
        if not open_jobs:
            st.rerun()
        st.progress(
            open_jobs[0].fraction,
            text=texts("player.proxy", percent=round(open_jobs[0].fraction * 100)),
        )

    last = next(
        (
            job
            for job in site().jobs.all()
            if job.what == "proxy" and job.subject.startswith(f"{video.id} ")
        ),
        None,
    )
    if last is not None and last.state == "failed":
        st.error(state.plain(" ".join(map(texts.said, last.problems))), icon=":material/error:")
    else:
        wait()


def _data(
    link: Link,
    place: Place,
    video: VideoRow,
    answer: Answer | None,
    playback: Playback,
    curve: Curve,
    texts: Texts,
) -> dict[str, Any]:
    end_s = min(place.end_s or video.duration_s, video.duration_s)
    start_s = min(place.start_s, end_s)
    with site().library.catalog.read() as session:
        passages = list_passages(session, video.id)
    return {
        "src": f"/stream/{video.id}" if playback.state == "ready" else "",
        "click": st.session_state.get("click", 0),
        "start_s": start_s,
        "end_s": end_s,
        "duration_s": video.duration_s,
        "width": video.width,
        "height": video.height,
        "fps": video.fps,
        "curve": {"times_s": curve.times_s, "values": curve.values},
        "cuts_s": curve.cuts_s,
        "moments": _marks(place, video, answer),
        "events": [_line(passage) for passage in passages if passage.kind == "event"],
        "transcript": [_line(passage) for passage in passages if passage.kind == "speech"],
        "link": link.href(),
        "clip": f"/clip/{video.id}/{round(start_s * 1000)}/{round(end_s * 1000)}",
        "has_next": bool(answer and len(answer.moments) > 1),
        "can_locate": site().library.has_lego,
        "boxes": st.session_state.get("boxes")
        if st.session_state.get("boxes_of") == video.id
        else None,
        "wait": None,
        "labels": {
            key.removeprefix("player."): texts(key) for key in TEXTS if key.startswith("player.")
        },
    }


def _line(passage: PassageRow) -> dict[str, Any]:
    return {"start_s": passage.span.start_s, "end_s": passage.span.end_s, "text": passage.text}


def _marks(place: Place, video: VideoRow, answer: Answer | None) -> list[dict[str, Any]]:
    found = [moment for moment in answer.moments if moment.video_id == video.id] if answer else []
    return [
        {
            "start_s": it.span.start_s,
            "end_s": it.span.end_s,
            "current": answers.place_of(it) == place,
        }
        for it in found
    ]


def _curve(link: Link, video: VideoRow, viewer: Viewer) -> Curve:
    """Of the videos that were watched last: a click on another moment of one must not compute it
    again.
    """
    kept: dict[Any, Curve] = st.session_state.setdefault("curves", {})
    search = link.search
    key = (video.id, search.text, search.like, search.picture)
    if key not in kept:
        like = read_like(search.like)
        like = like if like and answers.find_video(like.video_id, viewer) else None
        moment = (like.video_id, Span(like.start_s, like.end_s or like.start_s)) if like else None
        kept[key] = site().library.curve(
            video.id, question=search.text, like=moment, picture=search.picture
        )
        while len(kept) > KEPT_CURVES:
            del kept[next(iter(kept))]
    return kept[key]


def _next(link: Link, answer: Answer | None) -> None:
    if not st.session_state["player"].get("next") or not answer or not answer.moments:
        return
    places = [answers.place_of(moment) for moment in answer.moments]
    at = places.index(link.place) if link.place in places else -1
    state.open_place(link, places[(at + 1) % len(places)])


def _where(video: VideoRow, texts: Texts) -> None:
    from grounding.lego.prompts import WHERE

    asked = st.session_state["player"].get("where")
    if not asked:
        return
    phrase, time_s = str(asked["phrase"])[:200], float(asked["time_s"])
    try:
        question = phrase if phrase.endswith("?") else WHERE.format(phrase.rstrip("."))
        boxes = (
            site()
            .library.ask(str(video.id), question, at_s=min(time_s, video.duration_s - 0.001))
            .boxes
        )
        text = texts("player.found", phrase=phrase, n=len(boxes))
    except SeekpointError as error:
        boxes, text = (), texts.said(str(error))
    st.session_state["boxes"] = {
        "boxes": [[box.x1, box.y1, box.x2, box.y2] for box in boxes],
        "text": text,
        "at": time.time(),
    }
    st.session_state["boxes_of"] = video.id
