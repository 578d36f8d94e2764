"""What one session sees: the link in its address bar, the user, the language, and the widgets
that follow them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from indexer.errors import SeekpointError
from indexer.valid_text import is_valid_text
from search_ui.app_state import app_state
from search_ui.auth.access_rights import LOCAL_USER, User
from search_ui.i18n.translator import Translator
from search_ui.url_state import LONGEST_QUESTION, Link, Place, Search, parse_link, read_link

# Widget of each field of a search.
FIELDS = {
    "text": "ask_text",
    "collections": "filter_collections",
    "only": "filter_only",
    "recorded_from": "filter_from",
    "recorded_to": "filter_to",
    "shortest_min": "filter_min",
    "longest_min": "filter_max",
    "name": "filter_name",
    "ground": "filter_ground",
}


def translator() -> Translator:
    """The translator for the language of the browser."""
    return Translator.of(str(st.context.locale or ""))


def user() -> User | None:
    """Read at every run: an account that was changed or removed is so at once."""
    return app_state().sessions.user(st.context.cookies) if app_state().sign_in else LOCAL_USER


def may_edit() -> bool:
    """Callbacks run before the page checks who is there, and a role may have changed meanwhile."""
    current = user()
    return current is not None and current.can_edit


def current_link() -> Link:
    """The address bar decides; widgets are set to it where it changed under them (a link, back,
    forward).
    """
    link = read_link({name: st.query_params.get_all(name) for name in st.query_params})
    if st.session_state.get("shown_search") != link.search:
        for field, key in FIELDS.items():
            value = getattr(link.search, field)
            st.session_state[key] = list(value) if isinstance(value, tuple) else value
        st.session_state["shown_search"] = link.search
    return link


def go(link: Link) -> None:
    """One step in the browser's history."""
    st.query_params.from_dict(link.params())


def ask_from_widgets() -> None:
    """The search that the widgets say; a new text ends a search by likeness and goes with a
    picture, a filter narrows it.
    """
    before = st.session_state.get("shown_search", Search())
    values = {field: _value(st.session_state.get(key)) for field, key in FIELDS.items()}
    search = replace(before, **values)
    if search.text != before.text:
        search = replace(search, text=search.text[:LONGEST_QUESTION], like="")
    st.session_state["shown_search"] = search
    go(Link(search))


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, str):
        return value.strip() if is_valid_text(value) else ""
    return value


def open_place(link: Link, place: Place) -> None:
    """Each click counts, also one on the moment that is shown already: the player seeks again."""
    st.session_state["click"] = st.session_state.get("click", 0) + 1
    go(link.at(place))


def open_clicked(cards: str) -> None:
    """Follows the link of the clicked card, which may belong to an answer replaced meanwhile."""
    clicked = st.session_state[cards].get("open")
    link = parse_link(str(clicked["href"])) if clicked else Link()
    if link.place is not None:
        open_place(link, link.place)


def show_error(error: SeekpointError, tr: Translator) -> None:
    """A message in place of an error that a person can act on."""
    what, advice = escape_markdown(tr(error.what)), escape_markdown(tr(error.advice))
    st.error(f"**{tr('Something went wrong.')}** {what}  \n{advice}", icon=":material/error:")


def go_clicked(component: str) -> None:
    """Follows the link that was clicked in a component of ours, which stands in its `go`."""
    clicked = st.session_state[component].get("go")
    if clicked:
        go(parse_link(str(clicked["href"])))


_ESCAPED = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]()#+-.!|<>~:$&@/^="})


def escape_markdown(text: str) -> str:
    """Text of people and files for places that read Markdown: nothing in it becomes a link, an
    image or a colour.
    """
    return " ".join(text.split()).translate(_ESCAPED)
