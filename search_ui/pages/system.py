"""What the index costs, what models there are, and what `doctor` says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

import streamlit as st

from grounding.spans import format_time
from indexer.formatting import format_bytes
from indexer.messages import N_
from indexer.paths import printable
from indexer.vocabulary import AuditAction
from search_ui import session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.supervisor import ThreadState

SHOWN_STRAYS = 20
SHOWN_ENTRIES = 200
ACTIONS = {
    AuditAction.SIGNED_IN: N_("signed in"),
    AuditAction.SIGN_IN_FAILED: N_("sign-in failed"),
    AuditAction.SIGNED_OUT: N_("signed out"),
    AuditAction.SEARCHED_OTHERS: N_("searched others' in vain"),
    AuditAction.ADDED: N_("added"),
    AuditAction.REMOVED: N_("removed"),
    AuditAction.SHARED: N_("shared"),
    AuditAction.CHANGED_RIGHTS: N_("changed rights"),
}

THREADS = {
    "alerts": N_("Telling webhooks of saved searches"),
    "audit": N_("Deleting old entries of the audit log"),
    "copies": N_("Making copies for browsers"),
    "folders": N_("Looking into watched folders"),
    "handed-over": N_("Following what workers are at"),
    "jobs": N_("Adding videos"),
    "leases": N_("Holding on to work, and taking over what was lost"),
    "models": N_("Loading models"),
    "presence": N_("Reporting that this page runs"),
    "snapshots": N_("Writing vector snapshots"),
    "uploads": N_("Deleting what is left of broken uploads"),
}
"""What the threads of `Jobs` do, by their names."""


def show(user: User, tr: Translator) -> None:
    """The page about the index, the installation and the models."""
    st.header(tr("System"), anchor=False)
    if user.account_id is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(tr("Signed in as {name}", name=user.name))
            st.html(f'<a href="/account">{escape(tr("Your account"))}</a>', width="content")
            st.html(f'<a href="/sign-out">{escape(tr("Sign out"))}</a>', width="content")
    if user.collection_ids is None:
        _index(tr)
        _doctor(tr)
        _threads(tr)
        if user.can_edit:
            _stray_uploads(user, tr)
    if user.is_administrator:
        _audit(tr)
    _models(tr)


def _audit(tr: Translator) -> None:
    """Rows of names that people chose: shown as data, never as Markdown."""
    entries = app_state().library.audit_log(last=SHOWN_ENTRIES)
    with st.expander(tr("Audit log"), icon=":material/policy:"):
        st.dataframe(
            [
                {
                    tr("When"): entry.at,
                    tr("Who"): entry.actor.name or tr("local page"),
                    tr("From"): entry.actor.address,
                    tr("Action"): tr(ACTIONS[entry.action]),
                    tr("Of"): entry.subject,
                    tr("Details"): json.dumps(entry.details, ensure_ascii=False),
                }
                for entry in entries
            ],
            hide_index=True,
        )


def _index(tr: Translator) -> None:
    status = app_state().library.status()
    st.subheader(tr("Index"), anchor=False)
    with st.container(horizontal=True):
        st.metric(tr("Video"), format_time(status.video_s), border=True)
        st.metric(tr("Segments"), f"{status.segments:,}", border=True)
        st.metric(tr("Disk"), format_bytes(sum(status.disk_bytes.values())), border=True)
        per_hour = "" if status.bytes_per_hour is None else format_bytes(status.bytes_per_hour)
        st.metric(tr("Per hour of video"), per_hour, border=True)


def _doctor(tr: Translator) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(tr("Check-up"), anchor=False, width="stretch")
        st.button(tr("Check again"), icon=":material/refresh:")
    with st.spinner(tr("running")):
        checks = app_state().library.doctor()
    mark = {True: ("✓", tr("ok")), False: ("✗", tr("not ok"))}
    _rows([(*mark[check.ok], tr(check.name), tr(check.found), tr(check.mend)) for check in checks])


def _threads(tr: Translator) -> None:
    states = app_state().jobs.supervisor.states()
    if not states:
        return
    st.subheader(tr("Work behind the page"), anchor=False)
    mark = {True: ("✓", tr("ok")), False: ("✗", tr("not ok"))}
    _rows(
        [
            (
                *mark[state.alive and not state.error],
                tr(THREADS.get(state.name, state.name)),
                _age(state, tr),
                tr(state.error),
            )
            for state in states
        ]
    )


def _age(state: ThreadState, tr: Translator) -> str:
    if state.busy_s is not None:
        return tr("at work for {time}", time=format_time(state.busy_s))
    if state.age_s is None:
        return tr("not done yet")
    return tr("went well {time} ago", time=format_time(state.age_s))


def _stray_uploads(user: User, tr: Translator) -> None:
    """A crash between storing a file and noting it leaves such files."""
    strays = app_state().library.stray_uploads()
    if not strays:
        return
    st.subheader(tr("Uploaded files that belong to no video"), anchor=False)
    st.text("\n".join(printable(path.name) for path in strays[:SHOWN_STRAYS]))
    names = app_state().visible_names(user)
    collection = st.selectbox(tr("Collection"), names, key="stray_collection")
    if st.button(tr("Add them"), icon=":material/add:", disabled=collection is None):
        if session_state.may_edit():
            app_state().jobs.ingest(
                strays,
                str(collection),
                actor=user.actor(),
                reach=app_state().uploads_reach,
            )
        st.rerun()


def _models(tr: Translator) -> None:
    st.subheader(tr("Models"), anchor=False)
    mark = {True: ("✓", tr("Installed")), False: ("–", tr("How to get it"))}
    _rows(
        [
            (
                *mark[model.installed],
                tr(model.name),
                tr(
                    "{purpose}. Quality: {quality}",
                    purpose=tr(model.purpose),
                    quality=tr(model.quality),
                ),
                tr(model.how_to_get),
            )
            for model in app_state().library.models()
        ]
    )


def _rows(rows: Sequence[tuple[str, str, str, str, str]]) -> None:
    """Rows of (sign, what the sign means, name, text, small print); one below the other on a
    phone.
    """
    st.html(f'<dl class="checks">{"".join(_row(*row) for row in rows)}</dl>')


def _row(sign: str, meaning: str, name: str, text: str, small: str) -> str:
    label = escape(meaning)
    mark = f'<span role="img" aria-label="{label}" title="{label}">{sign}</span>'
    note = f"<small>{escape(small)}</small>" if small else ""
    return f"<dt>{mark} {escape(name)}</dt><dd>{escape(text)}{note}</dd>"
