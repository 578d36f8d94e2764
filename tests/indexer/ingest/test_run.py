"""A folder of files becomes a library, whatever happens on the way. Real files, real database, the
deterministic embedder.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from indexer.catalog import videos
from indexer.catalog.frames import get_video_blocks
from indexer.catalog.tables.library import Video
from indexer.errors import ModelError
from indexer.ingest import plan
from indexer.library import Library
from indexer.settings import Settings
from indexer.vocabulary import VideoState
from tests.indexer.media.golden import ffmpeg
from tests.support import colour_video, demo_environment, demo_library, demo_settings

RED_BLUE = [("red", 6.0), ("blue", 6.0)]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    colour_video(folder / "one.mp4", RED_BLUE)
    colour_video(folder / "deep" / "two.mp4", [("green", 5.0), ("yellow", 5.0)])
    return folder


@pytest.fixture
def media(made, tmp_path) -> Path:
    """Two small videos that the test may change."""
    return Path(shutil.copytree(made, tmp_path / "media"))


@pytest.fixture
def library(tmp_path) -> Library:
    return demo_library(tmp_path / "home")


def states(report) -> dict[str, str]:
    return {Path(file.path).name: file.state for file in report.files}


def contents(library: Library) -> list:
    """Everything that was indexed, without ids and times of work: equal for equal libraries."""
    with library.catalog.read() as session:
        blocks = [
            (video.content_hash, block)
            for video in videos.list_videos(session)
            for block in get_video_blocks(session, video.id, video.keys["picture"] or "")
        ]
    return sorted(
        (
            digest,
            b.span,
            b.frames.times_s.tobytes(),
            b.frames.vectors.tobytes(),
            b.frames.cuts_s.tobytes(),
        )
        for digest, b in blocks
    )


def test_a_folder_becomes_searchable_and_the_answer_is_the_right_moment(media, library):
    report = library.ingest([media], "films")
    assert states(report) == {"one.mp4": "indexed", "two.mp4": "indexed"}
    assert report.video_s == pytest.approx(22.0)
    answer = library.search("when is it blue?", collections=["films"])
    assert answer.matched
    best = answer.moments[0]
    assert best.path.endswith("one.mp4")
    assert (best.span.start_s, best.span.end_s) == (
        pytest.approx(6.0, abs=0.5),
        pytest.approx(12.0, abs=0.5),
    )
    assert best.thumbnail is not None
    assert best.thumbnail.read_bytes().startswith(b"\xff\xd8")
    assert [e.kind for e in best.evidence] == ["picture"]


def test_repeating_changes_nothing_and_reads_nothing(media, library):
    library.ingest([media])
    before = contents(library)
    for path in media.rglob("*.mp4"):
        # Whoever opens a file now fails, unless root, who may read anything: then the report must
        # still say unchanged.
        path.chmod(0)
    report = library.ingest([media])
    assert set(states(report).values()) == {"unchanged"}
    assert report.video_s == 0
    assert contents(library) == before


def test_a_touched_file_is_recognised_by_its_content(media, library):
    library.ingest([media])
    os.utime(media / "one.mp4", (1, 1))
    report = library.ingest([media])
    assert states(report)["one.mp4"] == "unchanged"
    assert report.video_s == 0
    assert library.ingest([media]).video_s == 0


def test_a_moved_file_keeps_its_index(media, library):
    library.ingest([media])
    before = contents(library)
    (media / "one.mp4").rename(media / "renamed.mp4")
    report = library.ingest([media])
    assert states(report)["renamed.mp4"] == "moved"
    assert report.video_s == 0
    assert contents(library) == before
    assert library.search("blue").moments[0].path.endswith("renamed.mp4")


def test_the_same_bytes_twice_are_one_video_with_two_paths(media, library):
    shutil.copy(media / "one.mp4", media / "copy.mp4")
    report = library.ingest([media])
    assert sorted(states(report).values()) == ["indexed", "indexed", "same content"]
    assert sorted(len(video.paths) for video in library.videos()) == [1, 2]
    assert library.ingest([media]).video_s == 0


def test_the_same_bytes_in_two_collections_are_two_videos(media, library):
    library.ingest([media / "one.mp4"], "a")
    library.ingest([media / "one.mp4"], "b")
    assert [c.videos for c in library.collections()] == [1, 1]
    assert {m.collection for m in library.search("blue", collections=["b"]).moments} == {"b"}


def test_changed_bytes_supersede_and_the_old_answers_go(media, library):
    library.ingest([media])
    old = next(v.video_id for v in library.videos() if v.paths[0].path.endswith("one.mp4"))
    colour_video(media / "one.mp4", [("purple", 5.0), ("orange", 4.0)])
    assert states(library.ingest([media]))["one.mp4"] == "indexed"
    assert old not in [video.video_id for video in library.videos()]
    assert len(library.videos()) == 2
    assert not library.artefacts.video_folder(old).exists()
    assert library.search("purple").moments[0].path.endswith("one.mp4")
    assert not library.search("red").matched


def test_other_bytes_that_fail_leave_the_old_video_searchable(media, library):
    library.ingest([media])
    (media / "one.mp4").write_bytes(b"this is no video")
    report = library.ingest([media])
    assert states(report)["one.mp4"] == "failed"
    assert library.search("blue").moments[0].path.endswith("one.mp4")


def test_a_file_that_is_gone_is_offline_and_still_searchable_and_comes_back(
    media, library, tmp_path
):
    library.ingest([media])
    away = tmp_path / "away.mp4"
    (media / "one.mp4").rename(away)
    report = library.ingest([media])
    assert [Path(path).name for path in report.offline] == ["one.mp4"]
    best = library.search("blue").moments[0]
    assert best.path.endswith("one.mp4")
    assert best.offline
    away.rename(media / "one.mp4")
    assert states(library.ingest([media]))["one.mp4"] == "unchanged"
    assert not library.search("blue").moments[0].offline


def test_bad_files_are_named_with_what_to_do_and_the_rest_goes_on(media, library):
    good = (media / "one.mp4").read_bytes()
    (media / "empty.mp4").write_bytes(b"")
    (media / "text.mp4").write_text("not a video at all\n" * 100)
    (media / "half.mp4").write_bytes(good[: len(good) // 2])
    (media / "playlist.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\n{media / 'one.mp4'}\n")
    (media / "concat.mp4").write_text(f"ffconcat version 1.0\nfile '{media / 'one.mp4'}'\n")
    os.mkfifo(media / "pipe.mp4")
    report = library.ingest([media, media / "missing.mp4"])
    assert {name for name, state in states(report).items() if state == "indexed"} == {
        "one.mp4",
        "two.mp4",
    }
    failed = {Path(f.path).name: f for f in report.failures}
    assert set(failed) == {
        "empty.mp4",
        "text.mp4",
        "half.mp4",
        "playlist.mp4",
        "concat.mp4",
        "pipe.mp4",
        "missing.mp4",
    }
    for name, outcome in failed.items():
        assert name in outcome.error
        assert outcome.hint


def test_an_empty_folder_is_an_error(tmp_path, library):
    (tmp_path / "nothing").mkdir()
    (outcome,) = library.ingest([tmp_path / "nothing"]).failures
    assert "no video" in outcome.error


def test_another_sampling_reindexes_without_a_gap(media, library, tmp_path):
    library.ingest([media])
    other = demo_library(tmp_path / "home", frame_rate_hz=4.0)
    report = other.ingest([media])
    assert set(states(report).values()) == {"indexed"}
    keys = {video.keys["picture"] for video in _list(other)}
    assert len(keys) == 1
    assert "4hz" in keys.pop()
    assert other.search("blue").moments[0].path.endswith("one.mp4")
    assert len(other.search("blue", top=50).moments) == len(
        {(m.video_id, m.span) for m in other.search("blue", top=50).moments}
    )


def _list(library):
    with library.catalog.read() as session:
        return videos.list_videos(session)


def test_half_done_reindexing_still_serves_the_old_answers(tmp_path, library):
    """Stopped after the first of two chunks under a new key: the old rows answer, all of them, and
    only them.
    """
    path = colour_video(tmp_path / "long.mp4", [("red", 70.0), ("blue", 70.0)])
    library.ingest([path])
    other = demo_library(tmp_path / "home", frame_rate_hz=1.0)
    stopped = False

    from indexer.ingest.run import Observer

    class StopAfterOne(Observer):
        def on_advance(self, size_bytes, video_s):
            nonlocal stopped
            stopped = True
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        other.ingest([path], observer=StopAfterOne())
    assert stopped
    assert "2hz" in _list(other)[0].keys["picture"]
    assert other.search("blue").moments[0].span.start_s == pytest.approx(70.0, abs=0.6)
    other.ingest([path])
    assert "1hz" in _list(other)[0].keys["picture"]
    assert other.search("blue").moments[0].span.start_s == pytest.approx(70.0, abs=1.1)


def test_killed_at_random_moments_and_repeated_gives_the_same_rows(tmp_path):
    media = tmp_path / "media"
    for number, colour in enumerate(["red", "green", "blue", "yellow", "purple", "orange"]):
        colour_video(media / f"{number}.mp4", [(colour, 40.0), ("black", 45.0)], rate=10)
    whole = demo_library(tmp_path / "whole")
    whole.ingest([media])
    home = tmp_path / "home"
    command = [sys.executable, "-m", "indexer", "ingest", str(media), "--json"]
    env = demo_environment(home)
    delays = np.random.default_rng(7).uniform(0.3, 2.5, size=5)
    for delay in delays:
        process = subprocess.Popen(
            command,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert contents(demo_library(home)) == contents(whole)


def test_two_ingests_at_once_do_the_work_once(tmp_path):
    media = tmp_path / "media"
    for number, colour in enumerate(["red", "green", "blue", "yellow"]):
        colour_video(media / f"{number}.mp4", [(colour, 20.0), ("black", 10.0)], rate=10)
    command = [sys.executable, "-m", "indexer", "ingest", str(media)]
    env = demo_environment(tmp_path / "home")
    both = [
        subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
    library = demo_library(tmp_path / "home")
    whole = demo_library(tmp_path / "whole")
    whole.ingest([media])
    assert contents(library) == contents(whole)
    assert library.status().segments == whole.status().segments


def test_a_full_disk_is_a_clear_error_and_nothing_is_half_written(tmp_path, media):
    """The files of the home may not grow past a limit: as a full disk, the write fails in the
    middle.
    """
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000));"
        "from indexer.cli import main; main()"
    )
    env = demo_environment(tmp_path / "home")
    full = subprocess.run(
        [sys.executable, "-c", code, "ingest", str(media)],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert full.returncode == 1
    assert "Traceback" not in full.stderr
    assert "space" in full.stderr
    library = demo_library(tmp_path / "home")
    assert set(states(library.ingest([media])).values()) == {"indexed"}
    whole = demo_library(tmp_path / "whole")
    whole.ingest([media])
    assert contents(library) == contents(whole)


def test_a_read_that_hangs_is_killed_and_only_its_chunk_fails(tmp_path, media):
    library = Library(demo_settings(tmp_path / "home", chunk_timeout_s=0.001))
    report = library.ingest([media])
    assert set(states(report).values()) == {"failed"}
    assert all("0.001" in failure.error or "time" in failure.error for failure in report.failures)
    assert {video.state for video in library.videos()} == {"failed"}
    patient = demo_library(tmp_path / "home")
    retried = patient.retry()
    assert (retried.videos, retried.ready, retried.errors) == (2, 2, ())


def test_remove_frees_the_disk_and_leaves_the_files(media, library):
    library.ingest([media], "a")
    library.reindex()
    removed = library.remove(collections=["a"])
    assert len(removed.video_ids) == 2
    assert removed.freed_bytes > 0
    assert library.videos() == []
    assert library.collections() == []
    assert (media / "one.mp4").exists()
    assert not list(library.settings.artefacts.rglob("*.jpg"))
    assert not library.search("blue").moments


def test_status_accounts_for_the_disk(media, library):
    library.ingest([media])
    status = library.status()
    assert status.video_s == pytest.approx(22.0)
    assert status.videos == {"ready": 2}
    assert status.bytes_per_hour == pytest.approx(sum(status.disk_bytes.values()) / 22.0 * 3600)


def test_settings_reach_other_machines_by_root(media, tmp_path):
    """Two machines with one catalog see the same files under different mounts."""
    here = Library(Settings(home=tmp_path / "home", embedder="demo", roots={"archive": media}))
    here.ingest([media])
    moved = tmp_path / "mounted elsewhere"
    media.rename(moved)
    there = Library(Settings(home=tmp_path / "home", embedder="demo", roots={"archive": moved}))
    assert there.search("blue").moments[0].path == str(moved / "one.mp4")
    assert set(states(there.ingest([moved])).values()) == {"unchanged"}


def test_a_moved_file_is_not_offline_too(media, library):
    library.ingest([media])
    (media / "one.mp4").rename(media / "deep" / "renamed.mp4")
    report = library.ingest([media])
    assert states(report)["renamed.mp4"] == "moved"
    assert report.offline == ()


def test_sound_alone_is_refused_without_speech_and_leaves_no_video(tmp_path, library):
    ffmpeg("-f", "lavfi", "-i", "sine=duration=2", tmp_path / "sound.mp4")
    report = library.ingest([tmp_path / "sound.mp4"])
    assert "no video stream" in report.failures[0].error
    assert "SEEKPOINT_SPEECH" in report.failures[0].hint
    assert library.videos() == []


def test_pictures_of_an_unknown_codec_are_named_where_sound_is_not_searched(tmp_path, library):
    path = tmp_path / "unknown.mp4"
    inputs = ("-f", "lavfi", "-i", "color=red:s=64x48:d=2", "-f", "lavfi", "-i", "sine=duration=2")
    ffmpeg(*inputs, "-c:v", "libx264", path)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"yyyy"))
    report = library.ingest([path])
    assert "holds no picture that can be decoded (zzzz)" in report.failures[0].error
    assert "SEEKPOINT_SPEECH" in report.failures[0].hint


def test_retry_names_what_is_gone_and_does_the_rest(media, library):
    report = library.ingest([media])
    with library.catalog.begin() as session:
        for file in report.files:
            session.get_one(Video, file.video_id or 0).state = VideoState.FAILED
    (media / "one.mp4").rename(media.parent / "elsewhere.mp4")
    retried = library.retry()
    assert (retried.videos, retried.ready) == (2, 1)
    assert len(retried.errors) == 1
    assert "one.mp4" in retried.errors[0]


def test_a_folder_that_was_closed_to_us_is_named_and_its_videos_are_offline(
    media, library, monkeypatch
):
    """As root cannot be kept out, the system calls are made to say so."""
    library.ingest([media])
    real_stat, real_list = os.stat, os.listdir

    def stat(path, *args, **kwargs):
        if isinstance(path, str | os.PathLike) and "/deep/" in os.fspath(path):
            raise PermissionError(13, "Permission denied", path)
        return real_stat(path, *args, **kwargs)

    def listdir(path="."):
        if os.fspath(path).endswith("/deep"):
            raise PermissionError(13, "Permission denied", path)
        return real_list(path)

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "listdir", listdir)
    report = library.ingest([media])
    assert [(file.state, "deep: permission denied" in file.error) for file in report.failures] == [
        ("failed", True)
    ]
    assert states(report)["one.mp4"] == "unchanged"
    assert [Path(path).name for path in report.offline] == ["two.mp4"]
    assert {check.name: check.ok for check in library.doctor()}["files"]


def test_a_model_that_is_missing_is_one_error_before_any_file(tmp_path, media):
    speaking = demo_library(tmp_path / "home", speech=True, speech_model=str(tmp_path / "nothing"))
    with pytest.raises(ModelError, match="nothing") as raised:
        speaking.ingest([media])
    assert "SEEKPOINT_SPEECH_MODEL" in raised.value.hint
    assert not speaking.videos()


def test_a_file_that_breaks_its_recognition_is_the_only_one_that_fails(
    media, library, monkeypatch, caplog
):
    plain = plan.probe_in_process

    def broken(path, **options):
        if path.name == "bad.mp4":
            raise ValueError("a length of -0.1 s")
        return plain(path, **options)

    monkeypatch.setattr(plan, "probe_in_process", broken)
    (media / "bad.mp4").write_bytes((next(media.rglob("*.mp4"))).read_bytes() + b"more")
    report = library.ingest([media])
    found = states(report)
    assert found.pop("bad.mp4") == "failed"
    assert set(found.values()) == {"indexed"}
    (failure,) = report.failures
    assert "a length of -0.1 s" in failure.error
    assert failure.hint
    assert caplog.records
    caplog.clear()


def test_what_is_odd_about_a_file_is_noted(tmp_path, library):
    path = colour_video(tmp_path / "odd.mp4", [("blue", 3.0)])
    ffmpeg(
        "-i",
        path,
        "-c",
        "copy",
        "-bsf:v",
        "h264_metadata=matrix_coefficients=10",
        tmp_path / "colours.mp4",
    )
    report = library.ingest([tmp_path / "colours.mp4"])
    assert [file.state for file in report.files] == ["indexed"]
    assert any("colours.mp4" in note and "matrix 10" in note for note in report.notes)


def test_a_home_of_any_name_holds_its_catalog(tmp_path, media):
    home = tmp_path / "what? 100%20 #1&2 ü"
    library = demo_library(home)
    assert {file.state for file in library.ingest([media]).files} == {"indexed"}
    assert library.catalog.sqlite_path == home / "catalog.sqlite"
    assert (home / "catalog.sqlite").is_file()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("what")] == [home.name]
    assert {file.state for file in demo_library(home).ingest([media]).files} == {"unchanged"}


def test_what_could_not_be_read_of_a_video_stays_known(tmp_path, library):
    path = colour_video(tmp_path / "media" / "cut.mp4", [("red", 4.0), ("blue", 8.0)])
    content = bytearray(path.read_bytes())
    for at in range(int(len(content) * 0.6), len(content)):
        content[at] = at * 7 % 256
    path.write_bytes(content)
    (outcome,) = library.ingest([path]).files
    assert outcome.state == "partly"
    (video,) = library.videos()
    assert video.state == VideoState.READY
    assert video.is_partly_read
    assert str(video.error) in str(outcome.error)
    colour_video(path, [("red", 4.0), ("blue", 8.0)])
    library.ingest([path])
    assert not library.videos()[0].is_partly_read
