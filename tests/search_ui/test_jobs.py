"""Work behind the page: in its turn, with progress, and a failure that says why."""

import threading
import time
from pathlib import Path

from indexer.catalog import watched_folders
from search_ui import jobs as jobs_module
from search_ui.jobs import Job, Jobs
from tests.support import colour_video, demo_library

WAIT_S = 60


def ended(jobs: Jobs, job: Job) -> Job:
    deadline = time.monotonic() + WAIT_S
    while (now := jobs.get(job.id)) is None or now.is_open:
        assert time.monotonic() < deadline, now
        time.sleep(0.02)
    return now


def test_ingest_tells_of_its_progress(tmp_path):
    library = demo_library(tmp_path / "home")
    jobs = Jobs(library)
    paths = [colour_video(tmp_path / f"{name}.mp4", [(name, 2)]) for name in ("red", "blue")]
    job = ended(jobs, jobs.ingest(paths, "c"))
    assert (job.state, job.fraction, job.files, job.problems) == ("done", 1.0, 2, ())
    assert jobs.finished == 1
    assert len(library.videos(["c"])) == 2


def test_failure_names_the_file(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    jobs = Jobs(demo_library(tmp_path / "home"))
    job = ended(jobs, jobs.ingest([tmp_path / "bad.mp4"], "c"))
    assert job.state == "failed"
    assert "bad.mp4" in str(job.problems[0])


def test_the_line_goes_on_after_a_failure(tmp_path):
    jobs = Jobs(demo_library(tmp_path / "home"))
    first = jobs.ingest([tmp_path / "nowhere"], "c")
    second = jobs.ingest([colour_video(tmp_path / "red.mp4", [("red", 1)])], "c")
    assert ended(jobs, second).state == "done"
    assert ended(jobs, first).state == "failed"
    assert [job.id for job in jobs.all()] == [second.id, first.id]
    jobs.forget(first.id)
    assert [job.id for job in jobs.all()] == [second.id]


def test_one_proxy_at_a_time_of_a_video(tmp_path):
    from tests.indexer.media.golden import ffmpeg

    library = demo_library(tmp_path / "home")
    ffmpeg(
        "-i",
        colour_video(tmp_path / "a.mp4", [("red", 20)], (360, 640)),
        "-c:v",
        "mpeg4",
        tmp_path / "a.avi",
    )
    library.ingest([tmp_path / "a.avi"], "c")
    jobs = Jobs(library)
    first = jobs.proxy(1, "a", "c")
    assert jobs.proxy(1, "a", "c").id == first.id
    assert ended(jobs, first).state == "done"
    assert library.playback(1).state == "ready"


def test_watched_folder_is_read_when_files_come(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_module, "LOOK_EVERY_S", 0.1)
    library = demo_library(tmp_path / "home", ui_rescan_minutes=0.001)
    folder = tmp_path / "watched"
    colour_video(folder / "one.mp4", [("red", 1)])
    with library.catalog.begin() as session:
        watched_folders.watch_folder(session, "c", str(folder))
    jobs, stop = Jobs(library), threading.Event()
    thread = threading.Thread(target=jobs.watch, args=(stop,))
    thread.start()
    try:
        _await(lambda: len(library.videos()) == 1)
        colour_video(folder / "two.mp4", [("blue", 1)])
        _await(lambda: len(library.videos()) == 2)
    finally:
        stop.set()
        thread.join(WAIT_S)
    with library.catalog.read() as session:
        assert watched_folders.list_watched_folders(session)[0].scanned_at is not None
    assert Path(library.videos()[0].paths[0].path).parent == folder


def _await(holds) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
