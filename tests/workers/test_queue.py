"""The same pipeline in workers: queued, worked off, watched, cancelled, removed and retried. Real
Redis, real PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.progress import get_progress
from indexer.queue.runner import Runner
from tests.indexer.media.golden import ffmpeg
from tests.indexer.search.second_opinion.test_verify import CHECKPOINT
from tests.support import colour_video, demo_library
from tests.workers.contents import contents
from tests.workers.fleet import Fleet, children
from tests.workers.servers import end, wait_until

PATIENCE_S = 240


def is_held(library) -> bool:
    """Somebody is at work on chunks."""
    with library.catalog.read() as session:
        return bool(chunk_tasks.queue.owners(session))


def make_media(folder: Path, count: int, length_s: float = 30.0) -> Path:
    colours = ["red", "green", "blue", "yellow", "purple", "orange"]
    for number in range(count):
        colour_video(
            folder / f"{number}.mp4",
            [(colours[number % 6], length_s + number), ("black", 10.0)],
            rate=5,
        )
    return folder


def test_queued_files_become_the_rows_of_an_ingest_without_a_queue(fleet: Fleet, tmp_path):
    media = make_media(fleet.folder / "media", 4)
    (media / "bad.mp4").write_text("no video at all\n" * 100)
    queued = fleet.json("ingest", media, "--queue", "--collection", "films")
    assert {file["state"] for file in queued["files"]} == {"queued"}
    waiting = fleet.json("status")["queue"]
    assert waiting["waiting"] == {"plan": 5}
    assert waiting["hints"] >= 5
    assert waiting["oldest_s"] > 0
    gpu, cpu = fleet.start("gpu"), fleet.start("cpu")
    wait_until(fleet.is_settled, PATIENCE_S, "all is done")
    status = fleet.json("status")
    assert status["videos"] == {"ready": 4}
    assert len(status["errors"]) == 1
    assert "bad.mp4" in status["errors"][0]
    whole = demo_library(tmp_path / "whole")
    whole.ingest([media], "films")
    assert contents(fleet.library()) == contents(whole)
    again = fleet.json("ingest", media, "--queue", "--collection", "films")
    assert sorted(file["state"] for file in again["files"]) == ["queued", *["unchanged"] * 4]
    found = fleet.json("search", "when is it blue?", "--top", "1")
    assert found["moments"][0]["path"].endswith("2.mp4")
    assert [end(worker) for worker in (gpu, cpu)] == [0, 0]


def test_a_search_that_runs_sees_new_videos_without_a_restart(fleet: Fleet):
    media = make_media(fleet.folder / "media", 2)
    library = fleet.library()
    library.ingest([media / "0.mp4"])
    assert library.search("red").matched
    assert not library.search("green").matched
    fleet.start()
    library.ingest([media / "1.mp4"], queue=True)
    wait_until(fleet.is_settled, PATIENCE_S, "the second video is done")
    wait_until(lambda: library.search("green").matched, 60, "the search process sees it")


def test_cancel_and_remove_while_in_progress(fleet: Fleet):
    fleet.settings["CHUNK_S"] = "60"
    media = make_media(fleet.folder / "media", 2, length_s=200.0)
    library = fleet.library()
    library.ingest([media], queue=True)
    with fleet.blocked_commits():
        worker = fleet.start()
        wait_until(
            lambda: len(library.videos()) == 2 and is_held(library),
            PATIENCE_S,
            "work is in progress",
        )
        # Not its child: that works on, but is not notified of more.
        worker.send_signal(signal.SIGSTOP)
        first, second = sorted(library.videos(), key=lambda video: video.duration_s)
    library.cancel([second.video_id])  # it comes last: none of it is done yet
    library.remove(video_ids=[first.video_id])
    worker.send_signal(signal.SIGCONT)
    wait_until(fleet.is_settled, PATIENCE_S, "nothing is left to do")
    assert [(v.video_id, v.state) for v in library.videos()] == [(second.video_id, "failed")]
    folder = library.artefacts.video_folder(first.video_id)
    wait_until(lambda: not folder.exists(), PATIENCE_S, "what a child had begun to write is gone")
    library.ingest([media], queue=True)
    wait_until(
        lambda: [v.state for v in library.videos()] == ["ready", "ready"],
        PATIENCE_S,
        "both are done after all",
    )
    assert not library.status().errors


def test_a_chunk_that_kills_its_worker_is_dead_lettered_and_the_rest_is_searchable(fleet: Fleet):
    """Whoever takes a chunk of that video is killed while it has it."""
    fleet.settings["MAX_ATTEMPTS"] = "2"
    media = make_media(fleet.folder / "media", 2)
    poison = colour_video(fleet.folder / "poison" / "poison.mp4", [("purple", 150.0)], rate=5)
    library = fleet.library()
    worker = fleet.start()
    bad = _planned(library, poison)
    while library.video(bad).state != "failed":
        if library.video(bad).state == "ready":  # it was done between two looks
            library.remove(video_ids=[bad])
            bad = _planned(library, poison)
        _kill_whoever_has(library, bad)
    assert "lost 2 times" in str(library.video(bad).error)
    assert worker.poll() is None, "the parent lives on"
    library.ingest([media], queue=True)
    wait_until(fleet.is_settled, PATIENCE_S, "the others are done")
    assert sorted(v.state for v in library.videos()) == ["failed", "ready", "ready"]
    assert library.search("red").matched
    retried = fleet.json("retry", str(bad))
    assert retried["chunks"] >= 1
    wait_until(lambda: library.video(bad).state == "ready", PATIENCE_S, "after `retry` it is done")


def _planned(library, path: Path) -> int:
    library.ingest([path], queue=True)
    wait_until(library.videos, PATIENCE_S, "it is planned")
    return library.videos()[0].video_id


def _kill_whoever_has(library, video_id: int) -> None:
    with library.catalog.read() as session:
        chunks = get_progress(session, video_ids=[video_id]).stages.get("picture")
        holders = (
            list(chunk_tasks.queue.owners(session)) if chunks is not None and chunks.running else []
        )
    for owner in holders:
        try:
            os.kill(int(owner.split("/")[1]), signal.SIGKILL)
        except ProcessLookupError:
            continue
    time.sleep(0.01)


def test_a_worker_that_is_told_to_end_releases_what_it_cannot_finish(fleet: Fleet):
    fleet.settings["SHUTDOWN_S"] = "0"
    media = make_media(fleet.folder / "media", 1, length_s=500.0)
    library = fleet.library()
    library.ingest([media], queue=True)
    with fleet.blocked_commits():
        worker = fleet.start()
        wait_until(lambda: is_held(library), PATIENCE_S, "it has chunks")
        worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    with library.catalog.read() as session:
        assert chunk_tasks.queue.owners(session) == {}
        stage = get_progress(session).stages["picture"]
    assert stage.pending + stage.done == stage.pending + stage.running + stage.done + stage.failed
    assert stage.pending > 0


def test_a_decode_that_hangs_is_killed_and_its_worker_goes_on(fleet: Fleet):
    """The reading process is stopped (SIGSTOP): for its parent, a decoder that spins for ever."""
    fleet.settings |= {"CHUNK_TIMEOUT_S": "5", "MAX_ATTEMPTS": "1"}
    media = make_media(fleet.folder / "media", 1, length_s=300.0)
    library = fleet.library()
    worker = fleet.start()
    bad = _planned(library, media)

    def stop_readers() -> bool:
        nonlocal bad
        if library.video(bad).state == "ready":  # it was read between two looks
            library.remove(video_ids=[bad])
            bad = _planned(library, media)
        readers = [reader for child in children(worker.pid) for reader in children(child)]
        for reader in filter(_reads_a_video, readers):  # one that only starts has longer than 5 s
            os.kill(reader, signal.SIGSTOP)
        return library.video(bad).state == "failed"

    wait_until(stop_readers, PATIENCE_S, "the chunk fails")
    assert "longer than 5 s" in str(library.video(bad).error)
    make_media(fleet.folder / "more", 2, length_s=12.0)
    library.ingest([fleet.folder / "more"], queue=True)
    wait_until(
        lambda: sum(v.state == "ready" for v in library.videos()) == 2,
        PATIENCE_S,
        "other files are done",
    )


def _reads_a_video(pid: int) -> bool:
    try:
        return any(os.readlink(link).endswith(".mp4") for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it has ended, or closed the file
        return False


def test_a_child_that_hangs_is_killed_by_its_parent(fleet: Fleet):
    """The child is stopped (SIGSTOP): for its parent, a model that does not come back."""
    fleet.settings |= {"TASK_TIMEOUT_S": "25", "WORK_SLICE_S": "2"}
    media = make_media(fleet.folder / "media", 1, length_s=300.0)
    library = fleet.library()
    library.ingest([media], queue=True)
    with fleet.blocked_commits():
        worker = fleet.start()
        wait_until(lambda: is_held(library), PATIENCE_S, "it has chunks")
        (hung,) = children(worker.pid)
        os.kill(hung, signal.SIGSTOP)
    wait_until(
        lambda: [v.state for v in library.videos()] == ["ready"],
        PATIENCE_S,
        "another child has done them",
    )
    assert hung not in children(worker.pid)


def test_a_child_that_takes_much_memory_is_replaced_after_its_work_slice(fleet: Fleet):
    fleet.settings |= {"WORKER_MEMORY_MB": "20", "REAPER_INTERVAL_S": "20"}
    media = make_media(fleet.folder / "media", 2, length_s=5.0)
    library = fleet.library()
    worker = fleet.start()
    wait_until(lambda: children(worker.pid), PATIENCE_S, "there is a child")
    first = children(worker.pid)
    library.ingest([media], queue=True)
    wait_until(
        lambda: [v.state for v in library.videos()] == ["ready"] * 2, PATIENCE_S, "all is done"
    )
    wait_until(
        lambda: not set(first) & set(children(worker.pid)), PATIENCE_S, "the child is another"
    )


def test_workers_with_lego_find_events_and_answer_questions_of_a_machine_without(fleet: Fleet):
    fleet.settings |= {"LEGO_PATH": str(CHECKPOINT), "LEGO_DTYPE": "float32", "DEVICE": "cpu"}
    path = colour_video(fleet.folder / "media" / "one.mp4", [("red", 10.0), ("blue", 10.0)])
    library = fleet.library()
    assert not library.grounder_name
    library.ingest([path], queue=True, events=True)
    fleet.start("gpu")
    fleet.start("cpu")
    wait_until(
        lambda: [v.state for v in library.videos()] == ["ready"],
        PATIENCE_S,
        "pictures and events are done",
    )
    with library.catalog.read() as session:
        assert get_progress(session).stages["events"].done == 1
    answer = library.search("when is it blue?", ground=True)
    assert not answer.notes
    assert [moment.grounded is not None for moment in answer.moments[:3]] == [True] * min(
        3, len(answer.moments)
    )


def test_a_question_that_no_worker_answers_leaves_the_answer_with_a_note(fleet: Fleet):
    path = colour_video(fleet.folder / "media" / "one.mp4", [("red", 10.0), ("blue", 10.0)])
    library = fleet.library(ground_wait_s=1.0)
    library.ingest([path])
    answer = library.search("when is it blue?", ground=True)
    assert answer.moments[0].grounded is None
    assert "no worker with a grounder answered in time" in answer.notes[0]
    assert library.status().queue.waiting == {}


def test_what_a_video_lacks_is_made_again(fleet: Fleet):
    """Thumbnails that were lost, and a copy for browsers of a file that they cannot play."""
    path = colour_video(fleet.folder / "media" / "one.mp4", [("red", 10.0), ("blue", 10.0)])
    odd = path.with_name("odd.avi")
    ffmpeg("-i", path, "-c:v", "mpeg4", odd)
    path.unlink()
    library = fleet.library()
    library.ingest([odd])
    (video,) = library.videos()
    folder = library.artefacts.video_folder(video.video_id)
    before = {path.name: path.read_bytes() for path in (folder / "thumbnails").iterdir()}
    shutil.rmtree(folder)
    fleet.start("cpu")
    library.request_artefacts()
    wait_until(
        lambda: library.playback(video.video_id).state == "ready",
        PATIENCE_S,
        "browsers can play it",
    )
    assert {path.name for path in (folder / "thumbnails").iterdir()} == set(before)
    wait_until(fleet.is_settled, PATIENCE_S, "the job is done")


def test_the_error_of_a_bad_file_goes_with_the_file(fleet: Fleet):
    media = fleet.folder / "media"
    for name in ("bad.mp4", "worse.mp4"):
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        (media / name).write_text("no video")
    library = fleet.library()
    library.ingest([media], queue=True)
    Runner(library.context).plan()
    assert len(library.status().errors) == 2
    (media / "bad.mp4").unlink()
    library.ingest([fleet.folder / "elsewhere", media / "worse.mp4"], queue=True)
    Runner(library.context).plan()
    assert len(library.status().errors) == 2, "the folder of the deleted file was not named"
    library.ingest([media], queue=True)
    Runner(library.context).plan()
    assert ["worse.mp4" in error for error in library.status().errors] == [True]
