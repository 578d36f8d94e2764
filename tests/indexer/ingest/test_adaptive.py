"""An adaptive ingest: the same answers from less, and rows that say what was not looked at."""

from pathlib import Path

import numpy as np
import pytest

from indexer.catalog import videos
from indexer.catalog.frames import get_filled, get_video_frames
from indexer.library import Library
from indexer.queue.runner import Runner
from indexer.queue.submit import note_files
from tests.indexer.ingest.test_run import contents
from tests.indexer.media.still_footage import CUT_S, LENGTH_S, write_footage
from tests.support import demo_library, run_command


@pytest.fixture(scope="module")
def footage(tmp_path_factory) -> Path:
    return write_footage(tmp_path_factory.mktemp("still") / "a.mp4", preset="veryfast")


@pytest.fixture(scope="module")
def adaptive(footage, tmp_path_factory) -> Library:
    library = demo_library(tmp_path_factory.mktemp("adaptive"))
    assert not library.ingest([footage], adaptive=True).failures
    return library


def picture_key(library: Library) -> tuple[int, str]:
    """Of the only video."""
    with library.catalog.read() as session:
        (video,) = videos.list_videos(session)
    return video.id, video.keys["picture"] or ""


def test_rows_that_were_not_looked_at_say_so(adaptive):
    video_id, key = picture_key(adaptive)
    with adaptive.catalog.read() as session:
        block = get_video_frames(session, video_id, key)
        filled = get_filled(session, video_id)
    assert len(block.times_s) >= LENGTH_S * 2 - 1, "there is a row for each half second"
    assert block.filled.sum() > len(block.times_s) / 2
    assert np.linalg.norm(block.vectors, axis=1) == pytest.approx(np.ones(len(block.times_s)), 1e-3)
    assert LENGTH_S / 2 < sum(span.length_s for span in filled) < LENGTH_S


def test_answers_are_where_they_are_after_a_full_ingest(adaptive, footage, tmp_path):
    full = demo_library(tmp_path)
    full.ingest([footage], adaptive=False)
    for library in (adaptive, full):
        best = library.search("when is it blue?").moments[0]
        assert (best.span.start_s, best.span.end_s) == pytest.approx((CUT_S, LENGTH_S), abs=0.5)
        assert best.thumbnail is not None
        assert best.thumbnail.exists()


def test_repeating_it_changes_nothing_and_a_full_pass_stays(adaptive, footage, tmp_path):
    assert [file.state for file in adaptive.ingest([footage], adaptive=True).files] == ["unchanged"]
    library = demo_library(tmp_path)
    library.ingest([footage])
    before = contents(library)
    (file,) = library.ingest([footage], adaptive=True).files
    assert file.state == "unchanged"
    assert contents(library) == before
    # The other way round a full pass is more than what is there.
    (file,) = adaptive.ingest([footage], adaptive=False).files
    assert file.state == "indexed"
    assert contents(adaptive) == before


def test_workers_find_the_same(footage, tmp_path):
    here = demo_library(tmp_path / "here")
    here.ingest([footage], adaptive=True)
    there = demo_library(tmp_path / "there")
    note_files(there.context, [footage], "default", adaptive=True)
    runner = Runner(there.context)
    runner.plan()
    assert runner.run_stage("picture").done == 1
    assert contents(there) == contents(here)


def test_the_command_takes_it(footage, tmp_path):
    run_command(tmp_path, "ingest", footage, "--adaptive")
    assert "/1of" in picture_key(demo_library(tmp_path))[1]
