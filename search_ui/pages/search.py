"""Ask, see the answers, watch."""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from indexer.errors import UsageError
from indexer.formatting import video_title
from indexer.search.types import Answer
from search_ui import session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.pages import answers, ask, facets, home, watch
from search_ui.pages.cards import videos_of
from search_ui.session_state import escape_markdown
from search_ui.url_state import Link

NO_ANSWER = Answer("", "", False, 0.0, (), 0.0)


def show(user: User, tr: Translator) -> None:
    """The search field, and below it the player, the answers or the home page."""
    link = session_state.current_link()
    st.set_page_config(page_title=_window_title(link, user))
    is_home = link.place is None and link.search.is_empty
    with st.container(key="hero_home" if is_home else "hero"):
        if is_home:
            st.title(tr("Which moment are you looking for?"), anchor=False)
    ask.show(link, user, tr)
    if link.place is not None:
        with _body("watch"):
            watch.show(link, user, tr)
    elif is_home:
        with _body("home"):
            home.show(link, user, tr)
    else:
        with _body("answers"):
            _answers(link, user, tr)
    answers.note_search(link.search, user)


def _window_title(link: Link, user: User) -> str:
    """What the page shows: the video, the question, or the product alone."""
    shown = [link.search.text[:100].strip()]
    if link.place is not None and (video := answers.find_video(link.place.video_id, user)):
        path = video.paths[0].relative_path if video.paths else None
        shown.insert(0, video_title(video.title, path, video.id))
    return " · ".join([*filter(None, shown), "Seekpoint"])


def _body(kind: str) -> DeltaGenerator:
    """Of another kind than before, it is cleared first: what Streamlit keeps until the run ends
    would hang below the new and jump.
    """
    before, st.session_state["body"] = st.session_state.get("body"), kind
    outer = st.container() if before == kind else st.empty().container()
    return outer.container(key=f"body_{kind}")


def _answers(link: Link, user: User, tr: Translator) -> None:
    """The answers, or a word about why there are none."""
    if home.is_empty(user):
        home.show_empty(user, tr)
        return
    name = app_state().library.grounder_name
    try:
        with (
            st.spinner(tr("{name} looks at the best moments …", name=name or tr("A grounder")))
            if link.search.ground
            else nullcontext()
        ):
            answer = answers.answer_to(link.search, user)
    except UsageError as error:  # "???", or a picture that is not kept any more
        facets.show(link.search, NO_ANSWER, {}, user, tr)
        text = tr(error.full_message)
        st.info(escape_markdown(text[:1].upper() + text[1:]), icon=":material/chat_bubble:")
        return
    known, kept = videos_of(answer), answers.kept_keys()
    facets.show(link.search, answer, known, user, tr)
    answers.headline(link, answer, kept, user, tr)
    if answer.moments:
        answers.show_cards(link, answer, known, kept, tr)
    else:
        st.info(tr("Nothing found."))
