"""Pictures and screen text of a chunk come from one decoding, and are what they are when each stage
reads for itself.
"""

from pathlib import Path

import numpy as np
import pytest

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.catalog.passages import list_passages
from indexer.errors import MediaError, MediaTimeout
from indexer.ingest.pipeline import Job, StageTask, _read
from indexer.library import Library
from indexer.media.decode.frames import Sampling
from indexer.media.decode.reader_process import ReaderProcess
from indexer.media.files import MediaFiles
from indexer.stages.base import Source
from indexer.stages.passages import PassageStage
from tests.indexer.ingest.test_run import contents
from tests.indexer.talks import Part, make_talk
from tests.support import colour_video, demo_library, demo_settings

SMALL, LARGE = Sampling(2.0, 32), Sampling(1.0, 48)
SPAN = Span(0.0, 4.0)


class Echo(PassageStage):
    """Reads nothing but its pictures."""

    def __init__(self, name: str, sampling: Sampling) -> None:
        self.name = name
        self._sampling = sampling

    @property
    def sampling(self) -> Sampling:
        return self._sampling

    def read(self, media, source, span, pictures):
        return pictures


@pytest.fixture
def reads(monkeypatch) -> list[tuple[Sampling, ...]]:
    """The samplings of each read that a child was asked for."""
    asked = []
    plain = ReaderProcess.read_each

    def read_each(self, start_s, end_s, samplings):
        asked.append(tuple(samplings))
        return plain(self, start_s, end_s, samplings)

    monkeypatch.setattr(ReaderProcess, "read_each", read_each)
    return asked


@pytest.fixture
def video(tmp_path) -> Path:
    return colour_video(tmp_path / "media" / "video.mp4", [("red", 3.0), ("blue", 3.0)])


def written(library: Library) -> list:
    with library.catalog.read() as session:
        return [
            (passage.kind, passage.span, passage.text)
            for video in videos.list_videos(session)
            for passage in list_passages(session, video.id)
        ]


def job_of(video: Path, *samplings: Sampling) -> Job:
    """A job of one chunk; its stages hand on the pictures that they get."""
    source = Source(video, 6.0, has_pictures=True, has_sound=False)
    tasks = (
        StageTask(
            ClaimedTask(number, 1, 1, 0, SPAN.start_s, SPAN.end_s, f"stage {number}", "key", 1),
            Echo(f"stage {number}", sampling),
        )
        for number, sampling in enumerate(samplings)
    )
    return Job(source, tuple(tasks))


def test_one_read_gives_each_stage_what_it_would_read_alone(tmp_path, video, reads):
    with MediaFiles(demo_settings(tmp_path)) as media:
        first, second = (read.result() for read in _read(media, job_of(video, SMALL, LARGE)))
        assert reads == [(SMALL, LARGE)]
        (alone,) = (read.result() for read in _read(media, job_of(video, LARGE)))
    assert len(first.frames) == 8
    np.testing.assert_array_equal(second.frames.images, alone.frames.images)
    np.testing.assert_array_equal(second.frames.times_s, alone.frames.times_s)
    np.testing.assert_array_equal(second.cuts_s, alone.cuts_s)


def test_keyframes_alone_are_a_read_of_their_own(tmp_path, video, reads):
    keyframes = Sampling(2.0, 32, keyframes_only=True)
    with MediaFiles(demo_settings(tmp_path)) as media:
        found = [read.result() for read in _read(media, job_of(video, keyframes, LARGE))]
    assert reads == [(LARGE,), (keyframes,)]
    assert found[0].frames.images.shape[1] == 32
    assert found[1].frames.images.shape[1] == 48


def test_an_error_of_reading_together_is_no_error_of_the_first_alone(tmp_path, video, monkeypatch):
    plain = ReaderProcess.read_each

    def too_much(self, start_s, end_s, samplings):
        if LARGE in samplings:
            raise MediaError("more than 10 pictures at once")
        return plain(self, start_s, end_s, samplings)

    monkeypatch.setattr(ReaderProcess, "read_each", too_much)
    with MediaFiles(demo_settings(tmp_path)) as media:
        small, large = _read(media, job_of(video, SMALL, LARGE))
    assert len(small.result().frames) == 8
    with pytest.raises(MediaError, match="at once"):
        large.result()


def test_a_read_that_hangs_is_not_tried_again_for_each_stage(tmp_path, video, monkeypatch):
    tries = []

    def hang(self, start_s, end_s, samplings):
        tries.append(samplings)
        raise MediaTimeout("reading took too long")

    monkeypatch.setattr(ReaderProcess, "read_each", hang)
    with MediaFiles(demo_settings(tmp_path)) as media:
        reads = _read(media, job_of(video, SMALL, LARGE))
    assert len(tries) == 1
    for read in reads:
        with pytest.raises(MediaTimeout):
            read.result()


def test_an_ingest_decodes_each_chunk_once_and_finds_what_stages_find_alone(tmp_path, reads):
    path = tmp_path / "media" / "talk.mp4"
    make_talk(
        path,
        [
            Part(70, "red", title="Opening hours"),
            Part(70, "blue"),
            Part(10, "green", title="Emergency exit"),
        ],
    )
    together = demo_library(tmp_path / "together", screen_text=True)
    assert [file.state for file in together.ingest([path]).files] == ["indexed"]
    assert [len(samplings) for samplings in reads] == [2, 2]
    pictures = demo_library(tmp_path / "apart")
    pictures.ingest([path])
    apart = demo_library(tmp_path / "apart", screen_text=True)
    apart.ingest([path])
    assert [len(samplings) for samplings in reads[2:]] == [1, 1, 1, 1]
    assert contents(together) == contents(apart)
    assert [text.replace(" ", "") for _, _, text in written(together)] == [
        "Openinghours",
        "Emergencyexit",
    ]
    assert set(written(together)) == set(written(apart))
