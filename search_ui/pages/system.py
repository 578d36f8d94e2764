"""What the index costs, what models there are, and what `doctor` says."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from grounding.spans import format_time
from search_ui.app_state import site
from search_ui.strings import Texts
from search_ui.user import Viewer


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
        st.metric(
            texts("index.disk"), f"{sum(status.disk_bytes.values()) / 1e6:,.1f} MB", border=True
        )
        per_hour = "" if status.bytes_per_hour is None else f"{status.bytes_per_hour / 1e6:,.1f} MB"
        st.metric(texts("index.per_hour"), per_hour, border=True)


def _doctor(texts: Texts) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(texts("doctor"), anchor=False, width="stretch")
        st.button(texts("doctor.run"), icon=":material/refresh:")
    with st.spinner(texts("job.running")):
        checks = site().library.doctor()
    mark = {True: ("✓", texts("doctor.ok")), False: ("✗", texts("doctor.bad"))}
    said = texts.said
    _rows([(*mark[it.ok], said(it.name), said(it.found), said(it.mend)) for it in checks])


def _models(texts: Texts) -> None:
    st.subheader(texts("models"), anchor=False)
    mark = {True: ("✓", texts("model.installed")), False: ("–", texts("model.get"))}
    said = texts.said
    _rows(
        [
            (
                *mark[it.installed],
                said(it.name),
                texts("model.text", purpose=said(it.purpose), quality=said(it.quality)),
                said(it.how_to_get),
            )
            for it in site().library.models()
        ]
    )


def _rows(rows: Sequence[tuple[str, str, str, str, str]]) -> None:
    """Sign, what it says, name, text, small print: beside each other, and below each other on a
    telephone.
    """
    cells = [
        f'<dt><span role="img" aria-label="{escape(said)}" title="{escape(said)}">{sign}</span> {escape(name)}</dt>'
        f"<dd>{escape(text)}{f'<small>{escape(small)}</small>' if small else ''}</dd>"
        for sign, said, name, text, small in rows
    ]
    st.html(f'<dl class="checks">{"".join(cells)}</dl>')
