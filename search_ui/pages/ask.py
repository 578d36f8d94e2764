"""The question, the filters, and the search by picture."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from indexer.formatting import format_bytes
from indexer.questions.query_pictures import LARGEST_BYTES
from indexer.search.types import KINDS
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.pages.cards import EVIDENCE
from search_ui.session_state import escape_markdown
from search_ui.url_state import FIRST_DAY, LAST_DAY, Link, Search, is_picture


def show(link: Link, user: User, tr: Translator) -> None:
    """The search field with its filters."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="ask_bar"):
        st.text_input(
            tr("What are you looking for?"),
            key=session_state.FIELDS["text"],
            placeholder=tr("When does the dog jump?"),
            on_change=session_state.ask_from_widgets,
            label_visibility="collapsed",
            icon=":material/search:",
        )
        with st.popover(_filters_label(link.search, tr), icon=":material/tune:", width="content"):
            _filters(link, user, tr)
        with st.popover(tr("By picture"), icon=":material/image_search:", width="content"):
            _by_picture(link, tr)


def _filters_label(search: Search, tr: Translator) -> str:
    fields = (
        "collections",
        "only",
        "recorded_from",
        "recorded_to",
        "shortest_min",
        "longest_min",
        "name",
        "ground",
    )
    count = sum(bool(getattr(search, field)) for field in fields)
    return tr("Filters ({n})", n=count) if count else tr("Filters")


def _filters(link: Link, user: User, tr: Translator) -> None:
    names = app_state().visible_names(user)
    kept = [
        name
        for name in st.session_state.get(session_state.FIELDS["collections"], [])
        if name in names
    ]
    st.session_state[session_state.FIELDS["collections"]] = kept
    changed = session_state.ask_from_widgets
    shared = {"on_change": changed, "placeholder": tr("All")}
    st.multiselect(
        tr("Collections"),
        names,
        key=session_state.FIELDS["collections"],
        format_func=escape_markdown,
        **shared,
    )
    st.multiselect(
        tr("Why it matched"),
        KINDS,
        key=session_state.FIELDS["only"],
        format_func=lambda kind: tr(EVIDENCE[kind]),
        **shared,
    )
    first, second = st.columns(2)
    days = {"value": None, "min_value": FIRST_DAY, "max_value": LAST_DAY, "on_change": changed}
    first.date_input(tr("Recorded from"), key=session_state.FIELDS["recorded_from"], **days)
    second.date_input(tr("Recorded until"), key=session_state.FIELDS["recorded_to"], **days)
    first, second = st.columns(2)
    first.number_input(
        tr("Shortest video, minutes"),
        min_value=0.0,
        value=None,
        step=1.0,
        key=session_state.FIELDS["shortest_min"],
        on_change=changed,
    )
    second.number_input(
        tr("Longest video, minutes"),
        min_value=0.0,
        value=None,
        step=1.0,
        key=session_state.FIELDS["longest_min"],
        on_change=changed,
    )
    st.text_input(
        tr("Title or file name contains"),
        key=session_state.FIELDS["name"],
        on_change=changed,
        max_chars=200,
    )
    if name := app_state().library.grounder_name:
        st.toggle(
            tr("Check with {name}", name=name),
            key=session_state.FIELDS["ground"],
            on_change=changed,
            help=tr("Slower: a language model looks at the best moments again"),
        )
    search = link.search
    cleared = Link(Search(text=search.text, like=search.like, picture=search.picture))
    st.button(
        tr("Clear filters"),
        on_click=session_state.go,
        args=(cleared,),
        disabled=cleared.search == search,
    )


def _by_picture(link: Link, tr: Translator) -> None:
    labels = {
        "drop": tr("A picture of what you look for"),
        "done": tr("looking …"),
        "failed": tr("The upload failed."),
    }
    labels["too_large"] = tr(
        "The file is too large: up to {size} each.", size=format_bytes(LARGEST_BYTES)
    )
    data = {
        "url": "/picture",
        "accept": "image/*",
        "multiple": False,
        "limit_bytes": LARGEST_BYTES,
        "labels": labels,
    }

    def on_uploaded() -> None:
        sent = st.session_state["picture"].get("uploaded")
        if sent and is_picture(str(sent["name"])):
            session_state.go(Link(replace(link.search, like="", picture=sent["name"])))

    components.uploader(data, key="picture", on_uploaded=on_uploaded)
