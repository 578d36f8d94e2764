"""The script that Streamlit runs for every session and after every click: pages and their frame."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from indexer.catalog.people import moment_lists
from indexer.errors import SeekpointError
from indexer.messages import N_
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.streamlit_words import streamlit_words
from search_ui.i18n.translator import Translator
from search_ui.outages import note_error
from search_ui.pages import library, moments, search, system
from search_ui.url_state import LONGEST_QUESTION, PAGE_NAMES

# In the page itself: Streamlit would keep a file in the memory of one process.
ICON = "data:image/svg+xml;base64," + b64encode(
    (Path(__file__).parents[1] / "icon.svg").read_bytes()
).decode("ascii")
PAGES = (
    (search.show, N_("Search"), "search"),
    (library.show, N_("Library"), "video_library"),
    (moments.show, N_("Moments"), "playlist_play"),
    (system.show, N_("System"), "monitor_heart"),
)
THEMES = {"System": N_("Auto"), "Light": N_("Light"), "Dark": N_("Dark")}


# Keys of every page, and of the player on the page where one watches.
KEYS = (
    ("/", N_("to the question")),
    ("?", N_("these keys")),
    ("Esc", N_("close what is open")),
    ("k", N_("play or pause")),
    ("← →", N_("5 s back or on, with Shift 1 s")),
    ("j l", N_("10 s back or on")),
    (", .", N_("one frame back or on")),
    ("< >", N_("slower or faster")),
    ("n", N_("next moment")),
    ("o", N_("repeat the moment")),
    ("m", N_("mute")),
    ("f", N_("full screen")),
)


def main() -> None:
    """Draws the page that the address names, for whoever is signed in."""
    st.set_page_config(page_title="Seekpoint", page_icon=ICON, layout="wide")
    tr = session_state.translator()
    user = session_state.user()
    if user is None:
        _top_bar([], None, tr)
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
    chosen = st.navigation(pages, position="hidden")
    _top_bar(pages, user, tr)
    if chosen != pages[0]:
        st.set_page_config(page_title=f"{chosen.title} · Seekpoint")
    chosen.run()


def _count_kept(user: User) -> int:
    try:
        with app_state().library.catalog.read() as session:
            return moment_lists.count_in_tray(session, user.account_id)
    except SeekpointError:  # the page itself says what is wrong
        return 0


def _top_bar(pages: list[StreamlitPage], user: User | None, tr: Translator) -> None:
    """The product's name, the colours and the keys; the pages, which a telephone has at the
    bottom, with how many moments are kept.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="top_bar"):
        with st.container(key="brand"):
            if pages:
                st.page_link(pages[0], label="Seekpoint")
        components.frame(_frame(user, tr), on_go=lambda: session_state.go_clicked("frame"))
    if user is not None:
        kept = _count_kept(user)
        with st.container(horizontal=True, vertical_alignment="center", key="nav"):
            for page, (show, *_) in zip(pages, PAGES):
                badge = f" :gray-badge[{kept}]" if kept and show is moments.show else ""
                st.page_link(page, label=page.title + badge)


def _frame(user: User | None, tr: Translator) -> dict[str, Any]:
    account = user if user is not None and user.account_id is not None else None
    return {
        "account": {"name": account.name, "href": "/account"} if account else None,
        "labels": {
            "account": tr("Your account"),
            "theme": tr("Colours"),
            "themes": {name: tr(label) for name, label in THEMES.items()},
            "keys": tr("Keys"),
            "close": tr("Close"),
            "slow": tr("The server takes long to answer. Still waiting …"),
            "failed": tr("The upload failed."),
            "cut": tr("The question was cut to {n} characters.", n=LONGEST_QUESTION),
        },
        "keys": [[names, tr(text)] for names, text in KEYS],
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
