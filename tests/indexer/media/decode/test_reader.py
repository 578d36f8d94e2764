import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from scenedetect import AdaptiveDetector, FrameTimecode

from indexer.errors import MediaError
from indexer.media.decode.frames import Frames, Sampling
from indexer.media.decode.reader import PictureRead, Reader, sample_frames
from indexer.media.probe import probe
from indexer.media.shot_boundaries import NEAR, difference, is_cut, small_picture
from tests.indexer.media.golden import ffmpeg, read_number


def write_shots(
    path: Path,
    shots: list[tuple[np.ndarray | tuple[int, int, int], int]],
    repeat: int = 1,
    rate: int = 25,
) -> None:
    """Each shot a still or a moving texture of (picture or colour, number of pictures); `repeat`
    shows every picture that often.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=rate, options={"crf": "16", "preset": "veryfast", "g": "250"}
        )
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for look, count in shots:
            for k in range(count):
                if isinstance(look, tuple):
                    image = np.full((96, 160, 3), look, np.uint8)
                else:
                    image = np.ascontiguousarray(np.roll(look, k // repeat * repeat, axis=1))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def texture(seed: int) -> np.ndarray:
    """A smooth random picture, so that a movement of a few pixels is a small change."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 10, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((160, 96), Image.Resampling.BILINEAR))


def cuts_of(path: Path) -> list[float]:
    with Reader(path) as reader:
        return reader.read(0.0, 1e6, 2.0, 64).cuts_s.tolist()


def assert_same_read(one: PictureRead, other: PictureRead) -> None:
    np.testing.assert_array_equal(one.frames.images, other.frames.images)
    np.testing.assert_array_equal(one.frames.times_s, other.frames.times_s)
    np.testing.assert_array_equal(one.frames.durations_s, other.frames.durations_s)
    np.testing.assert_array_equal(one.cuts_s, other.cuts_s)
    assert one.damage == other.damage


RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 128, 0), (0, 0, 255), (128, 128, 128)


def test_cuts_between_colours_are_found_even_where_brightness_is_the_same(tmp_path):
    """Red and green are equally bright: only the colour planes tell them apart."""
    write_shots(tmp_path / "v.mp4", [(RED, 40), (GREEN, 30), (BLUE, 30), (GREY, 40)])
    assert cuts_of(tmp_path / "v.mp4") == [1.6, 2.8, 4.0]


def test_cuts_between_moving_shots_are_found(tmp_path):
    lengths = [30, 12, 50, 9, 40]
    write_shots(tmp_path / "v.mp4", [(texture(k), count) for k, count in enumerate(lengths)])
    np.testing.assert_allclose(cuts_of(tmp_path / "v.mp4"), np.cumsum(lengths[:-1]) / 25)


@pytest.mark.parametrize("repeat", [2, 3, 4])
def test_repeated_pictures_are_no_cuts(tmp_path, repeat):
    """Animation on threes: nothing changes, then everything does."""
    write_shots(tmp_path / "v.mp4", [(texture(1), 96), (texture(2), 96)], repeat=repeat)
    assert cuts_of(tmp_path / "v.mp4") == [96 / 25]


@pytest.mark.parametrize("pictures", [1, 2])
def test_a_flash_is_no_cut(tmp_path, pictures):
    still = texture(3) // 3
    write_shots(
        tmp_path / "v.mp4",
        [
            (still, 40),
            ((250, 250, 250), pictures),
            (np.roll(still, 5, axis=1), 40),
            (texture(4), 30),
        ],
    )
    assert cuts_of(tmp_path / "v.mp4") == pytest.approx([(80 + pictures) / 25])


def test_a_moving_camera_is_no_cut(tmp_path):
    write_shots(tmp_path / "v.mp4", [(texture(5), 200)])
    assert cuts_of(tmp_path / "v.mp4") == []


def test_the_near_rule_is_that_of_adaptive_detector():
    """Equal decisions on the same scores where the wider rule is satisfied: PySceneDetect works on
    the same numbers here.
    """

    class Given(AdaptiveDetector):
        def _calculate_frame_score(self, timecode, frame_img):
            return float(frame_img)

    rng = np.random.default_rng(7)
    scores = np.abs(rng.normal(4, 2, 400))
    scores[rng.choice(400, 12, replace=False)] += 40
    detector = Given(
        adaptive_threshold=3.0, min_scene_len=0, window_width=NEAR, min_content_val=6.0
    )
    theirs = {
        cut.frame_num
        for i, s in enumerate(scores)
        for cut in detector.process_frame(FrameTimecode(i, 25.0), np.float64(s))
    }
    values = scores.tolist()
    ours = {
        i
        for i in range(NEAR, 400 - NEAR)
        if is_cut(values[i - NEAR : i], values[i], values[i + 1 : i + 1 + NEAR])
    }
    assert len(theirs) > 5
    assert ours == theirs


@pytest.mark.parametrize(
    "pix_fmt",
    [
        "yuv420p10le",
        "nv12",
        "p010le",
        "yuv444p",
        "yuv422p16le",
        "gray",
        "rgb24",
        "yuyv422",
        "gray10le",
    ],
)
def test_small_pictures_agree_between_pixel_formats(pix_fmt):
    image = av.VideoFrame.from_ndarray(texture(6), format="rgb24").reformat(
        format="yuv420p", dst_colorspace="ITU601"
    )
    reference, got = small_picture(image), small_picture(image.reformat(format=pix_fmt))
    assert abs(reference.mean_brightness() - got.mean_brightness()) < 6
    assert difference(got, got) == 0


def test_each_short_shot_has_a_picture(tmp_path):
    """Shots of a fifth of a second between the grid times of one a second."""
    shots = [(texture(k), 5) for k in range(12)]
    write_shots(tmp_path / "v.mp4", [(texture(100), 30), *shots, (texture(101), 40)])
    with Reader(tmp_path / "v.mp4") as reader:
        read = reader.read(0.0, 10.0, 1.0, 64)
    edges = [0.0, *read.cuts_s, 1e9]
    assert len(read.cuts_s) == 13
    for begin, end in pairwise(edges):
        assert ((read.frames.times_s >= begin) & (read.frames.times_s < end)).any(), (
            f"no picture in [{begin}, {end})"
        )
    assert (np.diff(read.frames.times_s) > 0).all()


def test_a_shot_over_the_edge_of_a_span_is_in_both_reads_alike(tmp_path):
    write_shots(tmp_path / "v.mp4", [(texture(k), 7) for k in range(30)])
    spans = [(0.0, 2.2), (2.2, 4.13), (4.13, 9.0)]
    with Reader(tmp_path / "v.mp4") as reader:
        onward = [reader.read(*span, 0.7, 64) for span in spans]
    for span, expected in zip(spans, onward, strict=True):
        with Reader(tmp_path / "v.mp4") as reader:
            got = reader.read(*span, 0.7, 64)
        np.testing.assert_array_equal(got.frames.times_s, expected.frames.times_s)
        np.testing.assert_array_equal(got.cuts_s, expected.cuts_s)


@pytest.mark.parametrize("name", ["constant", "variable", "vp9"])
def test_several_samplings_of_one_decoding_are_what_each_gives_alone(make_golden, name):
    samplings = [Sampling(2.0, 64), Sampling(1.0, 100), Sampling(7.0, None)]
    path = make_golden(name).path
    for spans in ([(0.0, 0.9), (0.9, 1.7)], [(0.7, 1.3)]):
        with Reader(path) as reader:
            together = [reader.read_each(*span, samplings) for span in spans]
        for place, sampling in enumerate(samplings):
            with Reader(path) as reader:
                alone = [
                    reader.read(*span, sampling.rate_hz, sampling.short_side) for span in spans
                ]
            for reads, one in zip(together, alone, strict=True):
                assert_same_read(reads[place], one)


def test_a_short_shot_has_a_picture_in_each_sampling_that_misses_it(tmp_path):
    write_shots(tmp_path / "v.mp4", [(texture(1), 30), (texture(2), 6), (texture(3), 40)])
    with Reader(tmp_path / "v.mp4") as reader:
        often, seldom = reader.read_each(0.0, 3.0, [Sampling(10.0, 64), Sampling(1.0, 64)])
    assert often.cuts_s.tolist() == seldom.cuts_s.tolist() == pytest.approx([1.2, 1.44])
    assert seldom.frames.times_s.tolist() == pytest.approx([0.0, 1.0, 1.2, 2.0, 3.0][:4])
    assert 1.2 in np.round(often.frames.times_s, 6)
    assert len(often.frames) > 20


def test_a_read_that_failed_half_way_is_not_gone_on_with(make_golden):
    with Reader(make_golden("constant").path, max_bytes=64 * 114 * 3 * 8) as reader:
        reader.read(0.0, 0.4, 10.0, 64)
        with pytest.raises(MediaError, match="more than"):
            reader.read(0.4, 1.6, 25.0, 64)
        again = reader.read(0.4, 0.8, 10.0, 64)
    with Reader(make_golden("constant").path) as reader:
        assert_same_read(again, reader.read(0.4, 0.8, 10.0, 64))


def test_keyframes_and_all_pictures_are_not_one_read(make_golden):
    with (
        Reader(make_golden("constant").path) as reader,
        pytest.raises(ValueError, match="keyframes"),
    ):
        reader.read_each(0.0, 1.0, [Sampling(1.0, 64), Sampling(1.0, 64, keyframes_only=True)])


def test_short_side_scales_up_and_down_keeping_the_aspect(make_golden):
    for name, shape in (("constant", (64, 96)), ("rotated_90", (64, 96)), ("odd_size", (64, 97))):
        assert sample_frames(make_golden(name).path, times_s=[0.5], short_side=64).images.shape == (
            1,
            *shape,
            3,
        )
    large = sample_frames(make_golden("constant").path, times_s=[0.5], short_side=512)
    assert large.images.shape == (1, 512, 768, 3)
    assert read_number(large.images[0]) == 12


def test_times_outside_are_clamped(make_golden):
    golden = make_golden("constant")
    frames = sample_frames(golden.path, times_s=[-5.0, 100.0])
    assert [read_number(i) for i in frames.images] == [0, 59]


def test_a_read_behind_the_end_is_empty(make_golden):
    with Reader(make_golden("constant").path) as reader:
        read = reader.read(50.0, 60.0, 2.0, 64)
        assert len(read.frames) == 0
        assert len(read.cuts_s) == 0
        assert len(reader.read(0.0, 0.6, 2.0, 64).frames) == 2


def test_no_times_give_no_frames(make_golden):
    assert len(sample_frames(make_golden("constant").path, times_s=[])) == 0


def test_damage_is_reported_and_what_was_decoded_is_kept(make_golden):
    golden = make_golden("damaged_tail")
    with Reader(golden.path) as reader:
        assert reader.read(0.0, 0.5, 25.0, 64).damage == ""
        read = reader.read(0.5, 10.0, 25.0, 64)
    assert "could not be decoded" in read.damage
    assert read.frames.times_s[-1] > 0.6 * golden.end_s


def test_a_truncated_file_says_where_it_ends(make_golden):
    golden = make_golden("truncated")
    with Reader(golden.path) as reader:
        read = reader.read(0.0, 10.0, 25.0, 64)
    # Where the cut falls within a picture, that depends on the encoder's threads: it is named too.
    *undecoded, end = read.damage.split("; ")
    assert end.startswith("the pictures end at 1.")
    assert len(undecoded) <= 1
    assert all(text.startswith("one packet could not be decoded after 1.") for text in undecoded)
    assert len(read.frames) > 25


def test_wrong_arguments_are_named(make_golden):
    path = make_golden("constant").path
    with pytest.raises(ValueError, match="times_s or rate_hz"):
        sample_frames(path)
    with pytest.raises(ValueError, match="finite"):
        sample_frames(path, times_s=[float("nan")])
    with Reader(path) as reader, pytest.raises(ValueError, match="rate_hz"):
        reader.read(0, 1, 0, 64)


def test_too_many_pictures_at_once_are_refused(make_golden):
    with Reader(make_golden("constant").path, max_bytes=10 * 64 * 96 * 3) as reader:
        assert len(reader.sample(0.0, 0.4, 25.0, 64)) == 10
        with pytest.raises(MediaError, match="more than 10 pictures of 96 x 64 at once"):
            reader.sample(0.0, 0.44, 25.0, 64)


def test_frames_check_themselves():
    with pytest.raises(ValueError, match="do not agree"):
        Frames(np.zeros((2, 4, 4, 3), np.uint8), np.zeros(2), np.zeros(1))
    with pytest.raises(ValueError, match="uint8"):
        Frames(np.zeros((2, 4, 4), np.uint8), np.zeros(2), np.zeros(2))
    assert repr(Frames(np.zeros((2, 4, 5, 3), np.uint8), np.array([0.0, 1.0]), np.ones(2))) == (
        "Frames(images (2, 4, 5, 3), times_s 0.000 to 1.000)"
    )


def test_memory_does_not_grow_with_length(tmp_path):
    """Four times the length, read in spans: the same peak, within the noise of an allocator."""
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x180:r=5:d=20",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        tmp_path / "v.mp4",
    )
    ffmpeg("-stream_loop", 39, "-i", tmp_path / "v.mp4", "-c", "copy", tmp_path / "long.mp4")
    code = (
        "import sys\nfrom indexer.media.decode.reader import PictureRead, Reader\n"
        "with Reader(sys.argv[1], threads=1) as reader:\n"
        "    for start in range(0, int(sys.argv[2]), 10):\n"
        "        assert len(reader.read(start, start + 10, 2, 160).frames) >= 20\n"
        "print(next(int(line.split()[1]) // 1024 for line in open('/proc/self/status') "
        "if line.startswith('VmHWM')))\n"
    )
    command = [sys.executable, "-c", code, tmp_path / "long.mp4"]
    peaks_mb = [
        int(subprocess.run([*command, length], capture_output=True, text=True, check=True).stdout)
        for length in ("200", "800")
    ]
    assert peaks_mb[1] < peaks_mb[0] + 25


def test_real_compilations(test_data):
    """Every joint is found to the picture."""
    segments = json.loads((test_data / "compilations" / "segments.json").read_text())
    for name, parts in segments.items():
        with Reader(test_data / "compilations" / name) as reader:
            found = reader.read(0.0, 1e6, 2.0, 64).cuts_s
        joints = [part["start"] for part in parts if part["start"] > 0]
        missed = [joint for joint in joints if np.abs(found - joint).min() > 0.041]
        assert missed == [], name


def test_real_single_shots_have_no_cuts(test_data):
    found = 0
    for name in ("sam2_cups", "sam2_dog_fetch", "udacity_highway", "intel_bottle_detection"):
        with Reader(test_data / "natural" / f"{name}.mp4") as reader:
            found += len(reader.read(0.0, 1e6, 2.0, 64).cuts_s)
    assert found == 0


def test_edge_files(test_data):
    """As many pictures as ffmpeg and PyAV decode, the last at the known time, and the same after a
    seek.
    """
    for line in (test_data / "edge" / "expected.jsonl").read_text().splitlines():
        row = json.loads(line)
        path = test_data / "edge" / row["file"]
        frames = sample_frames(path, rate_hz=1000, short_side=48)
        assert len(frames) == row["frames_pyav"], row["file"]
        middle_s = float(frames.times_s[len(frames) // 2])
        again = sample_frames(path, times_s=[middle_s, float(frames.times_s[-1])], short_side=48)
        np.testing.assert_array_equal(
            again.images[0], frames.images[len(frames) // 2], err_msg=row["file"]
        )
        np.testing.assert_array_equal(again.images[1], frames.images[-1], err_msg=row["file"])


def test_files_that_do_not_tell_their_length(tmp_path, make_golden):
    """A raw stream has neither times nor an index; what a browser records has times."""
    source = make_golden("constant").path
    ffmpeg("-i", source, "-c", "copy", "-f", "h264", tmp_path / "v.h264")
    ffmpeg("-i", source, "-c", "copy", "-live", "1", "-f", "matroska", tmp_path / "v.mkv")
    for name in ("v.h264", "v.mkv"):
        info = probe(tmp_path / name)
        assert info.duration_s == pytest.approx(2.4, abs=0.01), name
        assert info.width == 192
        with Reader(tmp_path / name) as reader:
            frames = reader.read(1.5, 2.0, 1000.0, 64).frames
        assert [read_number(image) for image in frames.images] == list(range(37, 50)), name


def test_a_container_that_breaks_off_is_damage_and_sound_that_goes_on_is_none(
    tmp_path, make_golden
):
    source = make_golden("constant").path
    sine = ("-f", "lavfi", "-i", "sine=d=12", "-c:v", "copy", "-c:a", "libopus")
    ffmpeg("-stream_loop", 4, "-i", source, *sine, "-shortest", tmp_path / "whole.mkv")
    ffmpeg("-i", source, *sine, tmp_path / "sound_goes_on.mkv")
    data = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "half.mkv").write_bytes(data[: len(data) // 2])
    damage = {}
    for name in ("whole", "sound_goes_on", "half"):
        with Reader(tmp_path / f"{name}.mkv") as reader:
            damage[name] = reader.read(0.0, 100.0, 2.0, 64).damage
    assert (damage["whole"], damage["sound_goes_on"]) == ("", "")
    assert damage["half"].startswith("the pictures end at 6.")


def test_time_that_goes_backwards_is_reported(tmp_path, make_golden):
    """Five pictures in the middle have times of earlier ones."""
    late = r"setts=pts=if(between(N\,30\,34)\,PTS-10*DURATION\,PTS)"
    ffmpeg("-i", make_golden("constant").path, "-c", "copy", "-bsf:v", late, tmp_path / "v.mkv")
    with Reader(tmp_path / "v.mkv") as reader:
        read = reader.read(0.0, 100.0, 5.0, 64)
    assert read.damage == "5 pictures were left out because time goes backwards there"
    assert (np.diff(read.frames.times_s) > 0).all()


def test_a_joined_stream_is_read_on_as_a_player_shows_it(tmp_path, make_golden):
    """Two short transport streams put together with `cat`: the clock restarts in the middle."""
    once = make_golden("constant")
    ffmpeg("-i", once.path, "-c", "copy", tmp_path / "v.ts")
    (tmp_path / "twice.ts").write_bytes((tmp_path / "v.ts").read_bytes() * 2)
    with Reader(tmp_path / "twice.ts") as reader:
        read = reader.read(0.0, 100.0, 5.0, 64)
    assert read.damage == ""
    assert (np.diff(read.frames.times_s) > 0).all()
    assert read.frames.times_s[-1] == pytest.approx(2 * once.end_s, abs=0.3)


@pytest.mark.parametrize("name", ["damaged_tail", "truncated"])
def test_threads_do_not_lose_pictures_of_a_damaged_end(make_golden, name):
    """FFmpeg's threads drop what they hold when one of them fails."""
    times_s = []
    for threads in (1, 2, 4):
        with Reader(make_golden(name).path, threads=threads) as reader:
            times_s.append(reader.sample(0.0, None, 1000.0, 64).times_s.tolist())
    assert times_s[0] == times_s[1] == times_s[2]
    assert len(times_s[0]) > 28
