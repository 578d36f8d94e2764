"""Ask, see the answers, watch."""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search_ui import state
from search_ui.pages import answers, ask, home, watch
from search_ui.strings import Texts
from search_ui.url_state import Link
from search_ui.user import Viewer


def show(viewer: Viewer, texts: Texts) -> None:
    link = state.current_link()
    ask.show(link, viewer, texts)
    if link.place is not None:
        with _body("watch"):
            watch.show(link, viewer, texts)
    elif link.search.is_empty:
        with _body("home"):
            home.show(link, viewer, texts)
    else:
        with _body("answers"):
            _answers(link, viewer, texts)
    answers.note(link.search, viewer)


def _body(kind: str) -> DeltaGenerator:
    """Of another kind than before, it is cleared first: what Streamlit keeps until the run ends
    would hang below the new and jump.
    """
    before, st.session_state["body"] = st.session_state.get("body"), kind
    return st.container() if before == kind else st.empty().container()


def _answers(link: Link, viewer: Viewer, texts: Texts) -> None:
    with st.spinner(texts("lego.looking")) if link.search.ground else nullcontext():
        answer = answers.answer_to(link.search, viewer)
    answers.headline(link, answer, viewer, texts)
    if answer.moments:
        answers.show_cards(link, answer, texts)
    else:
        st.info(texts("answers.none"))
