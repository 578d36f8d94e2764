"""The question, the filters, and the search by picture."""

from __future__ import annotations

import io
from dataclasses import replace

import streamlit as st
from PIL import Image, UnidentifiedImageError

from indexer.picture_questions import LARGEST_BYTES, keep_picture
from indexer.search import KINDS
from search_ui import state
from search_ui.links import TOPS, Link, Search
from search_ui.site import site
from search_ui.strings import Texts
from search_ui.viewer import Viewer


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
        with st.popover(_filters_label(link.search, texts), icon=":material/tune:", width="content"):
            _filters(link, viewer, texts)
        with st.popover(texts("picture"), icon=":material/image_search:", width="content"):
            _by_picture(link, texts)


def _filters_label(search: Search, texts: Texts) -> str:
    fields = ("collections", "only", "recorded_from", "recorded_to", "shortest_min", "longest_min", "name", "ground")
    count = sum(bool(getattr(search, field)) for field in fields)
    return texts("filters.on", n=count) if count else texts("filters")


def _filters(link: Link, viewer: Viewer, texts: Texts) -> None:
    names = site().visible_names(viewer)
    kept = [name for name in st.session_state.get(state.FIELDS["collections"], []) if name in names]
    st.session_state[state.FIELDS["collections"]] = kept
    changed = state.ask_from_widgets
    st.multiselect(texts("filter.collections"), names, key=state.FIELDS["collections"], on_change=changed, format_func=state.plain)
    st.multiselect(
        texts("filter.only"), KINDS, key=state.FIELDS["only"], on_change=changed, format_func=lambda kind: texts(f"evidence.{kind}")
    )
    first, second = st.columns(2)
    first.date_input(texts("filter.from"), value=None, key=state.FIELDS["recorded_from"], on_change=changed)
    second.date_input(texts("filter.to"), value=None, key=state.FIELDS["recorded_to"], on_change=changed)
    first.number_input(texts("filter.min"), min_value=0.0, value=None, step=1.0, key=state.FIELDS["shortest_min"], on_change=changed)
    second.number_input(texts("filter.max"), min_value=0.0, value=None, step=1.0, key=state.FIELDS["longest_min"], on_change=changed)
    st.text_input(texts("filter.name"), key=state.FIELDS["name"], on_change=changed, max_chars=200)
    st.segmented_control(texts("filter.top"), TOPS, key=state.FIELDS["top"], on_change=changed, required=True)
    if site().library.has_lego:
        st.toggle(texts("filter.ground"), key=state.FIELDS["ground"], on_change=changed, help=texts("filter.ground_help"))
    search = link.search
    cleared = Link(Search(text=search.text, like=search.like, picture=search.picture))
    st.button(texts("filter.clear"), on_click=state.go, args=(cleared,), disabled=cleared.search == search)


def _by_picture(link: Link, texts: Texts) -> None:
    kinds = ["jpg", "jpeg", "png", "webp", "bmp", "gif"]
    file = st.file_uploader(texts("picture.drop"), type=kinds, max_upload_size=LARGEST_BYTES // 2**20)
    if file is None or st.session_state.get("picture_asked") == file.file_id:
        return
    try:
        name = keep_picture(site().settings, Image.open(io.BytesIO(file.getvalue())))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        st.error(texts("picture.bad"))
        return
    st.session_state["picture_asked"] = file.file_id
    state.go(Link(replace(link.search, text="", like="", picture=name)))
    st.rerun()
