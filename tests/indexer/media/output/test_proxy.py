"""Copies for browsers show at every time what the original shows."""

import pytest

from indexer.errors import MediaError
from indexer.media.decode.reader import sample_frames
from indexer.media.output.proxy import make_proxy, plays_in_browsers
from indexer.media.probe import probe
from tests.indexer.media.golden import read_number

AS_IT_IS = ["constant", "b_frames", "variable", "ntsc", "edit_list", "rotated_90", "vp9", "av1"]
NEEDS_ONE = [
    "mpeg4_avi",
    "mpeg2",
    "mjpeg",
    "ten_bit",
    "hevc",
    "odd_size",
    "start_offset",
    "start_offset_mkv",
    "variable_mkv",
]


@pytest.mark.parametrize("name", AS_IT_IS)
def test_plays_as_it_is(make_golden, name):
    assert plays_in_browsers(make_golden(name).path)


@pytest.mark.parametrize("name", NEEDS_ONE)
def test_proxy_shows_the_same_pictures_at_the_same_times(make_golden, settings, tmp_path, name):
    golden = make_golden(name)
    assert not plays_in_browsers(golden.path)
    done: list[float] = []
    make_proxy(golden.path, tmp_path / "deep" / "proxy.mp4", settings, done.append)
    proxy = tmp_path / "deep" / "proxy.mp4"
    assert plays_in_browsers(proxy)
    assert done[-1] == 1.0
    assert done == sorted(done)
    middles = (golden.times_s[:-1] + golden.times_s[1:]) / 2
    shown = sample_frames(proxy, times_s=middles)
    assert [read_number(image) for image in shown.images] == [
        golden.number_at(time_s) for time_s in middles
    ]
    assert [path.name for path in proxy.parent.iterdir()] == ["proxy.mp4"], (
        "nothing is left beside it"
    )


def test_sound_without_pictures(settings, tmp_path):
    from tests.indexer.media.golden import ffmpeg

    ffmpeg("-f", "lavfi", "-i", "sine=440:duration=2", "-c:a", "wmav2", tmp_path / "tone.wma")
    assert not plays_in_browsers(tmp_path / "tone.wma")
    make_proxy(tmp_path / "tone.wma", tmp_path / "proxy.mp4", settings)
    assert plays_in_browsers(tmp_path / "proxy.mp4")
    assert probe(tmp_path / "proxy.mp4").duration_s == pytest.approx(2, abs=0.1)


def test_no_video_leaves_nothing(settings, tmp_path):
    (tmp_path / "a.avi").write_bytes(b"not a video")
    with pytest.raises(MediaError):
        make_proxy(tmp_path / "a.avi", tmp_path / "out" / "proxy.mp4", settings)
    assert not (tmp_path / "out" / "proxy.mp4").exists()
