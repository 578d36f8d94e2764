import numpy as np
import pytest

from indexer.errors import MediaTimeout
from indexer.media.decode.decord_frames import DecordFrames
from indexer.media.decode.reader import Reader
from indexer.media.decode.reader_process import ReaderProcess
from indexer.media.files import MediaFiles
from tests.indexer.media.golden import read_number

TIMES_S = np.array([0.0, 0.3, 0.31, 1.0, 2.3, 99.0])


@pytest.mark.parametrize("name", ["constant", "b_frames", "variable", "vp9", "start_offset_mkv"])
def test_decord_gives_the_pictures_and_times_of_the_reader(make_golden, name):
    with Reader(make_golden(name).path) as reader:
        frames = DecordFrames(reader).at(TIMES_S, 256)
        expected = reader.at(TIMES_S, short_side=256)
    assert frames is not None
    np.testing.assert_allclose(frames.times_s, expected.times_s, atol=1e-6)
    assert [read_number(i) for i in frames.images] == [read_number(i) for i in expected.images]


@pytest.mark.parametrize("name", ["edit_list", "mirrored", "mpeg4", "damaged_tail"])
def test_files_that_decord_shows_wrong_are_left_to_the_reader(make_golden, name):
    with Reader(make_golden(name).path) as reader:
        decord = DecordFrames(reader)
        assert decord.at(TIMES_S, 256) is None
        assert decord.at(TIMES_S, 256) is None


def test_narrow_pictures_are_left_to_the_reader(make_golden):
    with Reader(make_golden("constant").path) as reader:
        assert DecordFrames(reader).at(TIMES_S, 64) is None


def test_a_decord_that_hangs_is_stopped_once_and_pyav_reads(make_golden, settings, monkeypatch):
    asked = []
    plain = ReaderProcess.window

    def window(self, times_s, *, short_side, try_decord=True):
        asked.append(try_decord)
        if try_decord:
            raise MediaTimeout("reading took too long")
        return plain(self, times_s, short_side=short_side, try_decord=False)

    monkeypatch.setattr(ReaderProcess, "window", window)
    golden = make_golden("constant")
    with MediaFiles(settings) as media:
        for _ in range(2):
            frames = media.window(golden.path, np.array([1.0]), short_side=256)
            assert read_number(frames.images[0]) == 25
    assert asked == [True, False, False]
