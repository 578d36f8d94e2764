"""A worker decodes a chunk once for the stages that want its pictures, and those that listen."""

from pathlib import Path

import pytest

from indexer.artefacts import Artefacts
from indexer.catalog import collections
from indexer.ingest.discover import FoundFile
from indexer.ingest.plan import Planner
from indexer.library import Library
from indexer.media import files
from indexer.media.decode.reader_process import ReaderProcess
from indexer.queue.reaper import requeue_lost
from indexer.queue.runner import Runner
from tests.indexer.passages.sounds import place, siren
from tests.indexer.talks import Part, make_talk
from tests.support import colour_video, demo_library


@pytest.fixture
def reads(monkeypatch) -> list[int]:
    """How many samplings each read was asked for."""
    counts = []
    plain = ReaderProcess.read_each

    def read_each(self, start_s, end_s, samplings):
        counts.append(len(samplings))
        return plain(self, start_s, end_s, samplings)

    monkeypatch.setattr(ReaderProcess, "read_each", read_each)
    return counts


@pytest.fixture
def sounds(monkeypatch) -> list[float]:
    """Where each decoding of sound began."""
    starts = []
    plain = files.read_audio_in_process

    def read(path, start_s, *rest, **options):
        starts.append(start_s)
        return plain(path, start_s, *rest, **options)

    monkeypatch.setattr(files, "read_audio_in_process", read)
    return starts


def plan(library: Library, path: Path) -> None:
    """Chunk tasks of a file, as a worker makes them."""
    stages = {stage.name: stage for stage in library.context.stages(events=False)}
    planner = Planner(library.catalog, library.settings, stages)
    with library.catalog.begin() as session:
        collection_id = collections.ensure_collection(session, "default")
    status = path.stat()
    file = FoundFile(path, status.st_size, status.st_mtime_ns)
    planner.plan(planner.recognise(file, collection_id).video_id, path)


def test_screen_text_comes_from_the_decoding_of_the_pictures(tmp_path, reads):
    pytest.importorskip("rapidocr")
    library = demo_library(tmp_path, screen_text=True, device="cpu")
    plan(library, colour_video(tmp_path / "media" / "one.mp4", [("red", 3.0)]))
    runner = Runner(library.context)
    done = runner.run_stage("picture")
    assert (done.done, done.failed, round(done.video_s)) == (2, 0, 3)
    assert reads == [2]
    assert runner.run_stage("screen").done == 0
    assert [video.state for video in library.videos()] == ["ready"]


@pytest.mark.parametrize("first", ["speech", "sound"])
def test_speech_and_sounds_come_from_one_decoding(tmp_path, sounds, first):
    pytest.importorskip("faster_whisper")
    library = demo_library(tmp_path, speech=True, sound=True)
    path = tmp_path / "media" / "one.mp4"
    make_talk(path, [Part(6.0, "red")], sound=place(6.0, (1.0, siren(4.0))))
    plan(library, path)
    runner = Runner(library.context)
    assert runner.run_stage(first).done == 2
    assert len(sounds) == 1
    assert library.search("a siren", only=["sound"]).moments


def test_what_a_dead_worker_left_of_removed_videos_goes(tmp_path, monkeypatch):
    library = demo_library(tmp_path)
    artefacts = Artefacts(library.settings.artefacts)
    artefacts.write_thumbnail(7, 1.0, b"jpeg")
    requeue_lost(library.context)
    assert artefacts.video_ids() == {7}
    monkeypatch.setattr("indexer.queue.reaper.dead_owners", lambda owners: ["somebody"])
    requeue_lost(library.context)
    assert artefacts.video_ids() == set()


def test_a_process_that_has_released_all_claims_nothing_any_more(tmp_path):
    library = demo_library(tmp_path / "home")
    plan(library, colour_video(tmp_path / "a.mp4", [("red", 20)], rate=5))
    ends = Runner(library.context)
    ends.release_all()
    assert ends.run_stage("picture").done == 0
    assert Runner(library.context).run_stage("picture").done == 1, "others claim it"
