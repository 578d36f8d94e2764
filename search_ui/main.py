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
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 4.5rem clamp(1rem, 3vw, 3rem) 3rem; max-width: 1680px; }
[data-testid="stToolbarActions"], [data-testid="stAppDeployButton"], footer { display: none; }
[data-testid="stDecoration"] { display: none; }
h1 { font-size: 1.9rem !important; } h2 { font-size: 1.35rem !important; } h3 { font-size: 1.1rem !important; }
[data-testid="stTextInput"] input { font-size: 1.05rem; }
@media (max-width: 640px) { .st-key-ask_bar > [data-testid="stElementContainer"]:first-child { flex: 1 1 100% !important; } }
@media (min-width: 900px) { .st-key-watch_alone { max-width: 1240px; }
  .st-key-more_moments { max-height: calc(100vh - 11rem); overflow-y: auto; scrollbar-width: thin; } }
</style>"""


def main() -> None:
    st.set_page_config(page_title="Seekpoint", page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    texts = state.texts()
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
            st.error(f"**{texts('error')}.** {state.plain(error.message)}  \n{state.plain(error.hint)}", icon=":material/error:")

    return page


main()
