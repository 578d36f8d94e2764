"""What the index costs, what models there are, and what `doctor` says."""

from __future__ import annotations

from html import escape

import streamlit as st

from grounding.spans import format_time
from search_ui.site import site
from search_ui.strings import Texts
from search_ui.viewer import Viewer


def show(viewer: Viewer, texts: Texts) -> None:
    st.header(texts("page.system"), anchor=False)
    if viewer.account_id is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(texts("open.as", name=viewer.name))
            st.html(f'<a href="/sign-out">{escape(texts("sign_out"))}</a>', width="content")
    if viewer.collection_ids is None:
        _index(texts)
        _doctor(texts)
    _models(texts)


def _index(texts: Texts) -> None:
    status = site().library.status()
    st.subheader(texts("index"), anchor=False)
    with st.container(horizontal=True):
        st.metric(texts("index.length"), format_time(status.video_s), border=True)
        st.metric(texts("index.segments"), f"{status.segments:,}", border=True)
        st.metric(texts("index.disk"), f"{sum(status.disk_bytes.values()) / 1e6:,.1f} MB", border=True)
        per_hour = "" if status.bytes_per_hour is None else f"{status.bytes_per_hour / 1e6:,.1f} MB"
        st.metric(texts("index.per_hour"), per_hour, border=True)


def _doctor(texts: Texts) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(texts("doctor"), anchor=False, width="stretch")
        st.button(texts("doctor.run"), icon=":material/refresh:")
    with st.spinner(texts("job.running")):
        checks = site().library.doctor()
    mark = {True: f"✓ {texts('doctor.ok')}", False: f"✗ {texts('doctor.bad')}"}
    st.dataframe([{" ": mark[it.ok], texts("doctor"): it.name, "": it.found, "→": it.mend} for it in checks], hide_index=True)


def _models(texts: Texts) -> None:
    st.subheader(texts("models"), anchor=False)
    names = ("name", "purpose", "installed", "quality", "get")
    rows = [(it.name, it.purpose, it.installed, it.quality, it.how_to_get) for it in site().library.models()]
    st.dataframe([{texts(f"model.{name}"): value for name, value in zip(names, row)} for row in rows], hide_index=True)
