"""Pictures and screen text of a chunk come from one decoding, and are what they are when each stage
reads for itself.
"""

from pathlib import Path

import numpy as np
import pytest

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.passages import list_passages
from indexer.errors import MediaError, MediaTimeout
from indexer.library import Library
from indexer.media.decode.frames import Sampling
from indexer.media.decode.reader_process import ReaderProcess
from indexer.media.files import MediaFiles
from tests.indexer.ingest.test_run import contents
from tests.indexer.talks import Part, make_talk
from tests.support import colour_video, demo_library, demo_settings

SMALL, LARGE = Sampling(2.0, 32), Sampling(1.0, 48)
SPAN = Span(0.0, 4.0)


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


def test_expected_pictures_come_from_the_read_of_the_first(tmp_path, video, reads):
    with MediaFiles(demo_settings(tmp_path)) as media:
        media.expect(video, SPAN, [LARGE])
        first, second = media.pictures(video, SPAN, SMALL), media.pictures(video, SPAN, LARGE)
        assert reads == [(SMALL, LARGE)]
        alone = media.pictures(video, SPAN, LARGE)
        assert reads[1:] == [(LARGE,)]
    assert len(first.frames) == 8
    np.testing.assert_array_equal(second.frames.images, alone.frames.images)
    np.testing.assert_array_equal(second.frames.times_s, alone.frames.times_s)


def test_pictures_that_nobody_fetched_are_not_kept_for_another_span(tmp_path, video, reads):
    with MediaFiles(demo_settings(tmp_path)) as media:
        media.expect(video, SPAN, [LARGE])
        media.pictures(video, SPAN, SMALL)
        media.pictures(video, Span(4.0, 6.0), SMALL)
        media.pictures(video, SPAN, LARGE)
    assert reads == [(SMALL, LARGE), (SMALL,), (LARGE,)]


def test_an_error_of_reading_together_is_no_error_of_the_first_alone(tmp_path, video, monkeypatch):
    plain = ReaderProcess.read_each

    def too_much(self, start_s, end_s, samplings):
        if LARGE in samplings:
            raise MediaError("more than 10 pictures at once")
        return plain(self, start_s, end_s, samplings)

    monkeypatch.setattr(ReaderProcess, "read_each", too_much)
    with MediaFiles(demo_settings(tmp_path)) as media:
        media.expect(video, SPAN, [LARGE])
        assert len(media.pictures(video, SPAN, SMALL).frames) == 8
        with pytest.raises(MediaError, match="at once"):
            media.pictures(video, SPAN, LARGE)


def test_a_read_that_hangs_is_not_tried_twice_for_one_stage(tmp_path, video, monkeypatch):
    tries = []

    def hang(self, start_s, end_s, samplings):
        tries.append(samplings)
        raise MediaTimeout("it took too long")

    monkeypatch.setattr(ReaderProcess, "read_each", hang)
    with MediaFiles(demo_settings(tmp_path)) as media:
        media.expect(video, SPAN, [LARGE])
        with pytest.raises(MediaTimeout):
            media.pictures(video, SPAN, SMALL)
    assert len(tries) == 1


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
