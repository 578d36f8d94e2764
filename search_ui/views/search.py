"""Ask, see the answers, watch."""

from __future__ import annotations

import streamlit as st

from search_ui import state
from search_ui.links import Link
from search_ui.strings import Texts
from search_ui.viewer import Viewer
from search_ui.views import answers, ask, home, watch


def show(viewer: Viewer, texts: Texts) -> None:
    link = state.current_link()
    ask.show(link, viewer, texts)
    if link.place is not None:
        watch.show(link, viewer, texts)
    elif link.search.is_empty:
        home.show(link, viewer, texts)
    else:
        _answers(link, viewer, texts)


def _answers(link: Link, viewer: Viewer, texts: Texts) -> None:
    answer = answers.answer_to(link.search, viewer)
    answers.headline(link, answer, viewer, texts)
    if answer.moments:
        answers.show_cards(link, answer, texts)
    else:
        st.info(texts("answers.none"))
