"""What people asked for on a page that is gone: workers begin it by themselves."""

from pathlib import Path

import pytest

from indexer.catalog import collections
from indexer.catalog.leasing import page_jobs, processes
from indexer.catalog.leasing.owner import owner_name
from indexer.library import Library
from indexer.queue.reaper import reap
from indexer.queue.runner import Runner
from indexer.vocabulary import PageJobKind
from search_ui.jobs import Jobs
from tests.support import colour_video, demo_library

ELSEWHERE = "another machine/1/1"


@pytest.fixture
def library(tmp_path) -> Library:
    """That of a worker whose broker is down just now: the work stands in SQL all the same."""
    return demo_library(tmp_path / "home", broker_url="redis://127.0.0.1:1/0")


def ask_for(library: Library, *paths: Path) -> None:
    with library.catalog.begin() as session:
        collection_id = collections.ensure_collection(session, "films")
        for path in paths:
            details = {"paths": [str(path)]}
            page_jobs.add_page_job(session, PageJobKind.INGEST, collection_id, path.name, details)


def states(library: Library) -> dict[str, str]:
    reap(library.context, lambda _: None)
    return {job.subject: job.state for job in Jobs(library).all()}


def test_workers_begin_it(tmp_path, library):
    ask_for(library, colour_video(tmp_path / "a.mp4", [("red", 2)]), tmp_path / "elsewhere.mp4")
    with library.catalog.begin() as session:
        processes.report_process(session, ELSEWHERE, "page", [])
    waiting = {"a.mp4": "waiting", "elsewhere.mp4": "waiting"}
    assert states(library) == waiting, "a page runs, which will begin"
    with library.catalog.begin() as session:
        processes.end_process(session, ELSEWHERE)
    assert states(library) == {**waiting, "a.mp4": "running"}, "the other file is not here"
    runner = Runner(library.context)
    runner.plan()
    runner.run_stage("picture")
    assert states(library) == {**waiting, "a.mp4": "done"}
    assert [video.state for video in library.videos()] == ["ready"]


def test_what_a_killed_page_held_is_begun_again(tmp_path, library):
    """On this machine nobody waits for the lease, or for the page to be missed."""
    ask_for(library, colour_video(tmp_path / "a.mp4", [("red", 2)]))
    killed = f"{owner_name().partition('/')[0]}/999999999/1"
    with library.catalog.begin() as session:
        processes.report_process(session, killed, "page", [])
        page_jobs.claim_page_job(session, killed, 600, [PageJobKind.INGEST])
    assert states(library) == {"a.mp4": "running"}
    with library.catalog.read() as session:
        (job,) = page_jobs.list_page_jobs(session)
    assert job.handed_over
