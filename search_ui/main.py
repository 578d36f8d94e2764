"""The page that Streamlit runs anew for every session and after every click: pages, and what stands around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from indexer.errors import SeekpointError
from search_ui import state
from search_ui.strings import Texts
from search_ui.viewer import Viewer
from search_ui.views import library, search, system

ICON = Path(__file__).with_name("icon.svg")
STYLE = Path(__file__).with_name("style.css")


def main() -> None:
    st.set_page_config(page_title="Seekpoint", page_icon=str(ICON), layout="wide")
    texts = state.texts()
    st.html(STYLE)
    # Screen readers choose their voice by it.
    st.html(f"<script>document.documentElement.lang = '{texts.language}'</script>", unsafe_allow_javascript=True)
    viewer = state.viewer()
    if viewer is None:
        st.link_button(texts("sign_in"), "/sign-in")
        st.stop()
    shown = (("search", search.show, "search"), ("library", library.show, "video_library"), ("system", system.show, "monitor_heart"))
    pages = [
        st.Page(
            _guarded(show, viewer, texts), title=texts(f"page.{name}"), url_path=name, default=name == "search", icon=f":material/{icon}:"
        )
        for name, show, icon in shown
    ]
    st.session_state["pages"] = pages
    st.navigation(pages, position="top").run()


def _guarded(show: Callable[[Viewer, Texts], None], viewer: Viewer, texts: Texts) -> Callable[[], None]:
    """Errors in words: what a person can mend, and defects without their insides."""

    def page() -> None:
        try:
            show(viewer, texts)
        except SeekpointError as error:
            said, hint = state.plain(texts.said(error.message)), state.plain(texts.said(error.hint))
            st.error(f"**{texts('error')}.** {said}  \n{hint}", icon=":material/error:")

    return page


main()
