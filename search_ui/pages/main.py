"""The script that Streamlit runs for every session and after every click: pages and their frame."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from indexer.errors import SeekpointError
from indexer.messages import N_
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.streamlit_words import streamlit_words
from search_ui.i18n.translator import Translator
from search_ui.outages import note_error
from search_ui.pages import library, search, system
from search_ui.url_state import PAGE_NAMES

# In the page itself: Streamlit would keep a file in the memory of one process.
ICON = "data:image/svg+xml;base64," + b64encode(
    (Path(__file__).parents[1] / "icon.svg").read_bytes()
).decode("ascii")
PAGES = (
    (search.show, N_("Search"), "search"),
    (library.show, N_("Library"), "video_library"),
    (system.show, N_("System"), "monitor_heart"),
)
THEMES = {"System": N_("Auto"), "Light": N_("Light"), "Dark": N_("Dark")}


def main() -> None:
    """Draws the page that the address names, for whoever is signed in."""
    question = st.query_params.get("q", "")[:100].strip()
    window_title = f"{question} · Seekpoint" if question else "Seekpoint"
    st.set_page_config(page_title=window_title, page_icon=ICON, layout="wide")
    tr = session_state.translator()
    components.frame(_frame(tr))
    user = session_state.user()
    if user is None:
        st.link_button(tr("Sign in"), "/sign-in")
        st.stop()
    pages = [
        st.Page(
            _with_errors_shown(show, user, tr),
            title=tr(title),
            url_path=name,
            default=name == "search",
            icon=f":material/{icon}:",
        )
        for name, (show, title, icon) in zip(PAGE_NAMES, PAGES)
    ]
    st.session_state["pages"] = pages
    st.navigation(pages, position="top").run()


def _frame(tr: Translator) -> dict[str, Any]:
    return {
        "labels": {
            "theme": tr("Colours"),
            "themes": {name: tr(label) for name, label in THEMES.items()},
        },
        "paths": ["/", *(f"/{name}" for name in PAGE_NAMES)],
        "words": streamlit_words(tr),
    }


def _with_errors_shown(
    show: Callable[[User, Translator], None], user: User, tr: Translator
) -> Callable[[], None]:
    """The page, with a message in place of an error that a person can act on."""

    def page() -> None:
        try:
            show(user, tr)
        except SeekpointError as error:
            note_error(error, app_state().requests)
            session_state.show_error(error, tr)

    return page


main()
