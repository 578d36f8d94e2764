import io
import os
import shutil
import stat
from pathlib import Path

import ffmpeg as ffmpeg_python
import numpy as np
import pytest
from PIL import Image

from indexer.errors import MediaError, MediaTimeout, StorageError, UsageError
from indexer.media.decode.audio import read_audio
from indexer.media.decode.reader import sample_frames
from indexer.media.ffmpeg import find_ffmpeg, run_ffmpeg
from indexer.media.output.clips import cut_clip
from indexer.media.output.thumbnails import jpeg, thumbnail, without_bars
from indexer.media.probe import probe
from indexer.settings import load_settings
from tests.indexer.media.golden import ffmpeg, read_number

BEEP_S = (1.0, 1.5)


def beep(path: Path, *options: object, volume: str = "1") -> Path:
    """Four seconds, silent but for a tone from 1.0 to 1.5 s."""
    gate = f"volume='if(between(t,{BEEP_S[0]},{BEEP_S[1]}),{volume},0)':eval=frame"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "sine=1000:d=4:r=48000:samples_per_frame=240",
        "-af",
        gate,
        *options,
        path,
    )
    return path


def loud_span(samples: np.ndarray, start_s: float, rate_hz: int) -> tuple[float, float]:
    loud = np.flatnonzero(np.abs(samples) > 0.03)
    return start_s + loud[0] / rate_hz, start_s + loud[-1] / rate_hz


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", ()),
        ("a.mp3", ("-b:a", "96k")),
        ("a.m4a", ("-c:a", "aac")),
        ("a.webm", ("-c:a", "libopus")),
        ("a.mkv", ("-c:a", "flac", "-ac", "2")),
        ("a.ts", ("-c:a", "aac", "-output_ts_offset", "5")),
    ],
)
def test_sound_is_heard_when_it_sounds(tmp_path, name, options):
    path = beep(tmp_path / name, *options)
    for start_s, end_s in ((0.0, 4.0), (0.9, 2.1), (0.517, 1.731)):
        samples, begun_s = read_audio(path, start_s, end_s)
        assert samples.dtype == np.float32
        assert samples.shape == (round((end_s - start_s) * 16_000),)
        np.testing.assert_allclose(loud_span(samples, begun_s, 16_000), BEEP_S, atol=0.03)


def test_silence_before_after_and_between(tmp_path, make_golden):
    """Sound that starts 1 s late and ends early; the pictures' clock rules."""
    beep(tmp_path / "a.wav")
    ffmpeg(
        "-i",
        make_golden("constant").path,
        "-itsoffset",
        "1",
        "-i",
        tmp_path / "a.wav",
        "-c:v",
        "copy",
        "-c:a",
        "flac",
        tmp_path / "v.mkv",
    )
    samples, begun_s = read_audio(tmp_path / "v.mkv", 0.0, 10.0)
    assert samples.shape == (160_000,)
    np.testing.assert_allclose(loud_span(samples, begun_s, 16_000), (2.0, 2.5), atol=0.01)
    assert not samples[: int(0.99 * 16_000)].any()
    assert not samples[int(5.1 * 16_000) :].any()
    assert read_audio(tmp_path / "v.mkv", -2.0, -1.0)[0].tolist() == [0.0] * 16_000


def test_sound_that_is_not_there(tmp_path, make_golden):
    with pytest.raises(MediaError, match="no sound track 0"):
        read_audio(make_golden("constant").path, 0, 1)
    with pytest.raises(MediaError, match="no sound track 1"):
        read_audio(beep(tmp_path / "a.wav"), 0, 1, track=1)
    with pytest.raises(ValueError, match="start_s <= end_s"):
        read_audio(tmp_path / "a.wav", 2, 1)


def test_another_rate_and_track(tmp_path):
    ffmpeg(
        *("-f", "lavfi", "-i", "sine=200:d=1", "-f", "lavfi", "-i", "sine=2000:d=1"),
        *("-map", 0, "-map", 1, "-c:a", "flac", tmp_path / "t.mkv"),
    )
    for track, hz in ((0, 200), (1, 2000)):
        samples, _ = read_audio(tmp_path / "t.mkv", 0.2, 0.8, rate_hz=8000, track=track)
        spectrum = np.abs(np.fft.rfft(samples))
        assert np.argmax(spectrum) / 0.6 == pytest.approx(hz, abs=5)


def test_damaged_sound_is_read_around(tmp_path):
    path = beep(tmp_path / "a.mp3", "-b:a", "96k")
    data = bytearray(path.read_bytes())
    data[-9000:-2000] = np.random.default_rng(2).bytes(7000)
    path.write_bytes(data)
    samples, begun_s = read_audio(path, 0.0, 2.0)
    np.testing.assert_allclose(loud_span(samples, begun_s, 16_000), BEEP_S, atol=0.06)


def test_ffmpeg_is_found_by_setting_then_path_then_package(tmp_path, monkeypatch, settings):
    monkeypatch.setenv("PATH", str(tmp_path))
    packaged = find_ffmpeg(settings)
    assert "imageio_ffmpeg" in str(packaged)
    (tmp_path / "ffmpeg").symlink_to(packaged)
    assert find_ffmpeg(settings) == tmp_path / "ffmpeg"
    shutil.copy(shutil.which("true", path="/bin:/usr/bin") or "", tmp_path / "mine")
    assert find_ffmpeg(load_settings(ffmpeg=str(tmp_path / "mine"))) == tmp_path / "mine"
    with pytest.raises(UsageError, match="SEEKPOINT_FFMPEG"):
        find_ffmpeg(load_settings(ffmpeg=str(tmp_path / "nothing")))


def test_ffmpeg_errors_carry_its_last_lines(tmp_path, settings):
    with pytest.raises(MediaError, match="No such file"):
        run_ffmpeg(
            ffmpeg_python.input(str(tmp_path / "none.mp4")).output(str(tmp_path / "out.mp4")),
            20,
            settings,
        )


def test_ffmpeg_is_stopped_after_its_time(tmp_path, settings):
    endless = ffmpeg_python.input("testsrc2=s=1280x720", f="lavfi").output(
        str(tmp_path / "out.mp4")
    )
    with pytest.raises(MediaTimeout, match=r"longer than 0\.5 s"):
        run_ffmpeg(endless, 0.5, settings)


@pytest.fixture
def film(tmp_path, make_golden) -> Path:
    beep(tmp_path / "a.wav")
    ffmpeg(
        "-i",
        make_golden("b_frames").path,
        "-i",
        tmp_path / "a.wav",
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        "-shortest",
        tmp_path / "film.mp4",
    )
    return tmp_path / "film.mp4"


def test_a_clip_has_the_pictures_and_the_sound_of_its_span(tmp_path, film, settings):
    cut_clip(film, 0.75, 1.95, tmp_path / "clip.mp4", settings)
    info = probe(tmp_path / "clip.mp4")
    assert (info.codec, info.audio_tracks[0][2]) == ("h264", "aac")
    assert info.duration_s == pytest.approx(1.2, abs=0.05)
    np.testing.assert_allclose(
        loud_span(*read_audio(tmp_path / "clip.mp4", 0.0, 1.2), 16_000), (0.25, 0.75), atol=0.03
    )
    assert read_number(sample_frames(tmp_path / "clip.mp4", times_s=[0.0]).images[0]) == 18
    data = (tmp_path / "clip.mp4").read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")
    assert stat.S_IMODE(os.stat(tmp_path / "clip.mp4").st_mode) & 0o044 == 0o044 & ~_umask()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def test_a_clip_inside_one_long_picture_lasts_as_long_as_its_span(tmp_path, settings):
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x64:r=1/8:d=24",
        "-c:v",
        "libx264",
        tmp_path / "slides.mp4",
    )
    cut_clip(tmp_path / "slides.mp4", 2.5, 5.0, tmp_path / "clip.mp4", settings)
    assert probe(tmp_path / "clip.mp4").duration_s == pytest.approx(2.5, abs=0.1)


def test_a_clip_that_cannot_be_is_no_file(tmp_path, film, settings, make_golden):
    silent = make_golden("constant").path
    before = sorted(p.name for p in tmp_path.iterdir())
    for start_s, end_s in ((2.0, 1.0), (-1.0, 1.0), (100.0, 200.0), (float("nan"), 1.0)):
        with pytest.raises(UsageError):
            cut_clip(film, start_s, end_s, tmp_path / "clip.mp4", settings)
    with pytest.raises(UsageError, match="the video itself"):
        cut_clip(film, 0.0, 1.0, film, settings)
    with pytest.raises(StorageError, match="no-folder"):
        cut_clip(film, 0.0, 1.0, tmp_path / "no-folder" / "clip.mp4", settings)
    with pytest.raises(MediaError, match="ffmpeg failed"):
        cut_clip(film, 0.0, 1.0, tmp_path / "clip.mp4", load_settings(ffmpeg="/bin/false"))
    with pytest.raises(UsageError, match="no sound that can be cut"):
        cut_clip(silent, 0.0, 1.0, tmp_path / "clip.m4a", settings)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_failed_clip_leaves_the_old_one(tmp_path, film, settings):
    (tmp_path / "clip.mp4").write_text("old")
    with pytest.raises(MediaError):
        cut_clip(film, 0.0, 1.0, tmp_path / "clip.mp4", load_settings(ffmpeg="/bin/false"))
    assert (tmp_path / "clip.mp4").read_text() == "old"


@pytest.mark.parametrize("name", ["c.m4a", "c.MP3", "c.wav", "c.flac", "c.ogg", "c.opus", "c.aac"])
def test_the_sound_alone_of_a_span(tmp_path, film, settings, name):
    cut_clip(film, 0.75, 1.95, tmp_path / name, settings)
    info = probe(tmp_path / name)
    assert (info.width, len(info.audio_tracks)) == (0, 1)
    assert info.duration_s == pytest.approx(1.2, abs=0.1)
    heard = loud_span(*read_audio(tmp_path / name, 0.0, 1.2), 16_000)
    np.testing.assert_allclose(heard, (0.25, 0.75), atol=0.08)  # coders add silence in front


def test_the_sound_alone_where_it_is_asked_for_or_all_there_is(tmp_path, film, settings):
    cut_clip(film, 0.75, 1.95, tmp_path / "asked.mp4", settings, sound_only=True)
    cut_clip(tmp_path / "a.wav", 0.75, 1.95, tmp_path / "all.mp4", settings)
    for name in ("asked.mp4", "all.mp4"):
        info = probe(tmp_path / name)
        assert (info.width, info.codec) == (0, "aac")
        heard = loud_span(*read_audio(tmp_path / name, 0.0, 1.2), 16_000)
        np.testing.assert_allclose(heard, (0.25, 0.75), atol=0.03)


def test_sound_that_has_ended_is_said(tmp_path, make_golden, settings):
    path = tmp_path / "short.mkv"
    ffmpeg(
        *("-i", make_golden("constant").path, "-f", "lavfi", "-i", "sine=d=1"),
        *("-map", 0, "-map", 1, "-c:v", "copy", "-c:a", "flac", path),
    )
    with pytest.raises(UsageError, match=r"no sound from 2\.000 to 2\.300 s"):
        cut_clip(path, 2.0, 2.3, tmp_path / "clip.m4a", settings)
    assert not (tmp_path / "clip.m4a").exists()
    cut_clip(path, 0.5, 3.0, tmp_path / "clip.m4a", settings)
    assert probe(tmp_path / "clip.m4a").duration_s == pytest.approx(0.5, abs=0.05)


def test_names_with_anything_in_them_can_be_cut(tmp_path, film, settings):
    odd = tmp_path / "a 'b' \"c\"; $(d)\n%d.mp4"
    film.rename(odd)
    cut_clip(odd, 0.0, 0.5, tmp_path / "-y %03d 'clip'.mp4", settings)
    assert probe(tmp_path / "-y %03d 'clip'.mp4").width == 192


def test_jpeg_is_scaled_down_and_never_up():
    image = np.zeros((90, 160, 3), np.uint8)
    image[:, 80:] = 255
    small = Image.open(io.BytesIO(jpeg(image, 40)))
    assert (small.format, small.size) == ("JPEG", (40, 22))
    assert np.asarray(small)[11, 5].max() < 30
    assert np.asarray(small)[11, 35].min() > 225
    assert Image.open(io.BytesIO(jpeg(image, 999))).size == (160, 90)


def test_thumbnail_is_the_picture_shown(make_golden):
    picture = Image.open(io.BytesIO(thumbnail(make_golden("rotated_90").path, 1.0, 120)))
    assert picture.size == (120, 80)
    assert read_number(np.asarray(picture)) == 25


@pytest.mark.parametrize(
    ("shape", "inner"),
    [
        ((90, 160), np.s_[12:78, :]),  # as films are
        ((90, 160), np.s_[:, 55:105]),  # as upright videos are
        ((90, 160), np.s_[10:80, 20:140]),
    ],
)
def test_recorded_black_bars_are_cut_off(shape, inner):
    image = np.full((*shape, 3), 8, np.uint8)
    image[inner] = (200, 120, 40)
    assert (without_bars(image) == (200, 120, 40)).all()
    assert without_bars(image).shape == image[inner].shape


def test_what_is_dark_is_not_a_bar():
    black = np.zeros((90, 160, 3), np.uint8)
    assert without_bars(black).shape == black.shape
    lamp = black.copy()
    lamp[40:50, 70:90] = 255  # a light in the night: too little would be left
    assert without_bars(lamp).shape == black.shape
    floor = black.copy()
    floor[30:] = 180  # dark at the top alone
    assert without_bars(floor).shape == black.shape
