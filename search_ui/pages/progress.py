"""What runs behind the page, live."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from indexer.formatting import format_bytes
from indexer.messages import N_
from search_ui import session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.jobs import Job
from search_ui.session_state import escape_markdown

EVERY_S = 1.0
SHOWN = 5
STATES = {
    "waiting": N_("waiting"),
    "running": N_("running"),
    "paused": N_("paused"),
    "cancelled": N_("cancelled"),
    "done": N_("done"),
    "failed": N_("with problems"),
}


def show(user: User, tr: Translator, *, lately: bool = False) -> None:
    """Bars of the jobs in collections that this user sees; the page is drawn again when one of
    them has ended. `lately`: those that ended well are listed too.
    """
    st.session_state["jobs_seen"] = app_state().jobs.finished
    jobs = _visible(user)
    if any(job.is_open for job in jobs):
        st.fragment(_live, run_every=EVERY_S)(user, tr)
    for job in _last_of_each(jobs):
        # A viewer cannot fix a problem and must not learn the server's folders from it.
        if not job.is_open and (user.can_edit if job.problems else lately):
            _show_ended(job, user, tr)


def _live(user: User, tr: Translator) -> None:
    if app_state().jobs.finished != st.session_state["jobs_seen"]:
        st.rerun()
    for job in _visible(user):
        if job.is_open:
            _open(job, user, tr)


def _open(job: Job, user: User, tr: Translator) -> None:
    parts = [tr(job.title), job.collection, tr(STATES[job.state]), *_figures(job, tr)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(job.fraction, text=" · ".join(map(escape_markdown, parts)), width="stretch")
        if user.can_edit:
            jobs = app_state().jobs
            is_paused = job.state == "paused"
            change = jobs.resume if is_paused else jobs.pause
            icon = "play_arrow" if is_paused else "pause"
            _icon(job, icon, change, tr("Continue") if is_paused else tr("Pause"))
            _icon(job, "close", jobs.cancel, tr("Cancel"))


def _figures(job: Job, tr: Translator) -> list[str]:
    now = job.progress
    found = []
    if now.files > 1:
        found.append(tr("{done} of {n} files", done=now.files_done, n=now.files))
    if now.size_bytes > 1:
        done, total = format_bytes(now.done_bytes), format_bytes(now.size_bytes)
        found.append(tr("{done} of {total}", done=done, total=total))
    if job.speed is not None:
        found.append(tr("{speed} times as fast as the video", speed=f"{job.speed:.2g}"))
    if job.problems:
        found.append(tr("{n} with problems", n=len(job.problems)))
    return found


def _icon(job: Job, icon: str, change: Callable[[int], None], words: str) -> None:
    st.button(
        words,
        key=f"{icon}_job_{job.id}",
        icon=f":material/{icon}:",
        type="tertiary",
        on_click=_change,
        args=(change, job.id),
    )


def _change(change: Callable[[int], None], job_id: int) -> None:
    if session_state.may_edit():
        change(job_id)


def _last_of_each(jobs: Sequence[Job]) -> list[Job]:
    """The last job of each kind and subject: a success takes the place of earlier failures."""
    last: dict[tuple[str, ...], Job] = {}
    for job in jobs:
        last.setdefault((job.kind, job.subject, job.collection), job)
    return list(last.values())[:SHOWN]


def _show_ended(job: Job, user: User, tr: Translator) -> None:
    label = escape_markdown(tr(job.title))
    if not job.problems:
        st.caption(f":material/check: {label} · {tr(STATES[job.state])}")
        return
    problems = "\n".join(f"- {escape_markdown(tr(problem))}" for problem in job.problems[:10])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.warning(
            f"{label} · {tr('with problems')}\n\n{problems}",
            icon=":material/warning:",
            width="stretch",
        )
        if user.can_edit:
            close = tr("Close")
            st.button(
                close,
                key=f"close_job_{job.id}",
                icon=":material/close:",
                type="tertiary",
                on_click=app_state().jobs.forget,
                args=(job.id,),
            )


def _visible(user: User) -> list[Job]:
    if user.collection_ids is None:
        return app_state().jobs.all()
    names = app_state().visible_names(user)
    return [job for job in app_state().jobs.all() if job.collection in names]
