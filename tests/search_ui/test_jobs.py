"""Work behind the page: in its turn, with progress that any process shows, and a failure that says
why.
"""

import time
from pathlib import Path

import pytest

from indexer.catalog import watched_folders
from indexer.library import Library
from indexer.paths import Reach
from search_ui import jobs as jobs_module
from search_ui.jobs import Job, Jobs
from search_ui.pages.system import THREADS
from tests.support import colour_video, demo_library

WAIT_S = 60


@pytest.fixture
def library(tmp_path) -> Library:
    return demo_library(tmp_path / "home")


@pytest.fixture
def jobs(library):
    made = Jobs(library)
    yield made
    made.stop(WAIT_S)


def ended(jobs: Jobs, job: Job) -> Job:
    _await(lambda: (now := jobs.get(job.id)) is not None and not now.is_open)
    now = jobs.get(job.id)
    assert now is not None
    return now


def test_ingest_tells_of_its_progress(tmp_path, library, jobs):
    paths = [colour_video(tmp_path / f"{name}.mp4", [(name, 2)]) for name in ("red", "blue")]
    before = jobs.finished
    job = ended(jobs, jobs.ingest(paths, "c"))
    assert (job.state, job.fraction, job.problems) == ("done", 1.0, ())
    assert (job.progress.files, job.progress.size_bytes) == (
        2,
        sum(path.stat().st_size for path in paths),
    )
    assert jobs.finished > before
    assert len(library.videos(["c"])) == 2
    assert Jobs(library).get(job.id) == job, "another process shows the same"


def test_what_each_thread_does_can_be_said(jobs):
    jobs.serve()
    assert {state.name for state in jobs.supervisor.states()} == set(THREADS) - {"models"}


def test_failure_names_the_file(tmp_path, jobs):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    job = ended(jobs, jobs.ingest([tmp_path / "bad.mp4"], "c"))
    assert job.state == "failed"
    assert "bad.mp4" in str(job.problems[0])


def test_what_failed_is_asked_for_again(tmp_path, library, jobs):
    path = tmp_path / "bad.mp4"
    path.write_bytes(b"no video")
    failed = ended(jobs, jobs.ingest([path], "c"))
    colour_video(path, [("red", 2)])
    jobs.again(failed.id, reach=Reach.of([tmp_path / "elsewhere"]))
    refused = ended(jobs, jobs.all()[0])
    assert (refused.state, library.videos(["c"])) == ("failed", []), "not where they may lie now"
    jobs.again(failed.id)
    mended = ended(jobs, jobs.all()[0])
    assert (mended.title, mended.state) == (failed.title, "done")
    assert len(library.videos(["c"])) == 1
    count = len(jobs.all())
    jobs.again(10**6)
    assert len(jobs.all()) == count


def test_the_line_goes_on_after_a_failure(tmp_path, jobs):
    first = jobs.ingest([tmp_path / "nowhere"], "c")
    second = jobs.ingest([colour_video(tmp_path / "red.mp4", [("red", 1)])], "c")
    assert ended(jobs, second).state == "done"
    assert ended(jobs, first).state == "failed"
    assert [job.id for job in jobs.all()] == [second.id, first.id]
    jobs.forget(first.id)
    assert [job.id for job in jobs.all()] == [second.id]


def test_one_proxy_at_a_time_of_a_video(tmp_path, library, jobs):
    from tests.indexer.media.golden import ffmpeg

    ffmpeg(
        "-i",
        colour_video(tmp_path / "a.mp4", [("red", 20)], (360, 640)),
        "-c:v",
        "mpeg4",
        tmp_path / "a.avi",
    )
    library.ingest([tmp_path / "a.avi"], "c")
    first = jobs.proxy(1, "a", "c")
    assert jobs.proxy(1, "a", "c").id == first.id
    assert ended(jobs, first).state == "done"
    assert library.playback(1).state == "ready"


def test_what_was_paused_goes_on_and_what_was_cancelled_does_not(tmp_path, library, jobs):
    asking = Jobs(library)
    asking.start = lambda: None  # a process that only asks, as one that was killed at once
    paths = [colour_video(tmp_path / f"{name}.mp4", [(name, 1)]) for name in ("red", "blue")]
    paused, dropped = (asking.ingest([path], "c") for path in paths)
    asking.pause(paused.id)
    asking.cancel(dropped.id)
    last = jobs.ingest([colour_video(tmp_path / "green.mp4", [("green", 1)])], "c")
    assert ended(jobs, last).state == "done"
    assert [job.state for job in jobs.all()] == ["done", "cancelled", "paused"]
    jobs.resume(paused.id)
    assert ended(jobs, paused).state == "done"
    assert len(library.videos()) == 2


def test_cancelled_while_it_runs_it_keeps_what_is_done(tmp_path, library, jobs):
    paths = [colour_video(tmp_path / f"{n}.mp4", [("red", 1), ("blue", n / 9)]) for n in range(40)]
    job = jobs.ingest(paths, "c")
    _await(lambda: len(library.videos()) > 0)
    jobs.cancel(job.id)
    assert ended(jobs, job).state == "cancelled"
    assert 0 < len(library.videos()) < 40


def test_watched_folder_is_read_when_files_come(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_module, "WATCH_EVERY_S", 0.1)
    library = demo_library(tmp_path / "home", ui_rescan_minutes=0.001)
    folder = tmp_path / "watched"
    colour_video(folder / "one.mp4", [("red", 1)])
    with library.catalog.begin() as session:
        watched_folders.watch_folder(session, "c", str(folder))
    jobs = Jobs(library)
    jobs.serve()
    try:
        _await(lambda: len(library.videos()) == 1)
        colour_video(folder / "two.mp4", [("blue", 1)])
        _await(lambda: len(library.videos()) == 2)
    finally:
        jobs.stop(WAIT_S)
    with library.catalog.read() as session:
        assert watched_folders.list_watched_folders(session)[0].scanned_at is not None
    assert Path(library.videos()[0].paths[0].path).parent == folder


def _await(holds) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
