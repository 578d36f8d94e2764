"""One moment: the player with its time line, and beside it the other moments, what is said and
shown, the chapters, and a box that asks this video.
"""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from grounding.spans import Span
from indexer.admin.playback import Playback
from indexer.catalog.passages import list_kinds
from indexer.catalog.videos import VideoRow
from indexer.errors import SeekpointError
from indexer.formatting import video_title
from indexer.media.output.sprites import SpriteGrid
from indexer.messages import N_
from indexer.search.curve import Lane
from indexer.search.types import Answer, Moment
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.highlight import highlight
from search_ui.i18n.translator import Translator
from search_ui.pages import answers, beside
from search_ui.pages.cards import EVIDENCE
from search_ui.routes.watching import proxy_job
from search_ui.session_state import escape_markdown
from search_ui.url_state import Link, Place, read_like

KEPT_LANES = 8
# Texts of components/player.js.
PLAYER_LABELS = {
    "player": N_("Player"),
    "play": N_("Play"),
    "pause": N_("Pause"),
    "back": N_("One frame back"),
    "forward": N_("One frame forward"),
    "span": N_("Play clip"),
    "span_hint": N_("Play the clip again from its start"),
    "loop": N_("Loop"),
    "next": N_("Next"),
    "search_frame": N_("Search with this frame"),
    "mute": N_("Mute"),
    "volume": N_("Volume"),
    "full": N_("Full screen"),
    "speed": N_("Speed"),
    "timeline": N_("Timeline"),
    "filled": N_("Hardly anything changes here: not looked at picture by picture"),
    "zoom_in": N_("Zoom in"),
    "zoom_out": N_("Zoom out"),
    "cut": N_("Clip"),
    "clip_start": N_("Start of the clip"),
    "clip_end": N_("End of the clip"),
    "set_start": N_("Start the clip here"),
    "set_end": N_("End the clip here"),
    "bad_time": N_("Write a time of this video: seconds, or minutes:seconds."),
    "too_long": N_("A clip is at most 10 minutes long."),
    "reset": N_("Reset"),
    "link": N_("Copy link"),
    "copied": N_("Link copied"),
    "keep": N_("Keep"),
    "keep_hint": N_("Keep this clip among your moments"),
    "kept": N_("Kept among your moments"),
    "copy_path": N_("Copy the path"),
    "path_copied": N_("Path copied"),
    "clip": N_("Download"),
    "clip_hint": N_("Save the clip as a video"),
    "export": N_("Export"),
    "error": N_("This video cannot be played here."),
    "press_play": N_("Ready: press play."),
    "gone": N_("The file is offline: it cannot be played now, but it stays searchable."),
    "where": N_("Where?"),
    "where_hint": N_("Pause, then say what to find in the picture"),
    "looking": N_("Looking …"),
    "keys": N_("Keys"),
    "keys_text": N_(
        "space or k: play or pause · ← →: 5 s (with Shift 1 s) · j l: 10 s · , .: one "
        "frame · < >: speed · n: next moment · o: loop · m: mute · f: full screen · [ ]: start or "
        "end the clip here · + -: zoom the timeline · 0: all of it · z: the clip"
    ),
}
LANE_LABELS = {
    "chapters": N_("Chapters"),
    "picture": N_("Picture"),
    "speech": N_("Speech"),
    "screen": N_("On screen"),
    "sound": N_("Sound"),
    "event": N_("Events"),
}
EXPORT_LABELS = {
    "m4a": N_("Sound (M4A)"),
    "srt": N_("Subtitles (SRT)"),
    "csv": N_("Table (CSV)"),
    "edl": N_("Edit list (EDL)"),
    "m3u8": N_("Playlist (M3U)"),
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
    left, right = st.columns([2.4, 1], gap="medium")
    with left:
        _player(link, place, video, answer, user, tr)
    with right:
        beside.show(link, video, answer, tr)


def _title(video: VideoRow) -> str:
    path = video.paths[0].relative_path if video.paths else None
    return video_title(video.title, path, video.id)


def _player(
    link: Link, place: Place, video: VideoRow, answer: Answer | None, user: User, tr: Translator
) -> None:
    playback = app_state().library.playback(video.id)
    if playback.state == "wait":
        _make_copy(video)
    components.player(
        _data(link, place, video, answer, playback, _lanes(link, video, user), tr),
        on_next=lambda: _next(link, answer),
        on_where=lambda: _where(video, tr),
        on_keep=lambda: _keep(link, video),
    )


def _keep(link: Link, video: VideoRow) -> None:
    clip = st.session_state["player"].get("keep")
    if clip:
        start_s = min(max(0.0, float(clip["start_s"])), video.duration_s)
        end_s = min(max(start_s, float(clip["end_s"])), video.duration_s)
        answers.keep(video.id, Span(start_s, end_s), link.search.text)


def _make_copy(video: VideoRow) -> None:
    """Once a session: a file that cannot be converted is not tried again at every click."""
    tried: set[int] = st.session_state.setdefault("copies_tried", set())
    last = proxy_job(video.id)
    if video.id not in tried and (last is None or not last.is_open):
        app_state().jobs.proxy(video.id, _title(video), video.collection)
    tried.add(video.id)


def _data(
    link: Link,
    place: Place,
    video: VideoRow,
    answer: Answer | None,
    playback: Playback,
    lanes: dict[str, Lane],
    tr: Translator,
) -> dict[str, Any]:
    end_s = min(place.end_s or video.duration_s, video.duration_s)
    start_s = min(place.start_s, end_s)
    moment = _moment_at(place, answer)
    return {
        "video_id": video.id,
        "src": f"/stream/{video.id}" if playback.state == "ready" else "",
        "state": playback.state,
        "poster": _poster(video, start_s),
        "click": st.session_state.get("click", 0),
        "start_s": start_s,
        "end_s": end_s,
        "duration_s": video.duration_s,
        "width": video.width,
        "height": video.height,
        "fps": video.fps,
        "has_sound": video.audio_tracks > 0,
        "has_chapters": beside.has_chapters(video),
        "chapters_version": beside.chapters_version(),
        "kinds": _kinds(video),
        "lanes": {
            kind: {"times_s": lane.times_s, "values": lane.values, "spans": lane.spans}
            for kind, lane in lanes.items()
        },
        "answering": [evidence.kind for evidence in moment.evidence] if moment else [],
        "sprites": _sprites(video),
        "moments": _marks(place, video, answer),
        "about": _about(link, video, moment, tr),
        "link": link.at(Place(video.id, start_s, end_s)).href(),
        "has_next": bool(answer and len(answer.moments) > 1),
        "can_locate": bool(app_state().library.grounder_name),
        "boxes": st.session_state.get("boxes")
        if st.session_state.get("boxes_of") == video.id
        else None,
        "labels": _labels(tr),
    }


def _labels(tr: Translator) -> dict[str, Any]:
    # The player fills in how far the copy is.
    wait = tr(
        "Browsers cannot play this file. A copy that they can play is being made: {percent} %",
        percent="{percent}",
    )
    return {
        **{name: tr(label) for name, label in PLAYER_LABELS.items()},
        "wait": wait,
        "lanes": {kind: tr(label) for kind, label in LANE_LABELS.items()},
        "exports": {suffix: tr(label) for suffix, label in EXPORT_LABELS.items()},
    }


def _moment_at(place: Place, answer: Answer | None) -> Moment | None:
    moments = answer.moments if answer else ()
    return next((moment for moment in moments if answers.place_of(moment) == place), None)


def _about(link: Link, video: VideoRow, moment: Moment | None, tr: Translator) -> dict[str, Any]:
    """What stands below the title: why this moment answers, when and where it was kept."""
    why = [
        {
            "label": tr(EVIDENCE[evidence.kind]),
            "parts": highlight(evidence.text, link.search.text) if evidence.text else [],
        }
        for evidence in (moment.evidence if moment else ())
    ]
    facts = [beside.format_day(video.recorded_at, tr)] if video.recorded_at else []
    path = app_state().library.context.shown_path(video)
    return {"why": why, "facts": [*facts, video.collection], "path": path}


def _poster(video: VideoRow, time_s: float) -> str:
    """The stored picture that is nearest, where there is one."""
    near = app_state().library.thumbnail_near(video.id, time_s) if video.width else None
    return f"/thumbnail/{video.id}/{round(time_s * 1000)}" if near else ""


def _kinds(video: VideoRow) -> list[str]:
    with app_state().library.catalog.read() as session:
        kinds = list_kinds(session, video.id)
    return ["picture", *sorted(kinds)] if video.width else sorted(kinds)


def _sprites(video: VideoRow) -> dict[str, float] | None:
    if not video.width or not video.duration_s:
        return None
    grid = SpriteGrid(video.duration_s)
    return {"interval_s": grid.interval_s, "tiles": grid.tiles}


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


def _lanes(link: Link, video: VideoRow, user: User) -> dict[str, Lane]:
    """Of the videos that were watched last: a click on another moment of one must not compute them
    again.
    """
    kept: dict[Any, dict[str, Lane]] = st.session_state.setdefault("lanes", {})
    search = link.search
    key = (video.id, search.text, search.like, search.picture)
    if key not in kept:
        like = read_like(search.like)
        like = like if like and answers.find_video(like.video_id, user) else None
        moment = (like.video_id, Span(like.start_s, like.end_s or like.start_s)) if like else None
        is_seen = moment is not None or bool(search.picture)  # rather than asked in words
        kept[key] = app_state().library.lanes(
            video.id,
            question="" if is_seen else search.text,
            like=moment,
            picture="" if moment else search.picture,
        )
        while len(kept) > KEPT_LANES:
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
        at_s = min(time_s, video.duration_s - 0.001)
        boxes = app_state().library.locate(str(video.id), phrase, at_s).boxes
        text = tr("{phrase}: {n} found", phrase=phrase, n=len(boxes))
    except SeekpointError as error:
        boxes, text = (), tr(error.full_message)
    st.session_state["boxes"] = {
        "boxes": [[box.x1, box.y1, box.x2, box.y2] for box in boxes],
        "text": text,
        "at": time.time(),
    }
    st.session_state["boxes_of"] = video.id
