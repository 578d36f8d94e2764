"""Clips of other sizes, with and without sound, become one video that plays through."""

import numpy as np
import pytest

from indexer.embedders.demo import COLOURS
from indexer.errors import UsageError
from indexer.media.decode.audio import read_audio
from indexer.media.decode.reader_process import ReaderProcess, probe_in_process
from indexer.media.output.join import join_clips
from tests.indexer.media.golden import ffmpeg
from tests.support import colour_video, demo_settings


def test_one_after_the_other(tmp_path):
    settings = demo_settings(tmp_path / "home")
    silent = colour_video(tmp_path / "red.mp4", [("red", 2.0)], (180, 320))
    small = colour_video(tmp_path / "small.mp4", [("blue", 1.0)], (64, 48))
    heard = tmp_path / "blue.mp4"
    tone = ("-f", "lavfi", "-i", "sine=duration=1")
    ffmpeg("-i", small, *tone, "-c:v", "copy", "-c:a", "aac", "-shortest", heard)
    joined = tmp_path / "joined.mp4"
    join_clips([silent, heard], joined, settings)
    info = probe_in_process(joined)
    assert (info.width, info.height) == (320, 180)
    assert info.duration_s == pytest.approx(3.0, abs=0.15)
    assert info.sound_index is not None
    with ReaderProcess(joined) as reader:
        first, second = reader.at([1.0, 2.5], short_side=180).images
    assert np.abs(first[90, 160].astype(int) - COLOURS["red"]).max() < 30
    assert np.abs(second[90, 160].astype(int) - COLOURS["blue"]).max() < 30
    assert second[90, 10].max() < 30, "in the middle of a black frame"
    with pytest.raises(UsageError):
        join_clips([], joined, settings)


def test_a_clip_without_pictures_is_black(tmp_path):
    settings = demo_settings(tmp_path / "home")
    red = colour_video(tmp_path / "red.mp4", [("red", 1.0)], (64, 96))
    sound = tmp_path / "sound.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", sound)
    joined = tmp_path / "joined.mp4"
    join_clips([red, sound], joined, settings)
    with ReaderProcess(joined) as reader:
        first, second = reader.at([0.5, 1.5], short_side=64).images
    assert np.abs(first[32, 48].astype(int) - COLOURS["red"]).max() < 30
    assert second.max() < 30
    samples, _ = read_audio(joined, 1.2, 1.8)
    assert np.abs(samples).max() > 0.05
    join_clips([sound], joined, settings)
    assert probe_in_process(joined).duration_s == pytest.approx(1.0, abs=0.15)
