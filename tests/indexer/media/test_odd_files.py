"""Files that public reports named: each kind is made small by ffmpeg, and shown as it shows it."""

import itertools
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from PIL import Image

from indexer.errors import MediaError, UsageError
from indexer.media import clock
from indexer.media.decode.audio import read_audio
from indexer.media.decode.decoder import PictureTrack
from indexer.media.decode.reader import Reader, sample_frames
from indexer.media.output.clips import cut_clip
from indexer.media.output.proxy import make_proxy, plays_in_browsers
from indexer.media.playable import is_playable
from indexer.media.probe import probe
from tests.indexer.media.golden import encode, ffmpeg, read_number
from tests.indexer.media.packed import pack_b_frames
from tests.indexer.media.reference import ffmpeg_pictures

SMALL = "s=96x64:r=25"
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


Once = Callable[..., Path]


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> Once:
    """`once(make, ...)`: what `make(folder, ...)` makes, which several tests read and none
    changes.
    """

    @cache
    def made(make: Once, *args: object) -> Path:
        return make(tmp_path_factory.mktemp(make.__name__), *args)

    return made


def lavfi(source: str) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", source)


def shown(path: Path, **options) -> tuple[list[float], list[int]]:
    """(times, numbers) of all pictures, read on from the beginning."""
    track, tables = PictureTrack(path, **options), VideoReformatter()
    try:
        pictures = [
            (p.time_s, read_number(tables.reformat(p.frame, format="rgb24").to_ndarray()))
            for p in track.pictures()
        ]
    finally:
        track.close()
    return [time_s for time_s, _ in pictures], [number for _, number in pictures]


# -- containers without presentation times ---------------------------------------------------------


def avi(folder: Path) -> Path:
    encode(folder / "source.mp4", count=120, bf="3", preset="veryfast", crf="18")
    ffmpeg(
        "-i",
        folder / "source.mp4",
        "-c:v",
        "libx264",
        "-bf",
        3,
        "-g",
        12,
        "-crf",
        18,
        folder / "b.avi",
    )
    return folder / "b.avi"


def avi_mpeg4(folder: Path) -> Path:
    encode(folder / "source.mp4", count=120, crf="18")
    ffmpeg(
        "-i",
        folder / "source.mp4",
        "-c:v",
        "mpeg4",
        "-bf",
        2,
        "-g",
        12,
        "-b:v",
        "3M",
        folder / "b4.avi",
    )
    return folder / "b4.avi"


def avi_packed(folder: Path) -> Path:
    encode(folder / "source.mp4", count=120, crf="18")
    codec = ("-c:v", "mpeg4", "-bf", 1, "-g", 13, "-b_strategy", 0, "-b:v", "3M")
    ffmpeg("-i", folder / "source.mp4", *codec, "-sc_threshold", 10**9, folder / "plain.avi")
    pack_b_frames(folder / "plain.avi", folder / "packed.avi")
    return folder / "packed.avi"


def raw_h264(folder: Path) -> Path:
    encode(folder / "source.mp4", count=120, crf="18")
    codec = ("-r", 25, "-c:v", "libx264", "-bf", 3, "-g", 12, "-crf", 18)
    ffmpeg("-i", folder / "source.mp4", *codec, folder / "b.h264")
    return folder / "b.h264"


def raw_mpeg2(folder: Path) -> Path:
    encode(folder / "source.mp4", count=120, crf="18")
    ffmpeg(
        "-i", folder / "source.mp4", "-c:v", "mpeg2video", "-bf", 2, "-b:v", "4M", folder / "b.m2v"
    )
    return folder / "b.m2v"


WITHOUT_TIMES = [avi, avi_mpeg4, avi_packed, raw_h264, raw_mpeg2]


@pytest.mark.parametrize("make", WITHOUT_TIMES)
@pytest.mark.parametrize("threads", [1, 0])
def test_pictures_without_presentation_times_are_those_of_ffmpeg(tmp_path, make, threads, once):
    path = once(make)
    times_s, images = ffmpeg_pictures(path)
    found_s, numbers = shown(path, threads=threads)
    assert numbers == [read_number(image) for image in images] == list(range(120))
    np.testing.assert_allclose(found_s, times_s, atol=2e-3)


@pytest.mark.parametrize("make", WITHOUT_TIMES)
def test_a_seek_shows_what_reading_on_shows_without_presentation_times(
    tmp_path, make, settings, once
):
    path = once(make)
    found_s, numbers = shown(path)
    for time_s in (0.5, 1.37, 2.9, 4.0):
        expected = numbers[int(np.searchsorted(found_s, time_s + 1e-6, side="right")) - 1]
        frames = sample_frames(path, times_s=[time_s])
        assert read_number(frames.images[0]) == expected
    with Reader(path) as reader:
        read = reader.read(2.0, 3.0, 25.0, 64)
        assert not read.damage
        assert [read_number(image) for image in read.frames.images] == [
            n for t, n in zip(found_s, numbers, strict=True) if 2.0 - 0.039 < t < 3.0 - 1e-6
        ]
        assert not reader.read(0.0, 5.0, 25.0, 64).damage


@pytest.mark.parametrize("make", WITHOUT_TIMES)
def test_clip_and_copy_agree_with_the_index_without_presentation_times(
    tmp_path, make, settings, once
):
    path = once(make)
    found_s, numbers = shown(path)
    cut_clip(path, 1.5, 3.0, tmp_path / "clip.mp4", settings)
    at = int(np.searchsorted(found_s, 1.5 + 1e-6, side="right")) - 1
    _, clip_numbers = shown(tmp_path / "clip.mp4")
    assert clip_numbers[:30] == numbers[at : at + 30]
    make_proxy(path, tmp_path / "proxy.mp4", settings)
    for time_s in (0.5, 1.5, 3.1):
        expected = numbers[int(np.searchsorted(found_s, time_s + 5e-3, side="right")) - 1]
        frames = sample_frames(tmp_path / "proxy.mp4", times_s=[time_s + 5e-3])
        assert read_number(frames.images[0]) == expected


def test_a_raw_stream_of_jpegs_is_no_single_picture(tmp_path, settings):
    path = tmp_path / "raw.mjpeg"
    ffmpeg(*lavfi("testsrc2=s=640x360:r=25:d=2"), "-c:v", "mjpeg", path)
    assert probe(path).duration_s == pytest.approx(2.0)
    make_proxy(path, tmp_path / "proxy.mp4", settings)
    cut_clip(path, 0.5, 1.5, tmp_path / "clip.mp4", settings)
    assert probe(tmp_path / "proxy.mp4").duration_s == pytest.approx(2.0)
    assert probe(tmp_path / "clip.mp4").duration_s == pytest.approx(1.0)


@pytest.mark.parametrize("make", [avi, avi_packed])
def test_keyframes_of_an_avi_have_the_times_that_they_have_among_all(tmp_path, make, once):
    path = once(make)
    found_s, numbers = shown(path)
    times = dict(zip(numbers, found_s, strict=True))
    with Reader(path) as reader:
        read = reader.read(0.0, 10.0, 25.0, 64, keyframes_only=True)
    assert len(read.frames) >= 8
    for image, time_s in zip(read.frames.images, read.frames.times_s, strict=True):
        assert time_s == pytest.approx(times[read_number(image)], abs=1e-6)


# -- lengths ---------------------------------------------------------------------------------------


def test_a_negative_length_is_the_error_of_its_file(tmp_path):
    path = tmp_path / "t.mp3"
    ffmpeg(*lavfi("sine=d=0.05"), "-c:a", "libmp3lame", path)
    data = bytearray(path.read_bytes())
    place = data.find(b"Info") + 141
    data[place : place + 3] = b"\xff\xff\xff"
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"t\.mp3"):
        probe(path)


def test_an_absurd_length_is_that_of_what_plays(tmp_path, settings):
    path = tmp_path / "big.mkv"
    jump = r"setts=ts=if(gte(N\,249)\,TS+4e9/TB\,TS)"
    ffmpeg(*lavfi(f"testsrc2=d=10:{SMALL}"), *X264, "-bf", 0, "-bsf:v", jump, path)
    assert probe(path).duration_s == pytest.approx(9.96, abs=0.1)
    make_proxy(path, tmp_path / "proxy.mp4", settings)
    assert probe(tmp_path / "proxy.mp4").duration_s == pytest.approx(9.96, abs=0.1)


def test_a_picture_that_claims_to_last_a_day_does_not_make_the_video_so_long(tmp_path, settings):
    path = tmp_path / "day.mp4"
    jump = r"setts=ts=if(gte(N\,249)\,TS+9e4/TB\,TS)"
    ffmpeg(*lavfi(f"testsrc2=d=10:{SMALL}"), *X264, "-bf", 0, "-bsf:v", jump, path)
    assert probe(path).duration_s == pytest.approx(9.92, abs=0.1)
    assert not plays_in_browsers(path), "a browser would play it for a day"
    make_proxy(path, tmp_path / "proxy.mp4", settings)
    assert probe(tmp_path / "proxy.mp4").duration_s == pytest.approx(9.92, abs=0.1)


def test_a_length_of_months_is_an_error(tmp_path):
    path = tmp_path / "months.mkv"
    slow = "setts=ts=TS*60000:duration=DURATION*60000"
    ffmpeg(*lavfi(f"testsrc2=d=100:{SMALL}"), *X264, "-bf", 0, "-bsf:v", slow, path)
    with pytest.raises(MediaError, match="days"):
        probe(path)


@pytest.mark.parametrize("suffix", ["aac", "mp3", "ac3"])
def test_a_length_that_ffmpeg_estimates_is_read_from_the_packets(tmp_path, suffix):
    path = tmp_path / f"long.{suffix}"
    options = {"mp3": ("-q:a", 2, "-write_xing", 0)}.get(suffix, ())
    ffmpeg(
        *lavfi("anoisesrc=d=8:c=pink:a=.6"),
        *lavfi("anullsrc=cl=mono:r=48000:d=52"),
        *("-filter_complex", "[0][1]concat=v=0:a=1", *options, path),
    )
    assert probe(path).duration_s == pytest.approx(60.0, abs=0.2)


def test_an_avi_without_an_index_lasts_as_long_as_its_pictures(tmp_path):
    path = tmp_path / "a.avi"
    ffmpeg(*lavfi(f"testsrc2=d=20:{SMALL}"), *lavfi("sine=d=20"), "-c:a", "mp3", path)
    data = path.read_bytes()
    path.write_bytes(data[: data.rfind(b"idx1")])
    times_s, _ = ffmpeg_pictures(path)
    assert probe(path).duration_s == pytest.approx(times_s[-1] + 0.04, abs=0.06)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("b.m1v", ("-c:v", "mpeg1video", "-bf", 2)),
        ("b.m2v", ("-c:v", "mpeg2video", "-bf", 2)),
        ("b.flv", ("-c:v", "libx264", "-bf", 2, "-pix_fmt", "yuv420p")),
        ("n.flv", ("-c:v", "flv1", "-flvflags", "no_duration_filesize")),
    ],
)
def test_a_video_ends_with_its_last_picture(tmp_path, name, options):
    path = tmp_path / name
    ffmpeg(*lavfi(f"testsrc2=d=4:{SMALL}"), *options, path)
    times_s, _ = ffmpeg_pictures(path)
    assert probe(path).duration_s == pytest.approx(times_s[-1] - times_s[0] + 0.04, abs=0.005)


def test_late_fragments_last_as_long_as_they_play(tmp_path):
    hls = ("-f", "hls", "-hls_time", 4, "-hls_segment_type", "fmp4", "-hls_playlist_type", "vod")
    encode(tmp_path / "source.mp4", count=500, g="50", crf="18")
    names = ("-hls_segment_filename", tmp_path / "part%d.m4s")
    ffmpeg("-i", tmp_path / "source.mp4", "-c", "copy", *hls, *names, tmp_path / "x.m3u8")
    parts = [tmp_path / name for name in ("init.mp4", "part2.m4s", "part3.m4s")]
    path = tmp_path / "late.mp4"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert probe(path).duration_s == pytest.approx(8.0, abs=0.1)
    with Reader(path) as reader:
        first = read_number(reader.at([0.0]).images[0])
        assert first >= 200
        assert read_number(reader.at([1.0]).images[0]) == first + 25
        assert not reader.read(0.0, 8.0, 2.0, 64).damage


# -- which track -----------------------------------------------------------------------------------


def mean_colour(path: Path, time_s: float = 1.0) -> np.ndarray:
    return sample_frames(path, times_s=[time_s]).images[0].mean((0, 1))


def two_tracks(folder: Path) -> Path:
    sources = (*lavfi(f"color=red:d=4:{SMALL}"), *lavfi(f"color=blue:d=4:{SMALL}"))
    default = ("-disposition:v:0", 0, "-disposition:v:1", "default")
    ffmpeg(*sources, "-map", 0, "-map", 1, *X264, *default, folder / "two.mkv")
    return folder / "two.mkv"


def cover_first(folder: Path) -> Path:
    ffmpeg(*lavfi(f"color=red:{SMALL}"), "-frames:v", 1, folder / "cover.png")
    sources = ("-i", folder / "cover.png", *lavfi(f"color=blue:d=4:{SMALL}"))
    codecs = ("-c:v:0", "copy", "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p")
    ffmpeg(
        *sources,
        "-map",
        0,
        "-map",
        1,
        *codecs,
        "-disposition:v:0",
        "attached_pic",
        folder / "cover.mp4",
    )
    return folder / "cover.mp4"


@pytest.mark.parametrize("make", [two_tracks, cover_first])
def test_clip_and_copy_show_the_track_of_the_index(tmp_path, make, settings, once):
    path = once(make)
    assert mean_colour(path).argmax() == 2
    cut_clip(path, 0.5, 2.0, tmp_path / "clip.mp4", settings)
    assert mean_colour(tmp_path / "clip.mp4").argmax() == 2
    assert plays_in_browsers(path) == (make is cover_first)
    make_proxy(path, tmp_path / "proxy.mp4", settings)
    assert mean_colour(tmp_path / "proxy.mp4").argmax() == 2


@pytest.mark.parametrize(
    ("suffix", "noise"), [("mkv", "drop=1"), ("mkv", "amount=1"), ("ts", "drop=1")]
)
def test_the_other_track_is_shown_where_the_default_one_is_empty(tmp_path, settings, suffix, noise):
    sources = (*lavfi(f"color=red:d=4:{SMALL}"), *lavfi(f"color=blue:d=4:{SMALL}"))
    default = ("-disposition:v:0", "default", "-disposition:v:1", 0, "-bsf:v:0", f"noise={noise}")
    path = tmp_path / f"two.{suffix}"
    ffmpeg(*sources, "-map", 0, "-map", 1, *X264, *default, path)
    assert probe(path).picture_index == 1
    assert mean_colour(path).argmax() == 2
    cut_clip(path, 0.5, 1.0, tmp_path / "clip.mp4", settings)
    assert mean_colour(tmp_path / "clip.mp4", 0.2).argmax() == 2
    assert not plays_in_browsers(path)


# -- sound that is not there -----------------------------------------------------------------------


def ended_sound(folder: Path) -> Path:
    encode(folder / "source.mp4", count=150, crf="18")
    ffmpeg(
        "-i",
        folder / "source.mp4",
        *lavfi("sine=d=2"),
        "-map",
        0,
        "-map",
        1,
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        folder / "s.mp4",
    )
    return folder / "s.mp4"


def empty_track(folder: Path) -> Path:
    encode(folder / "source.mp4", count=150, crf="18")
    ffmpeg(
        "-i",
        folder / "source.mp4",
        *lavfi("sine=d=6"),
        "-map",
        0,
        "-map",
        1,
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        "-bsf:a",
        "noise=drop=1",
        folder / "e.ts",
    )
    return folder / "e.ts"


def undecodable_sound(folder: Path) -> Path:
    ended_sound(folder)
    data = (folder / "s.mp4").read_bytes().replace(b"mp4a", b"ac-4").replace(b"esds", b"xxxx")
    (folder / "ac4.mp4").write_bytes(data)
    return folder / "ac4.mp4"


@pytest.mark.parametrize("make", [ended_sound, empty_track, undecodable_sound])
def test_pictures_without_their_sound_are_read_cut_and_played(tmp_path, make, settings, once):
    path = once(make)
    assert probe(path).width
    cut_clip(path, 4.0, 5.0, tmp_path / "clip.mp4", settings)
    _, numbers = shown(tmp_path / "clip.mp4")
    assert numbers == list(range(100, 125))
    plays_in_browsers(path)
    make_proxy(path, tmp_path / "proxy.mp4", settings)
    frames = sample_frames(tmp_path / "proxy.mp4", times_s=[4.001])
    assert read_number(frames.images[0]) == 100


def test_the_next_track_that_can_be_decoded_is_heard(tmp_path, settings):
    encode(tmp_path / "source.mp4", count=100, crf="18")
    path = tmp_path / "both.mp4"
    ffmpeg(
        "-i",
        tmp_path / "source.mp4",
        *lavfi("sine=f=440:d=4"),
        *lavfi("sine=f=2000:d=4"),
        *("-map", 0, "-map", 1, "-map", 2, "-c:v", "copy", "-c:a:0", "ac3", "-c:a:1", "aac"),
        path,
    )
    path.write_bytes(path.read_bytes().replace(b"ac-3", b"ac-4").replace(b"dac3", b"xxxx"))
    info = probe(path)
    assert [track[0] for track in info.audio_tracks] == [1]
    samples, _ = read_audio(path, 1.0, 2.0)
    assert np.abs(np.fft.rfft(samples)).argmax() == pytest.approx(2000, abs=5)
    cut_clip(path, 1.0, 3.0, tmp_path / "clip.mp4", settings)
    samples, _ = read_audio(tmp_path / "clip.mp4", 0.5, 1.5)
    assert np.abs(np.fft.rfft(samples)).argmax() == pytest.approx(2000, abs=5)


@pytest.mark.parametrize("noise", ["drop=1", "amount=1"])
def test_the_next_track_is_heard_where_the_first_has_no_sound(tmp_path, settings, noise):
    """The first one is announced: it is empty, or nothing of it decodes."""
    path = tmp_path / "both.mkv"
    ffmpeg(
        *lavfi(f"testsrc2=d=4:{SMALL}"),
        *lavfi("sine=f=440:d=4"),
        *lavfi("sine=f=2000:d=4"),
        *("-map", 0, "-map", 1, "-map", 2, *X264, "-c:a", "aac", "-bsf:a:0", f"noise={noise}"),
        path,
    )
    assert probe(path).sound_index == 2
    cut_clip(path, 1.0, 3.0, tmp_path / "clip.mp4", settings)
    for heard in (path, tmp_path / "clip.mp4"):
        samples, _ = read_audio(heard, 0.5, 1.5)
        assert np.abs(np.fft.rfft(samples)).argmax() == pytest.approx(2000, abs=5)


def test_a_clip_before_the_first_picture_says_where_it_is(tmp_path, settings):
    encode(tmp_path / "source.mp4", count=100, crf="18")
    path = tmp_path / "v5.mp4"
    ffmpeg(
        "-itsoffset",
        5,
        "-i",
        tmp_path / "source.mp4",
        *lavfi("sine=d=9"),
        "-map",
        0,
        "-map",
        1,
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        path,
    )
    with pytest.raises(UsageError, match=r"no picture before 5\.0.*sound alone \(\.m4a\)"):
        cut_clip(path, 1.0, 3.0, tmp_path / "clip.mp4", settings)
    assert not (tmp_path / "clip.mp4").exists()
    cut_clip(path, 1.0, 3.0, tmp_path / "clip.m4a", settings)
    assert probe(tmp_path / "clip.m4a").duration_s == pytest.approx(2.0, abs=0.05)


# -- clocks that restart ---------------------------------------------------------------------------


def joined(folder: Path, suffix: str) -> Path:
    encode(folder / "source.mp4", count=150, crf="18")
    sound = (*lavfi("sine=d=6"), "-map", 0, "-map", 1, "-c:a", "mp2")
    video = ("-c:v", "mpeg2video", "-bf", 2, "-b:v", "4M", "-g", 12)
    ffmpeg("-i", folder / "source.mp4", *sound, *video, folder / f"a.{suffix}")
    data = (folder / f"a.{suffix}").read_bytes()
    (folder / f"b.{suffix}").write_bytes(data + data)
    return folder / f"b.{suffix}"


@pytest.mark.parametrize(("first_s", "second_s"), [(500, 20), (20, 500), (20, 13_000)])
def test_recordings_with_clocks_far_apart_follow_each_other(tmp_path, first_s, second_s):
    """FFmpeg takes a time more than a minute before the first for one of the next 26 hours."""
    joined = b""
    for name, begins_s, count in (("a", first_s, 75), ("b", second_s, 50)):
        source = encode(tmp_path / f"{name}.mp4", count=count, bf="0", preset="veryfast")
        sound = (*lavfi(f"sine=d={count / 25}"), "-c:v", "copy", "-c:a", "mp2")
        offset = ("-output_ts_offset", begins_s, "-f", "mpegts")
        ffmpeg("-i", source.path, *sound, *offset, tmp_path / f"{name}.ts")
        joined += (tmp_path / f"{name}.ts").read_bytes()
    (tmp_path / "joined.ts").write_bytes(joined)
    info = probe(tmp_path / "joined.ts")
    assert info.duration_s == pytest.approx(5.0, abs=0.05)
    times_s, images = ffmpeg_pictures(
        tmp_path / "joined.ts", info.picture_index or 0, heard=info.sound_index
    )
    found_s, numbers = shown(tmp_path / "joined.ts")
    assert numbers == [read_number(image) for image in images] == [*range(75), *range(50)]
    np.testing.assert_allclose(found_s, times_s, atol=2e-3)


def test_an_avi_that_was_written_to_a_pipe_ends_with_its_last_packet(tmp_path):
    """Its header stays as it was before anything was known of the length."""
    path = tmp_path / "pipe.avi"
    with path.open("wb") as target:
        program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *lavfi(f"testsrc2=d=3:{SMALL}")]
        subprocess.run([*program, "-c:v", "mjpeg", "-f", "avi", "-"], stdout=target, check=True)
    assert probe(path).duration_s == pytest.approx(3.0)


def test_a_sound_with_a_cover_is_played_as_it_is(tmp_path):
    Image.new("RGB", (64, 64), "red").save(tmp_path / "cover.png")
    cover = ("-i", tmp_path / "cover.png", "-map", 0, "-map", 1, "-c:v", "copy")
    named = ("-disposition:v", "attached_pic", tmp_path / "sound.flac")
    ffmpeg(*lavfi("sine=d=2"), *cover, *named)
    assert is_playable(tmp_path / "sound.flac")


@pytest.mark.parametrize("suffix", ["vob", "ts"])
def test_a_clock_that_restarts_goes_on_as_in_a_player(tmp_path, suffix, settings, once):
    path = once(joined, suffix)
    info = probe(path)
    assert info.restarts
    assert info.duration_s == pytest.approx(12.0, abs=0.3)
    times_s, images = ffmpeg_pictures(path, info.picture_index or 0, heard=info.sound_index)
    found_s, numbers = shown(path)
    assert numbers == [read_number(image) for image in images]
    np.testing.assert_allclose(found_s, times_s, atol=2e-3)
    with Reader(path) as reader:
        for time_s in (9.0, 2.0, 7.5, 11.0):
            expected = numbers[int(np.searchsorted(found_s, time_s + 1e-6, side="right")) - 1]
            assert read_number(reader.at([time_s]).images[0]) == expected
        reads = [reader.read(a, a + 3.0, 5.0, 64) for a in (0.0, 3.0, 6.0, 9.0)]
    with Reader(path) as reader:
        again = [reader.read(a, a + 3.0, 5.0, 64) for a in (9.0, 6.0, 3.0, 0.0)][::-1]
    for one, other in zip(reads, again, strict=True):
        np.testing.assert_array_equal(one.frames.times_s, other.frames.times_s)
        np.testing.assert_array_equal(one.frames.images, other.frames.images)
    cut_clip(path, 8.0, 9.0, tmp_path / "clip.mp4", settings)
    at = int(np.searchsorted(found_s, 8.0 + 1e-6, side="right")) - 1
    assert shown(tmp_path / "clip.mp4")[1][:20] == numbers[at : at + 20]
    make_proxy(path, tmp_path / "proxy.mp4", settings)
    frames = sample_frames(tmp_path / "proxy.mp4", times_s=[found_s[200] + 0.01])
    assert read_number(frames.images[0]) == numbers[200]
    samples, _ = read_audio(path, 6.5, 11.5)
    assert np.abs(samples).max(initial=0) > 0.05
    assert not any(not np.abs(part).max() for part in np.array_split(samples, 20))


@pytest.mark.parametrize(("sound", "length_s"), [("ac3", 4), ("aac", 2)])
def test_a_clip_behind_a_restart_has_its_pictures_with_and_without_sound(
    tmp_path, sound, length_s, settings
):
    """Sound begins before the pictures, and has its own length of a frame."""
    encode(tmp_path / "source.mp4", count=100, crf="18")
    tone = (*lavfi(f"sine=d={length_s}"), "-map", 0, "-map", 1, "-c:a", sound)
    video = ("-c:v", "libx264", "-bf", 0, "-crf", 18, "-g", 12)
    ffmpeg("-i", tmp_path / "source.mp4", *tone, *video, tmp_path / "a.ts")
    path = tmp_path / "b.ts"
    path.write_bytes((tmp_path / "a.ts").read_bytes() * 2)
    info = probe(path)
    times_s, images = ffmpeg_pictures(path, info.picture_index or 0, heard=info.sound_index)
    found_s, numbers = shown(path)
    assert numbers == [read_number(image) for image in images]
    np.testing.assert_allclose(found_s, times_s, atol=2e-3)
    for start_s in (1.0, 2.5, 5.0, 6.7):
        cut_clip(path, start_s, start_s + 1.0, tmp_path / "clip.mp4", settings)
        at = int(np.searchsorted(found_s, start_s + 1e-6, side="right")) - 1
        end = int(np.searchsorted(found_s, start_s + 0.96, side="right"))
        # One that is shown for seconds is repeated.
        clip = list(dict.fromkeys(shown(tmp_path / "clip.mp4")[1]))
        assert clip[: end - at] == numbers[at:end]


def beeps(folder: Path, suffix: str, count: int = 3) -> Path:
    """Parts of 6 s, joined: each beeps from 2.0 to 2.25 s."""
    encode(folder / "source.mp4", count=150, crf="18")
    tone = "aevalsrc=0.8*sin(1000*2*PI*t)*between(t\\,2\\,2.25):d=6:s=48000"
    maps = ("-map", 0, "-map", 1, "-c:a", "mp2", "-b:a", "192k")
    video = ("-c:v", "mpeg2video", "-bf", 2, "-b:v", "4M", "-g", 12)
    ffmpeg("-i", folder / "source.mp4", *lavfi(tone), *maps, *video, folder / f"p.{suffix}")
    path = folder / f"joined.{suffix}"
    path.write_bytes((folder / f"p.{suffix}").read_bytes() * count)
    return path


def loud_from(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(samples) > 0.2)) / 16_000


@pytest.mark.parametrize("suffix", ["vob", "ts"])
def test_sound_of_a_clip_behind_a_restart_is_heard_with_its_pictures(
    tmp_path, suffix, settings, once
):
    path = once(beeps, suffix)
    found_s, numbers = shown(path)
    for part in (1, 2):
        begin_s = found_s[[i for i, n in enumerate(numbers) if n == 50][part]]  # 2 s into the part
        samples, _ = read_audio(path, begin_s - 1.0, begin_s + 1.0)
        assert loud_from(samples) == pytest.approx(1.0, abs=0.12)
        cut_clip(path, begin_s - 1.0, begin_s + 1.0, tmp_path / "clip.mp4", settings)
        clip_s, clip = shown(tmp_path / "clip.mp4")
        assert clip_s[clip.index(50)] == pytest.approx(1.0, abs=0.05)
        heard, _ = read_audio(tmp_path / "clip.mp4", 0.0, 2.0)
        assert loud_from(heard) == pytest.approx(loud_from(samples), abs=0.03)


@pytest.mark.parametrize("suffix", ["vob", "ts"])
def test_a_seek_behind_restarts_reads_what_is_near(tmp_path, suffix, monkeypatch, once):
    path = once(beeps, suffix, 12)
    found_s, numbers = shown(path)
    assert len(numbers) > 1700
    read = 0
    plain = clock.packets

    def counted(*args):
        nonlocal read
        for packet in plain(*args):
            read += 1
            yield packet

    monkeypatch.setattr(clock, "packets", counted)
    track = PictureTrack(path)
    read = 0
    try:
        for time_s in (66.0, 30.0, 50.5, 12.1):
            track.seek(time_s)
            picture = next(track.pictures())
            at = int(np.argmin(np.abs(np.array(found_s) - picture.time_s)))
            assert picture.time_s == pytest.approx(found_s[at], abs=1e-4)
            assert read_number(picture.frame.to_ndarray(format="rgb24")) == numbers[at]
            assert time_s - 1.0 < picture.time_s <= time_s
    finally:
        track.close()
    assert read < 400, "from the beginning they are more than 3000"
    read = 0
    near, _ = read_audio(path, 64.0, 66.5)
    assert read < 400
    whole, _ = read_audio(path, 0.0, 70.0)
    np.testing.assert_allclose(near, whole[64 * 16_000 :][: len(near)], atol=0.02)


def test_a_place_that_is_not_found_again_is_read_from_the_beginning(tmp_path):
    path = joined(tmp_path, "ts")
    found_s, numbers = shown(path)
    known = clock.restarting_clock(path)
    assert known is not None
    for places in known.places.values():
        places[:] = [replace(place, ticks=place.ticks + 1) for place in places]
    frames = sample_frames(path, times_s=[9.0])
    at = int(np.searchsorted(found_s, 9.0 + 1e-6, side="right")) - 1
    assert read_number(frames.images[0]) == numbers[at]


def test_a_raw_stream_has_no_clock_that_could_restart(tmp_path):
    """FFmpeg counts its times from 0 again after each seek."""
    path = tmp_path / "raw.m4v"
    source = lavfi("testsrc2=s=320x240:r=25:d=3")
    ffmpeg(*source, "-c:v", "mpeg4", "-q:v", 2, "-bf", 2, "-f", "m4v", path)
    assert path.stat().st_size > 400_000, "else the places that are looked at are one"
    assert clock.restarting_clock(path) is None


# -- colours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("matrix", [8, 10, 14, 15])
def test_colours_of_an_unknown_matrix_are_shown_by_the_nearest(tmp_path, matrix, settings):
    path = tmp_path / "colours.mp4"
    tag = f"h264_metadata=matrix_coefficients={matrix}"
    ffmpeg(*lavfi(f"color=blue:d=2:{SMALL}"), *X264, "-bsf:v", tag, path)
    info = probe(path)
    assert any(str(matrix) in note for note in info.notes)
    assert mean_colour(path).argmax() == 2
    cut_clip(path, 0.5, 1.5, tmp_path / "clip.mp4", settings)
    make_proxy(path, tmp_path / "proxy.mp4", settings)
    assert len(sample_frames(tmp_path / "proxy.mp4", rate_hz=5)) == 10


# -- nothing that decodes --------------------------------------------------------------------------


def test_pictures_of_an_unknown_codec_are_named(tmp_path):
    path = ended_sound(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"yyyy"))
    info = probe(path)
    assert (info.width, info.codec) == (0, "aac")
    assert any("(zzzz)" in note for note in info.notes)
    silent = tmp_path / "silent.mp4"
    ffmpeg("-i", tmp_path / "source.mp4", "-c", "copy", silent)
    silent.write_bytes(silent.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"yyyy"))
    with pytest.raises(MediaError, match=r"\(zzzz\)"):
        probe(silent)


@pytest.mark.parametrize("suffix", ["avi", "mkv"])
def test_an_unknown_codec_has_the_name_that_the_container_gives(tmp_path, suffix):
    path = tmp_path / f"unknown.{suffix}"
    ffmpeg(*lavfi(f"testsrc2=d=2:{SMALL}"), *lavfi("sine=d=2"), *X264, "-c:a", "mp3", path)
    data = path.read_bytes()
    data = data.replace(b"H264", b"Zq-9").replace(b"V_MPEG4/ISO/AVC", b"V_MYSTERY/CODEC")
    path.write_bytes(data)
    named = {"avi": "Zq-9", "mkv": "unknown codec"}[suffix]
    info = probe(path)
    assert info.width == 0
    assert any(f"({named})" in note for note in info.notes)


def test_a_file_without_one_picture_or_sample_that_decodes_is_an_error(tmp_path):
    path = ended_sound(tmp_path)
    data = bytearray(path.read_bytes())
    first = data.find(b"mdat") + 4
    end = first - 8 + int.from_bytes(data[first - 8 : first - 4], "big")
    data[first:end] = bytes(end - first)
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"s\.mp4 holds no picture that can be decoded \(h264\)"):
        probe(path)


def test_a_container_that_changes_on_the_way_is_read_up_to_there(tmp_path, settings):
    """Ogg files that were joined; FFmpeg does not read the second one."""
    codecs = ("-c:v", "libtheora", "-c:a", "libvorbis")
    for name, size in (("a", "96x64"), ("b", "128x96")):
        source = lavfi(f"testsrc2=d=3:s={size}:r=25")
        ffmpeg(*source, *lavfi("sine=d=3"), *codecs, tmp_path / f"{name}.ogv")
    path = tmp_path / "joined.ogv"
    path.write_bytes(b"".join((tmp_path / f"{name}.ogv").read_bytes() for name in "ab"))
    info = probe(path)
    assert (info.width, info.sound_index) == (96, 1)
    with Reader(path) as reader:
        read = reader.read(0.0, info.duration_s, 5.0, 64)
    assert len(read.frames) == 15
    assert read.damage
    cut_clip(path, 1.0, 2.0, tmp_path / "clip.mp4", settings)
    assert len(sample_frames(tmp_path / "clip.mp4", rate_hz=5)) == 5


def test_pictures_of_one_pixel_are_cut_and_copied(tmp_path, settings):
    path = tmp_path / "one.mkv"
    one = "color=red:s=8x8:d=2:r=25,format=rgb24,crop=1:1"
    ffmpeg(*lavfi(one), "-c:v", "ffv1", "-pix_fmt", "bgr0", path)
    assert (probe(path).width, probe(path).height) == (1, 1)
    cut_clip(path, 0.5, 1.5, tmp_path / "clip.mp4", settings)
    make_proxy(path, tmp_path / "proxy.mp4", settings)
    for name in ("clip.mp4", "proxy.mp4"):
        assert mean_colour(tmp_path / name, 0.5).argmax() == 0


def test_times_rise_in_all_that_is_read(once):
    for make in (avi, raw_mpeg2):
        found_s, _ = shown(once(make))
        assert all(b > a for a, b in itertools.pairwise(found_s))
