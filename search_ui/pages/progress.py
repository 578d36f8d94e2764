"""What runs behind the page, live."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from search_ui import state
from search_ui.app_state import site
from search_ui.jobs import Job
from search_ui.strings import Texts
from search_ui.user import Viewer

EVERY_S = 1.0
SHOWN = 5


def show(viewer: Viewer, texts: Texts, *, lately: bool = False) -> None:
    """Bars of the jobs in collections that this viewer sees; the page is shown anew when one of
    them has ended.
    """
    st.session_state["jobs_seen"] = site().jobs.finished
    jobs = _visible(viewer)
    if any(job.is_open for job in jobs):
        st.fragment(_live, run_every=EVERY_S)(viewer, texts)
    for job in _last_of_each(jobs):
        # Who cannot mend a problem (and must not learn of the server's folders by it) is not
        # troubled with it.
        if not job.is_open and (viewer.can_edit if job.problems else lately):
            _ended(job, viewer, texts)


def _live(viewer: Viewer, texts: Texts) -> None:
    if site().jobs.finished != st.session_state["jobs_seen"]:
        st.rerun()
    for job in _visible(viewer):
        if job.is_open:
            label = (
                texts(f"job.{job.what}", subject=state.plain(job.subject))
                if job.subject
                else texts(f"job.{job.what}")
            )
            st.progress(
                job.fraction,
                text=f"{label} · {state.plain(job.collection)} · {texts(f'job.{job.state}')}",
            )


def _last_of_each(jobs: Sequence[Job]) -> list[Job]:
    """What went well after it had failed is no problem any more, and what fails every time is one."""
    last: dict[tuple[str, ...], Job] = {}
    for job in jobs:
        last.setdefault((job.what, job.subject, job.collection), job)
    return list(last.values())[:SHOWN]


def _ended(job: Job, viewer: Viewer, texts: Texts) -> None:
    label = (
        texts(f"job.{job.what}", subject=state.plain(job.subject))
        if job.subject
        else texts(f"job.{job.what}")
    )
    if not job.problems:
        st.caption(f":material/check: {label} · {texts('job.done')}")
        return
    problems = "\n".join(f"- {state.plain(texts.said(problem))}" for problem in job.problems[:10])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.warning(
            f"{label} · {texts('job.failed')}\n\n{problems}",
            icon=":material/warning:",
            width="stretch",
        )
        if viewer.can_edit:
            close = texts("job.close")
            st.button(
                close,
                key=f"close_job_{job.id}",
                icon=":material/close:",
                type="tertiary",
                on_click=site().jobs.forget,
                args=(job.id,),
            )


def _visible(viewer: Viewer) -> list[Job]:
    if viewer.collection_ids is None:
        return site().jobs.all()
    names = site().visible_names(viewer)
    return [job for job in site().jobs.all() if job.collection in names]
