"""The picture labelled t is the picture that a player shows at t, for every reader and every kind
of file.
"""

import numpy as np
import pytest

from indexer.media.decode.frames import Frames
from indexer.media.decode.reader import Reader, sample_frames
from indexer.media.decode.reader_process import ReaderProcess
from indexer.media.files import MediaFiles
from indexer.media.output.clips import cut_clip
from indexer.media.probe import probe
from tests.indexer.media.golden import BROKEN, SOUND, Golden, draw, read_number

SHORT_SIDE = 96


@pytest.fixture(params=sorted(SOUND))
def sound(request, make_golden) -> Golden:
    return make_golden(request.param)


@pytest.fixture(params=sorted(SOUND | BROKEN))
def any_golden(request, make_golden) -> Golden:
    return make_golden(request.param)


def numbers(frames: Frames) -> list[int]:
    return [read_number(image) for image in frames.images]


def assert_labelled_right(frames: Frames, golden: Golden) -> None:
    assert len(frames) > 0
    assert numbers(frames) == [golden.number_at(t) for t in frames.times_s]
    begun = np.searchsorted(golden.times_s, frames.times_s + 1e-4, side="right") - 1
    np.testing.assert_allclose(frames.times_s, golden.times_s[begun], atol=1e-4)


@pytest.mark.parametrize("number", [0, 1, 511, 512, 1023])
def test_burnt_in_number_reads_back(number):
    assert read_number(draw(number)) == number
    assert read_number(draw(number, 97, 61)) == number


def test_every_picture_comes_once_with_its_time(sound):
    frames = sample_frames(sound.path, rate_hz=1000)
    assert numbers(frames) == sound.numbers.tolist()
    np.testing.assert_allclose(frames.times_s, sound.times_s, atol=1e-4)
    np.testing.assert_allclose(frames.durations_s[:-1], np.diff(sound.times_s), atol=2e-3)


def test_probe_tells_the_displayed_size_and_the_length(sound):
    info = probe(sound.path)
    assert (info.width, info.height) in {(192, 128), (193, 127)}
    assert info.duration_s == pytest.approx(sound.end_s, abs=0.06)


def test_times_asked_for_in_any_order(any_golden):
    rng = np.random.default_rng(3)
    times_s = rng.permutation(np.concatenate([any_golden.times_s, any_golden.times_s + 0.011]))
    times_s = times_s[
        times_s
        < any_golden.end_s * (0.4 if any_golden.path.stem in ("truncated", "damaged") else 1)
    ]
    frames = sample_frames(any_golden.path, times_s=times_s, short_side=SHORT_SIDE)
    assert numbers(frames) == [any_golden.number_at(t) for t in times_s]


def test_reads_one_after_another_and_reads_that_seek_are_equal(any_golden):
    spans = [(s / 4, (s + 1) / 4) for s in range(int(any_golden.end_s * 4) + 1)]
    with Reader(any_golden.path) as reader:
        onward = [reader.read(*span, 12.0, SHORT_SIDE) for span in spans]
        decoded = reader.decoded
    for span, read in reversed(list(zip(spans, onward, strict=True))):
        with Reader(any_golden.path) as reader:
            again = reader.read(*span, 12.0, SHORT_SIDE)
        np.testing.assert_array_equal(again.frames.images, read.frames.images)
        np.testing.assert_array_equal(again.frames.times_s, read.frames.times_s)
        np.testing.assert_array_equal(again.cuts_s, read.cuts_s)
        if len(read.frames):
            assert_labelled_right(read.frames, any_golden)
    assert decoded <= len(any_golden.numbers)  # no picture was decoded twice


def test_grid_picture_is_the_one_shown_at_the_grid_time(sound):
    with Reader(sound.path) as reader:
        frames = reader.sample(0.0, None, 5.0, SHORT_SIDE)
    grid = np.arange(0, sound.end_s - 1e-6, 0.2)
    assert numbers(frames) == list(dict.fromkeys(sound.number_at(t) for t in grid))


def test_process_gives_what_the_reader_gives(any_golden):
    with Reader(any_golden.path) as reader, ReaderProcess(any_golden.path) as process:
        for span in ((0.0, 0.5), (0.5, 1.0), (0.3, 0.9)):
            expected, got = (
                reader.read(*span, 8.0, SHORT_SIDE),
                process.read(*span, 8.0, SHORT_SIDE),
            )
            np.testing.assert_array_equal(got.frames.images, expected.frames.images)
            np.testing.assert_array_equal(got.frames.times_s, expected.frames.times_s)
            np.testing.assert_array_equal(got.frames.durations_s, expected.frames.durations_s)
            np.testing.assert_array_equal(got.cuts_s, expected.cuts_s)
            assert_labelled_right(got.frames, any_golden)


def test_frames_of_a_window_are_the_pictures_shown(sound, settings):
    times_s = np.linspace(0.0, sound.end_s * 0.98, 16)
    with MediaFiles(settings) as media:
        frames = media.window(sound.path, times_s, short_side=256)
    assert numbers(frames) == [sound.number_at(time_s) for time_s in times_s]
    assert_labelled_right(frames, sound)


def test_keyframes_alone_are_labelled_right(any_golden):
    with Reader(any_golden.path) as reader:
        read = reader.read(0.0, 10.0, 25.0, SHORT_SIDE, keyframes_only=True)
        assert reader.decoded <= len(any_golden.numbers)
    assert_labelled_right(read.frames, any_golden)


CUT = (
    "b_frames",
    "variable",
    "edit_list",
    "start_offset",
    "rotated_90",
    "odd_size",
    "hevc_ten_bit",
    "vp9",
    "mpeg2",
)


@pytest.mark.parametrize("name", CUT)
def test_clip_starts_with_the_picture_shown_at_its_start(make_golden, name, tmp_path, settings):
    golden = make_golden(name)
    start_s, end_s = 0.53, 1.31
    cut_clip(golden.path, start_s, end_s, tmp_path / "clip.mp4", settings)
    frames = sample_frames(tmp_path / "clip.mp4", rate_hz=1000, short_side=SHORT_SIDE)
    assert read_number(frames.images[0]) == golden.number_at(start_s)
    assert frames.times_s[0] == 0.0
    assert numbers(frames) == [golden.number_at(start_s + t + 1e-3) for t in frames.times_s]
    inside = golden.numbers[(golden.times_s > start_s) & (golden.times_s < end_s - 1e-3)]
    assert list(dict.fromkeys(numbers(frames))) == [golden.number_at(start_s), *inside]
    assert probe(tmp_path / "clip.mp4").duration_s == pytest.approx(end_s - start_s, abs=0.05)
