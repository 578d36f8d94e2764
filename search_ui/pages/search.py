"""Ask, see the answers, watch."""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search_ui import session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.pages import answers, ask, home, watch
from search_ui.url_state import Link


def show(user: User, tr: Translator) -> None:
    """The search field, and below it the player, the answers or the home page."""
    link = session_state.current_link()
    ask.show(link, user, tr)
    if link.place is not None:
        with _body("watch"):
            watch.show(link, user, tr)
    elif link.search.is_empty:
        with _body("home"):
            home.show(link, user, tr)
    else:
        with _body("answers"):
            _answers(link, user, tr)
    answers.note_search(link.search, user)


def _body(kind: str) -> DeltaGenerator:
    """Of another kind than before, it is cleared first: what Streamlit keeps until the run ends
    would hang below the new and jump.
    """
    before, st.session_state["body"] = st.session_state.get("body"), kind
    return st.container() if before == kind else st.empty().container()


def _answers(link: Link, user: User, tr: Translator) -> None:
    name = app_state().library.grounder_name
    with (
        st.spinner(tr("{name} looks at the best moments …", name=name or tr("A grounder")))
        if link.search.ground
        else nullcontext()
    ):
        answer = answers.answer_to(link.search, user)
    answers.headline(link, answer, user, tr)
    if answer.moments:
        answers.show_cards(link, answer, tr)
    else:
        st.info(tr("Nothing found."))
