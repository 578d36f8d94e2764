"""One moment: the player, its timeline, the transcript, and the other moments beside it."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from grounding.lego.preprocess.questions import WHERE
from grounding.spans import Span
from indexer.admin.playback import Playback
from indexer.catalog.passages import PassageRow, list_passages
from indexer.catalog.videos import VideoRow
from indexer.errors import SeekpointError
from indexer.formatting import video_title
from indexer.messages import N_
from indexer.search.curve import Curve
from indexer.search.types import Answer
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.pages import answers
from search_ui.session_state import escape_markdown
from search_ui.url_state import Link, Place, read_like

KEPT_CURVES = 8
WAIT_S = 1.0
# Texts of components/player.js.
PLAYER_LABELS = {
    "player": N_("Player"),
    "play": N_("Play"),
    "pause": N_("Pause"),
    "back": N_("One frame back"),
    "forward": N_("One frame forward"),
    "span": N_("Moment"),
    "span_hint": N_("Play this moment again"),
    "loop": N_("Loop"),
    "next": N_("Next"),
    "search_frame": N_("Search with this frame"),
    "search_frame_hint": N_("Moments that look like the picture that is shown now"),
    "mute": N_("Mute"),
    "link": N_("Copy link"),
    "copied": N_("Link copied"),
    "clip": N_("Clip"),
    "clip_hint": N_("Save this moment as a clip"),
    "full": N_("Full screen"),
    "speed": N_("Speed"),
    "timeline": N_("Timeline: where the video fits the question"),
    "transcript": N_("Transcript"),
    "error": N_("This video cannot be played here."),
    "press_play": N_("Ready: press play."),
    "where": N_("Where?"),
    "where_hint": N_("Pause, then say what to find in the picture"),
    "looking": N_("Looking …"),
    "keys": N_("Keys"),
    "keys_text": N_(
        "space or k: play or pause · ← →: 5 s (with Shift 1 s) · j l: 10 s · , .: one "
        "frame · < >: speed · n: next moment · o: loop · m: mute · f: full screen"
    ),
    "legend_curve": N_("how well it fits"),
    "legend_moments": N_("moments"),
    "legend_events": N_("events"),
}


def show(link: Link, user: User, tr: Translator) -> None:
    """The page that plays a video at the place that the link names."""
    place = link.place
    assert place is not None
    video = answers.find_video(place.video_id, user)
    if video is None:
        st.error(tr("There is no such video."), icon=":material/error:")
        return
    answer = None if link.search.is_empty else answers.answer_to(link.search, user, watching=True)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        back = tr("All answers" if answer else "Back")
        st.button(
            back,
            icon=":material/arrow_back:",
            on_click=session_state.go,
            args=(link.at(None),),
            type="tertiary",
        )
        st.subheader(escape_markdown(_title(video)), anchor=False, width="stretch")
    left, right = (
        st.columns([2.4, 1], gap="medium")
        if answer and answer.moments
        else (st.container(key="watch_alone"), None)
    )
    with left:
        _player(link, place, video, answer, user, tr)
    if answer and right is not None:
        with right, st.container(key="more_moments"):
            answers.show_cards(link, answer, tr, narrow=True)


def _title(video: VideoRow) -> str:
    path = video.paths[0].relative_path if video.paths else None
    return video_title(video.title, path, video.id)


def _player(
    link: Link, place: Place, video: VideoRow, answer: Answer | None, user: User, tr: Translator
) -> None:
    playback = app_state().library.playback(video.id)
    if playback.state == "wait":
        _await_proxy(video, _title(video), tr)
    elif playback.state == "gone":
        st.warning(
            tr("The file is offline: it cannot be played now, but it stays searchable."),
            icon=":material/cloud_off:",
        )
    components.player(
        _data(link, place, video, answer, playback, _curve(link, video, user), tr),
        on_next=lambda: _next(link, answer),
        on_where=lambda: _where(video, tr),
    )


def _await_proxy(video: VideoRow, title: str, tr: Translator) -> None:
    app_state().jobs.proxy(video.id, title, video.collection)

    @st.fragment(run_every=WAIT_S)
    def wait() -> None:
        open_jobs = [
            job
            for job in app_state().jobs.all()
            if job.kind == "proxy" and job.subject.startswith(f"{video.id} ") and job.is_open
        ]
        if not open_jobs:
            st.rerun()
        st.progress(
            open_jobs[0].fraction,
            text=tr(
                "Browsers cannot play this file. A copy that they can play is being made: "
                "{percent} %",
                percent=round(open_jobs[0].fraction * 100),
            ),
        )

    last = next(
        (
            job
            for job in app_state().jobs.all()
            if job.kind == "proxy" and job.subject.startswith(f"{video.id} ")
        ),
        None,
    )
    if last is not None and last.state == "failed":
        st.error(escape_markdown(" ".join(map(tr, last.problems))), icon=":material/error:")
    else:
        wait()


def _data(
    link: Link,
    place: Place,
    video: VideoRow,
    answer: Answer | None,
    playback: Playback,
    curve: Curve,
    tr: Translator,
) -> dict[str, Any]:
    end_s = min(place.end_s or video.duration_s, video.duration_s)
    start_s = min(place.start_s, end_s)
    with app_state().library.catalog.read() as session:
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
        "can_locate": app_state().library.has_lego,
        "boxes": st.session_state.get("boxes")
        if st.session_state.get("boxes_of") == video.id
        else None,
        "wait": None,
        "labels": {name: tr(label) for name, label in PLAYER_LABELS.items()},
    }


def _line(passage: PassageRow) -> dict[str, Any]:
    return {"start_s": passage.span.start_s, "end_s": passage.span.end_s, "text": passage.text}


def _marks(place: Place, video: VideoRow, answer: Answer | None) -> list[dict[str, Any]]:
    found = [moment for moment in answer.moments if moment.video_id == video.id] if answer else []
    return [
        {
            "start_s": moment.span.start_s,
            "end_s": moment.span.end_s,
            "current": answers.place_of(moment) == place,
        }
        for moment in found
    ]


def _curve(link: Link, video: VideoRow, user: User) -> Curve:
    """Of the videos that were watched last: a click on another moment of one must not compute it
    again.
    """
    kept: dict[Any, Curve] = st.session_state.setdefault("curves", {})
    search = link.search
    key = (video.id, search.text, search.like, search.picture)
    if key not in kept:
        like = read_like(search.like)
        like = like if like and answers.find_video(like.video_id, user) else None
        moment = (like.video_id, Span(like.start_s, like.end_s or like.start_s)) if like else None
        kept[key] = app_state().library.curve(
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
    session_state.open_place(link, places[(at + 1) % len(places)])


def _where(video: VideoRow, tr: Translator) -> None:
    request = st.session_state["player"].get("where")
    if not request:
        return
    phrase, time_s = str(request["phrase"])[:200], float(request["time_s"])
    try:
        question = phrase if phrase.endswith("?") else WHERE.format(phrase.rstrip("."))
        boxes = (
            app_state()
            .library.ask(str(video.id), question, at_s=min(time_s, video.duration_s - 0.001))
            .boxes
        )
        text = tr("{phrase}: {n} found", phrase=phrase, n=len(boxes))
    except SeekpointError as error:
        boxes, text = (), tr(error.full_message)
    st.session_state["boxes"] = {
        "boxes": [[box.x1, box.y1, box.x2, box.y2] for box in boxes],
        "text": text,
        "at": time.time(),
    }
    st.session_state["boxes_of"] = video.id
