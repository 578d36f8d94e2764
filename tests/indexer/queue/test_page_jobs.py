"""What people asked for on a page that is gone: workers begin it by themselves."""

import shutil
import threading
from pathlib import Path

import pytest

from indexer.admin.demo import PROGRAMMES
from indexer.admin.playback import proxy_path
from indexer.catalog import collections
from indexer.catalog.leasing import page_jobs, processes
from indexer.catalog.leasing.owner import owner_name
from indexer.library import Library
from indexer.queue.page_jobs import PageJobs
from indexer.queue.reaper import reap
from indexer.queue.runner import Runner
from indexer.queue.submit import waiting_counts
from indexer.vocabulary import PageJobKind
from search_ui.jobs import Jobs
from tests.indexer.media.golden import ffmpeg
from tests.support import colour_video, demo_library
from tests.workers.servers import wait_until

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


def ask_for_proxy(library: Library) -> int:
    """The one video is to be converted."""
    (video,) = library.videos()
    with library.catalog.begin() as session:
        collection_id = collections.ensure_collection(session, "films")
        page_jobs.add_page_job(
            session, PageJobKind.PROXY, collection_id, "a", {}, video_id=video.video_id
        )
    return video.video_id


@pytest.fixture
def odd_file(tmp_path, library) -> Path:
    """One that browsers do not play, in the library."""
    path = tmp_path / "a.avi"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=d=1:r=5:s=64x64", "-c:v", "mpeg4", path)
    library.ingest([path], "films")
    return path


def test_a_copy_is_made_by_a_worker_and_by_the_page_where_none_begins(library, odd_file):
    video_id = ask_for_proxy(library)
    page, runner = PageJobs(library.context), Runner(library.context)
    with library.catalog.begin() as session:
        processes.report_process(session, ELSEWHERE, "worker", ["proxy"])
    assert not page.make_next_proxy(), "it is left to the worker"
    assert waiting_counts(library.context) == {"proxy": 1}
    away = odd_file.rename(odd_file.with_name("away.avi"))
    assert runner.make_proxies().done == 0, "this machine lacks the file"
    away.rename(odd_file)
    assert runner.make_proxies().done == 1
    assert library.playback(video_id).state == "ready"
    assert states(library) == {"a": "done"}
    proxy_path(library.context, video_id).unlink()
    ask_for_proxy(library)
    with library.catalog.begin() as session:
        processes.end_process(session, ELSEWHERE)
    assert page.make_next_proxy(), "there is no worker"
    assert library.playback(video_id).state == "ready"


def test_a_copy_that_is_cancelled_ends_its_ffmpeg(tmp_path, library, odd_file):
    video_id = ask_for_proxy(library)
    program = tmp_path / "ffmpeg"
    program.write_text(
        '#!/bin/sh\nwhile [ "$1" != -progress ]; do shift; done\n'
        'echo out_time_us=1000 > "$2"\nexec sleep 100\n'
    )
    program.chmod(0o700)
    page = PageJobs(demo_library(tmp_path / "home", ffmpeg=str(program)).context)
    jobs = Jobs(library)
    converting = threading.Thread(target=page.make_next_proxy)
    converting.start()
    wait_until(lambda: jobs.all()[0].state == "running", 60, "it is begun")
    jobs.cancel(jobs.all()[0].id)
    converting.join(60)
    assert not converting.is_alive()
    assert jobs.all()[0].state == "cancelled"
    assert not proxy_path(library.context, video_id).exists()


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
    (video,) = library.videos()
    assert video.state == "ready"
    assert results(library) == [("a.mp4", "indexed", video.video_id, False)]
    (tmp_path / "broken.mp4").write_text("no video")
    ask_for(library, tmp_path)
    states(library)
    runner.plan()
    assert states(library)[tmp_path.name] == "failed"
    assert results(library) == [
        ("a.mp4", "unchanged", video.video_id, False),
        ("broken.mp4", "failed", None, True),
    ]


def results(library: Library) -> list[tuple[str, str, int | None, bool]]:
    """Of the files of the job that ended last: name, state, video, whether it failed."""
    last = next(job for job in Jobs(library).all() if not job.is_open)
    found = Jobs(library).results(last.id)
    return [(Path(one.path).name, one.state, one.video_id, bool(one.error)) for one in found]


def test_the_demo_is_made_by_a_worker_that_sees_its_folder(tmp_path, library):
    """The page, whose people it would hold up, makes it where no worker does."""
    folder = tmp_path / "home" / "demo"
    with library.catalog.begin() as session:
        collection_id = collections.ensure_collection(session, "demo")
        details = {"paths": [str(folder)]}
        page_jobs.add_page_job(session, PageJobKind.DEMO, collection_id, "", details)
        processes.report_process(session, ELSEWHERE, "page", [])
        processes.report_process(session, f"{ELSEWHERE}2", "worker", ["reap"])
    assert not PageJobs(library.context).run_next_adding(), "it is left to a worker"
    assert states(library) == {"": "waiting"}, "this worker has another home"
    made = colour_video(folder / "a.mp4", [("red", 1)])
    for name in PROGRAMMES:  # making the real ones takes a while
        shutil.copy(made, folder / name)
    assert states(library) == {"": "running"}
    with library.catalog.read() as session:
        assert all(job.handed_over for job in page_jobs.list_page_jobs(session))


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
