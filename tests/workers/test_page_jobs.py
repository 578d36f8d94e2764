"""What people ask for on the page is done by workers where there are some: the page notes it."""

from __future__ import annotations

import signal

from search_ui.jobs import Job, Jobs
from tests.support import colour_video
from tests.workers.fleet import Fleet
from tests.workers.servers import wait_until

WAIT_S = 120


def now(jobs: Jobs, job: Job) -> Job:
    found = jobs.get(job.id)
    assert found is not None
    return found


def test_workers_do_it_and_every_page_shows_how_far_they_are(fleet: Fleet):
    folder = fleet.folder / "films"
    for number in range(4):
        colour_video(folder / f"{number}.mp4", [("red", 3), ("green", 1 + number)])
    (folder / "bad.mp4").write_bytes(b"no video")
    library = fleet.library()
    jobs, other_page = Jobs(library), Jobs(fleet.library())
    try:
        job = jobs.ingest([folder], "films")
        wait_until(lambda: now(jobs, job).progress.files == 5, WAIT_S, "the files are noted")
        assert library.videos() == [], "nobody is there who could do it"
        assert (now(other_page, job).state, now(other_page, job).progress.files_done) == (
            "running",
            0,
        )
        jobs.pause(job.id)
        worker = fleet.start("gpu", "cpu")
        wait_until(lambda: not fleet.redis.client().llen("seekpoint.plan"), WAIT_S, "it looks")
        assert now(other_page, job).state == "paused"
        assert library.videos() == []
        other_page.resume(job.id)
        wait_until(lambda: not now(jobs, job).is_open, WAIT_S, "the workers are through")
        ended = now(other_page, job)
        assert (ended.state, ended.progress.files_done) == ("failed", 5)
        (problem,) = ended.problems
        assert "bad.mp4" in str(problem)
        assert [video.state for video in library.videos()] == ["ready"] * 4
        worker.send_signal(signal.SIGTERM)
        worker.wait(WAIT_S)
        again = jobs.ingest([colour_video(folder / "late.mp4", [("blue", 2)])], "films")
        wait_until(lambda: now(jobs, again).progress.files == 1, WAIT_S, "the file is noted")
        jobs.cancel(again.id)
        wait_until(lambda: now(jobs, again).state == "cancelled", WAIT_S, "it is dropped")
        assert library.status().queue.waiting == {}
    finally:
        jobs.stop(WAIT_S)
