"""The page that Streamlit runs anew for every session and after every click: pages, and what stands
around them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from indexer.errors import SeekpointError
from search_ui import components, state
from search_ui.pages import library, search, system
from search_ui.strings import Texts
from search_ui.url_state import PAGE_NAMES
from search_ui.user import Viewer

ICON = Path(__file__).with_name("icon.svg")
SHOWN = ((search.show, "search"), (library.show, "video_library"), (system.show, "monitor_heart"))


def main() -> None:
    st.set_page_config(page_title="Seekpoint", page_icon=str(ICON), layout="wide")
    texts = state.texts()
    components.frame(_frame(texts))
    viewer = state.viewer()
    if viewer is None:
        st.link_button(texts("sign_in"), "/sign-in")
        st.stop()
    pages = [
        st.Page(
            _guarded(show, viewer, texts),
            title=texts(f"page.{name}"),
            url_path=name,
            default=name == "search",
            icon=f":material/{icon}:",
        )
        for name, (show, icon) in zip(PAGE_NAMES, SHOWN)
    ]
    st.session_state["pages"] = pages
    st.navigation(pages, position="top").run()


def _frame(texts: Texts) -> dict[str, Any]:
    themes = {name: texts(f"theme.{name}") for name in ("System", "Light", "Dark")}
    return {
        "labels": {"theme": texts("theme"), "themes": themes},
        "paths": ["/", *(f"/{name}" for name in PAGE_NAMES)],
        "words": texts.streamlit,
    }


def _guarded(
    show: Callable[[Viewer, Texts], None], viewer: Viewer, texts: Texts
) -> Callable[[], None]:
    """Errors in words: what a person can mend, and defects without their insides."""

    def page() -> None:
        try:
            show(viewer, texts)
        except SeekpointError as error:
            said, hint = state.plain(texts.said(error.message)), state.plain(texts.said(error.hint))
            st.error(f"**{texts('error')}.** {said}  \n{hint}", icon=":material/error:")

    return page


main()
