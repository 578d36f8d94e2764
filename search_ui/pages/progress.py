"""What runs behind the page, live."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from grounding.spans import format_time
from indexer.formatting import format_bytes
from indexer.messages import N_
from indexer.vocabulary import PageJobKind
from search_ui import session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.jobs import Job
from search_ui.session_state import escape_markdown

EVERY_S = 1.0
SHOWN = 5
MOST_PROBLEMS = 20
STATES = {
    "waiting": N_("waiting"),
    "running": N_("running"),
    "paused": N_("paused"),
    "cancelled": N_("cancelled"),
    "done": N_("done"),
    "failed": N_("with problems"),
}


def show(user: User, tr: Translator, *, lately: bool = False) -> None:
    """The panel of jobs in collections that this user sees; the page is drawn again when one of
    them has ended. `lately`: those that ended well are listed too.
    """
    st.session_state["jobs_seen"] = app_state().jobs.finished
    jobs = _visible(user)
    is_live = any(job.is_open for job in jobs)
    # A viewer cannot fix a problem and must not learn the server's folders from it.
    ended = [
        job
        for job in _last_of_each(jobs)
        if not job.is_open and (user.can_edit if job.problems else lately)
    ]
    if not is_live and not ended:
        return
    with st.container(border=True, key="jobs"):
        if is_live:
            st.fragment(_live, run_every=EVERY_S)(user, tr)
        for job in ended:
            _show_ended(job, user, tr)


def _live(user: User, tr: Translator) -> None:
    if app_state().jobs.finished != st.session_state["jobs_seen"]:
        st.rerun()
    for job in _visible(user):
        if job.is_open:
            _open(job, user, tr)


def _open(job: Job, user: User, tr: Translator) -> None:
    heading = [tr(job.title), job.collection, tr(STATES[job.state])]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        text = " · ".join(map(escape_markdown, heading))
        st.progress(job.fraction, text=text, width="stretch")
        if user.can_edit:
            jobs = app_state().jobs
            is_paused = job.state == "paused"
            change = jobs.resume if is_paused else jobs.pause
            icon = "play_arrow" if is_paused else "pause"
            _icon(job, icon, change, tr("Continue") if is_paused else tr("Pause"))
            _icon(job, "close", jobs.cancel, tr("Cancel"))
    if figures := _figures(job, tr):
        st.caption(" · ".join(map(escape_markdown, figures)))


def _figures(job: Job, tr: Translator) -> list[str]:
    now = job.progress
    found = []
    if now.files:
        found.append(tr("{done} of {n} files", done=now.files_done, n=now.files))
    if now.size_bytes > 1:
        done, total = format_bytes(now.done_bytes), format_bytes(now.size_bytes)
        found.append(tr("{done} of {total}", done=done, total=total))
    if job.speed is not None:
        found.append(tr("{speed} times as fast as the video", speed=f"{job.speed:.2g}"))
    if job.left_s is not None and job.state == "running":
        found.append(tr("about {time} left", time=format_time(job.left_s)))
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
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not job.problems:
            st.caption(f":material/check: {label} · {tr(STATES[job.state])}")
        else:
            count = tr("{n} with problems", n=len(job.problems))
            with st.expander(f"{label} · {count}", icon=":material/warning:", expanded=True):
                for problem in job.problems[:MOST_PROBLEMS]:
                    st.markdown(f"- {escape_markdown(tr(problem))}")
                if len(job.problems) > MOST_PROBLEMS:
                    st.caption(tr("and {n} more", n=len(job.problems) - MOST_PROBLEMS))
        if job.problems and _may_ask_again(job, user):
            st.button(
                tr("Try again"),
                key=f"again_job_{job.id}",
                icon=":material/refresh:",
                type="tertiary",
                on_click=_ask_again,
                args=(job, user),
            )
        if user.can_edit:
            st.button(
                tr("Close"),
                key=f"close_job_{job.id}",
                icon=":material/close:",
                type="tertiary",
                on_click=app_state().jobs.forget,
                args=(job.id,),
            )


def _may_ask_again(job: Job, user: User) -> bool:
    """Who asked for it, and who sees everything. Watched folders are looked into anyway."""
    is_own = user.collection_ids is None or job.account_id == user.account_id
    return is_own and job.kind != PageJobKind.WATCH and app_state().may_add_to(user, job.collection)


def _ask_again(job: Job, user: User) -> None:
    if session_state.may_edit():
        reach = app_state().reach if user.collection_ids is None else None
        app_state().jobs.again(job.id, actor=user.actor(), reach=reach)


def _visible(user: User) -> list[Job]:
    if user.collection_ids is None:
        return app_state().jobs.all()
    names = app_state().visible_names(user)
    return [job for job in app_state().jobs.all() if job.collection in names]
