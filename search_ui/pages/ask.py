"""The question, the filters, and the search by picture."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from indexer.questions.query_pictures import LARGEST_BYTES
from indexer.search.types import KINDS
from search_ui import components, state
from search_ui.app_state import site
from search_ui.routes.upload import size_text
from search_ui.strings import Texts
from search_ui.url_state import FIRST_DAY, LAST_DAY, TOPS, Link, Search, is_picture
from search_ui.user import Viewer


def show(link: Link, viewer: Viewer, texts: Texts) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="ask_bar"):
        st.text_input(
            texts("ask"),
            key=state.FIELDS["text"],
            placeholder=texts("ask.hint"),
            on_change=state.ask_from_widgets,
            label_visibility="collapsed",
            icon=":material/search:",
            max_chars=2000,
        )
        with st.popover(
            _filters_label(link.search, texts), icon=":material/tune:", width="content"
        ):
            _filters(link, viewer, texts)
        with st.popover(texts("picture"), icon=":material/image_search:", width="content"):
            _by_picture(link, texts)


def _filters_label(search: Search, texts: Texts) -> str:
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
    return texts("filters.on", n=count) if count else texts("filters")


def _filters(link: Link, viewer: Viewer, texts: Texts) -> None:
    names = site().visible_names(viewer)
    kept = [name for name in st.session_state.get(state.FIELDS["collections"], []) if name in names]
    st.session_state[state.FIELDS["collections"]] = kept
    changed = state.ask_from_widgets
    shared = {"on_change": changed, "placeholder": texts("filter.all")}
    st.multiselect(
        texts("filter.collections"),
        names,
        key=state.FIELDS["collections"],
        format_func=state.plain,
        **shared,
    )
    st.multiselect(
        texts("filter.only"),
        KINDS,
        key=state.FIELDS["only"],
        format_func=lambda kind: texts(f"evidence.{kind}"),
        **shared,
    )
    first, second = st.columns(2)
    days = {"value": None, "min_value": FIRST_DAY, "max_value": LAST_DAY, "on_change": changed}
    first.date_input(texts("filter.from"), key=state.FIELDS["recorded_from"], **days)
    second.date_input(texts("filter.to"), key=state.FIELDS["recorded_to"], **days)
    first, second = st.columns(2)
    first.number_input(
        texts("filter.min"),
        min_value=0.0,
        value=None,
        step=1.0,
        key=state.FIELDS["shortest_min"],
        on_change=changed,
    )
    second.number_input(
        texts("filter.max"),
        min_value=0.0,
        value=None,
        step=1.0,
        key=state.FIELDS["longest_min"],
        on_change=changed,
    )
    st.text_input(texts("filter.name"), key=state.FIELDS["name"], on_change=changed, max_chars=200)
    st.segmented_control(
        texts("filter.top"), TOPS, key=state.FIELDS["top"], on_change=changed, required=True
    )
    if site().library.has_lego:
        st.toggle(
            texts("filter.ground"),
            key=state.FIELDS["ground"],
            on_change=changed,
            help=texts("filter.ground_help"),
        )
    search = link.search
    cleared = Link(Search(text=search.text, like=search.like, picture=search.picture))
    st.button(
        texts("filter.clear"), on_click=state.go, args=(cleared,), disabled=cleared.search == search
    )


def _by_picture(link: Link, texts: Texts) -> None:
    labels = {
        "drop": texts("picture.drop"),
        "done": texts("picture.done"),
        "failed": texts("upload.failed"),
    }
    labels["too_large"] = texts("upload.too_large", size=size_text(LARGEST_BYTES))
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
            state.go(Link(replace(link.search, text="", like="", picture=sent["name"])))

    components.uploader(data, key="picture", on_uploaded=on_uploaded)
