"""Beside the player: the other moments, what is said and shown, the chapters, and questions to this
video alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st
from babel.dates import format_date

from indexer.catalog.videos import VideoRow
from indexer.errors import SeekpointError
from indexer.messages import N_
from indexer.search.types import Answer, Moment
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.highlight import highlight
from search_ui.i18n.translator import Translator
from search_ui.pages import answers
from search_ui.pages.cards import LIKELIHOODS, videos_of
from search_ui.session_state import escape_markdown
from search_ui.url_state import Link

SHORTEST_CHAPTERED_S = 20.0
ANSWERS = 8
LONGEST_QUESTION = 500
PANEL_LABELS = {
    "list": N_("Transcript"),
    "find": N_("Find in this video's words"),
    "shown": N_("What is listed"),
    "empty": N_("Nothing is said or written in this video."),
}
KIND_LABELS = {
    "picture": N_("Picture"),
    "speech": N_("Speech"),
    "screen": N_("On screen"),
    "sound": N_("Sound"),
    "event": N_("Events"),
}


def show(link: Link, video: VideoRow, answer: Answer | None, tr: Translator) -> None:
    """The tabs; the other moments come first where something was asked."""
    names = [tr("Moments")] if answer and answer.moments else []
    names += [tr("Transcript"), tr("Chapters"), tr("Ask this video")]
    *first, transcript, chapters, asking = st.tabs(names)
    if answer and first:
        with first[0], st.container(key="more_moments"):
            answers.show_cards(
                link, answer, videos_of(answer), answers.kept_keys(), tr, narrow=True
            )
    with transcript:
        components.panel(_lines(video, tr), key="transcript")
    with chapters:
        components.panel(_chapters(video, tr), key="chapters")
        _offer_names(video, tr)
    with asking:
        _ask(video, tr)


def has_chapters(video: VideoRow) -> bool:
    """A shorter video is one chapter."""
    return video.duration_s >= SHORTEST_CHAPTERED_S


def chapters_version() -> int:
    """Another one when chapters were given names: they are asked for again then."""
    return st.session_state.get("chapters_named", 0)


def format_day(moment: datetime, tr: Translator) -> str:
    """`17 May 2023`, as the reader's language writes it."""
    return format_date(moment, format="medium", locale=tr.language)


def _lines(video: VideoRow, tr: Translator) -> dict[str, Any]:
    labels: dict[str, Any] = {name: tr(label) for name, label in PANEL_LABELS.items()}
    labels["kinds"] = {kind: tr(label) for kind, label in KIND_LABELS.items()}
    labels["found"] = tr("{n} lines found", n="{n}")
    return {"source": "lines", "video_id": video.id, "labels": labels}


def _chapters(video: VideoRow, tr: Translator) -> dict[str, Any]:
    labels = {"list": tr("Chapters"), "empty": tr("This video is one chapter.")}
    return {
        "source": "chapters",
        "video_id": video.id,
        "version": chapters_version(),
        "labels": labels,
    }


def _offer_names(video: VideoRow, tr: Translator) -> None:
    """A grounder names chapters when it is told to: it takes a while, and may cost money."""
    library = app_state().library
    name = library.grounder_name
    if not name or not has_chapters(video) or not session_state.may_edit():
        return
    text = tr("Name them with {name}", name=name)
    if not st.button(text, icon=":material/auto_awesome:"):
        return
    bar = st.progress(0.0)

    def show_progress(done: int, total: int) -> None:
        named = tr("{name} looks at chapter {n} of {total} …", name=name, n=done + 1, total=total)
        bar.progress(done / total, escape_markdown(named))

    try:
        library.chapters(video.id, ground=True, progress=show_progress)
    except SeekpointError as error:  # names that were given before it are kept
        st.session_state["chapters_named"] = chapters_version() + 1
        bar.empty()
        st.error(escape_markdown(tr(error.full_message)))
        return
    st.session_state["chapters_named"] = chapters_version() + 1
    st.rerun()


# --- questions to this video ---


@st.fragment
def _ask(video: VideoRow, tr: Translator) -> None:
    question = st.text_input(
        tr("Ask this video"),
        placeholder=tr("What happens, is said or is shown in it?"),
        key=f"ask_video_{video.id}",
        label_visibility="collapsed",
    ).strip()[:LONGEST_QUESTION]
    if not question:
        st.caption(tr("The answers are moments of this video."))
        return
    try:
        answer = app_state().library.search(question, video_id=video.id, top=ANSWERS)
    except SeekpointError as error:
        st.error(escape_markdown(tr(error.full_message)))
        return
    above = st.container()
    if not answer.matched:
        st.caption(
            tr("Nothing in this video seems to show that. These are the nearest moments.")
            if answer.moments
            else tr("Nothing found.")
        )
    rows = [_row(moment, question, tr) for moment in answer.moments]
    labels = {"list": tr("Answers"), "empty": ""}
    data = {"source": "rows", "video_id": video.id, "rows": rows, "labels": labels}
    components.panel(data, key="video_answers")
    with above:  # the moments are there at once, words take a while
        if words := _words(video, question, tr):
            st.markdown(escape_markdown(words))


def _words(video: VideoRow, question: str, tr: Translator) -> str:
    """What the grounder says, where one is set up. The moments stand by themselves: what goes wrong
    with it is said in its place.
    """
    library = app_state().library
    if not library.grounder_name:
        return ""
    try:
        with st.spinner(tr("{name} looks at this video …", name=library.grounder_name)):
            return library.ask(str(video.id), question).text
    except SeekpointError as error:
        return tr(error.full_message)


def _row(moment: Moment, question: str, tr: Translator) -> dict[str, Any]:
    kinds = " · ".join(tr(KIND_LABELS[evidence.kind]) for evidence in moment.evidence)
    likelihood = tr(LIKELIHOODS[moment.likelihood])
    text = next((evidence.text for evidence in moment.evidence if evidence.text), "")
    return {
        "start_s": moment.span.start_s,
        "end_s": moment.span.end_s,
        "parts": highlight(text, question) if text else [(kinds, False)],
        "note": f"{likelihood} · {kinds}" if text else likelihood,
        "picture": f"/thumbnail/{video_picture(moment)}" if moment.thumbnail else "",
    }


def video_picture(moment: Moment) -> str:
    """The stored picture of a moment, as the thumbnail's route names it."""
    assert moment.thumbnail is not None
    return f"{moment.video_id}/{int(moment.thumbnail.stem)}"
