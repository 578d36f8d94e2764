"""Videos with the picture's number burnt in, made for the tests: as blocks that a test reads back,
and as digits for the eye.

Ten bits, a parity bit and its opposite stand in 2 rows of 6 black or white squares over the upper
half of the picture. Everything is placed by fractions of the size, so that a number can be read
from a scaled picture too.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from PIL import Image, ImageDraw

ROWS, COLUMNS, BITS = 2, 6, 10
CLOCK = 90_000


def draw(number: int, width: int = 192, height: int = 128) -> np.ndarray:
    """(height, width, 3) uint8."""
    image = np.full((height, width, 3), 40 + 12 * (number % 8), np.uint8)
    for place, bit in enumerate(_bits(number)):
        row, column = divmod(place, COLUMNS)
        y = [height * (row + k) // (2 * ROWS) for k in (0, 1)]
        x = [width * (column + k) // COLUMNS for k in (0, 1)]
        image[y[0] : y[1], x[0] : x[1]] = 235 if bit else 20
    picture = Image.fromarray(image)
    ImageDraw.Draw(picture).text((width // 8, height * 5 // 8), str(number), fill=(255, 220, 0))
    return np.asarray(picture)


def read_number(image: np.ndarray) -> int:
    """The number burnt into an upright picture; fails where the squares cannot be read."""
    patches = image[_squares(*image.shape[:2])].reshape(ROWS * COLUMNS, -1).mean(axis=1)
    for place, patch in enumerate(patches):
        assert patch < 90 or patch > 165, f"square {place} is neither black nor white: {patch:.0f}"
    bits = (patches > 128).tolist()
    number = sum(1 << i for i in range(BITS) if bits[i])
    assert bits == _bits(number), "parity"
    return number


@lru_cache
def _squares(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (12, 5, 1) and columns (12, 1, 5) of the middles of the squares."""
    places, around = np.arange(ROWS * COLUMNS)[:, None], np.arange(-2, 3)
    y = height * (2 * (places // COLUMNS) + 1) // (4 * ROWS) + around
    x = width * (2 * (places % COLUMNS) + 1) // (2 * COLUMNS) + around
    return y.clip(0, height - 1)[:, :, None], x.clip(0, width - 1)[:, None, :]


def _bits(number: int) -> list[bool]:
    bits = [bool(number >> i & 1) for i in range(BITS)]
    parity = sum(bits) % 2 == 1
    return [*bits, parity, not parity]


@dataclass(frozen=True, slots=True)
class Golden:
    """A file, and what a player shows: picture `numbers[i]` from `times_s[i]` on, until `end_s`."""

    path: Path
    times_s: np.ndarray
    numbers: np.ndarray
    end_s: float

    def number_at(self, time_s: float) -> int:
        return int(
            self.numbers[max(0, np.searchsorted(self.times_s, time_s + 1e-6, side="right") - 1)]
        )


def ffmpeg(*args: object) -> None:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run(
        [program, "-v", "error", "-y", *map(str, args)], check=True, capture_output=True, timeout=60
    )


def encode(
    path: Path,
    codec: str = "libx264",
    *,
    ticks: Sequence[int] | None = None,
    size: tuple[int, int] = (192, 128),
    pix_fmt: str = "yuv420p",
    count: int = 60,
    **options: str,
) -> Golden:
    """Picture i appears at ticks[i] of a clock of 90 kHz; by default 25 a second."""
    ticks = ticks if ticks is not None else [i * CLOCK // 25 for i in range(count)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"g": "12", **options})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = Fraction(1, 25 if codec.startswith("mpeg") else CLOCK)
        for number, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(draw(number, *size), format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, CLOCK)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    times_s = np.array(ticks) / CLOCK
    return Golden(path, times_s, np.arange(len(ticks)), float(times_s[-1]) + 0.04)


X264 = {"bf": "2", "preset": "veryfast", "crf": "18"}
_THIRTIETHS = (0, 1, 2, 4, 5, 9, 10, 11, 30, 31, 33, 34, 35, 36, 37, 60, 61, 62, 90, 91, 92, 93, 94)


def variable_ticks() -> list[int]:
    """Gaps of 27 to 780 ms."""
    return [k * CLOCK // 30 - (600 if k % 3 else 0) for k in _THIRTIETHS]


def constant(folder: Path) -> Golden:
    return encode(folder / "constant.mp4", **X264)


def b_frames(folder: Path) -> Golden:
    return encode(
        folder / "b_frames.mp4",
        bf="5",
        preset="veryfast",
        crf="18",
        **{"x264-params": "b-pyramid=normal:open-gop=1"},
    )


def variable(folder: Path) -> Golden:
    return encode(folder / "variable.mp4", ticks=variable_ticks(), **X264)


def variable_mkv(folder: Path) -> Golden:
    golden = encode(folder / "variable.mkv", ticks=variable_ticks(), **X264)
    return Golden(golden.path, golden.times_s.round(3), golden.numbers, golden.end_s)


def ntsc(folder: Path) -> Golden:
    return encode(folder / "ntsc.mp4", ticks=[i * 3003 for i in range(60)], **X264)


def edit_list(folder: Path) -> Golden:
    """Cut without decoding at a picture that is no keyframe: an edit list hides what comes before
    it.
    """
    whole = encode(folder / "edit_list_whole.mp4", **X264)
    ffmpeg("-ss", "0.72", "-i", whole.path, "-c", "copy", folder / "edit_list.mp4")
    return Golden(
        folder / "edit_list.mp4", whole.times_s[18:] - 0.72, whole.numbers[18:], whole.end_s - 0.72
    )


def start_offset(folder: Path) -> Golden:
    whole = encode(folder / "start_offset_whole.mp4", **X264)
    ffmpeg("-i", whole.path, "-c", "copy", "-output_ts_offset", "7.4", folder / "start_offset.ts")
    return Golden(folder / "start_offset.ts", whole.times_s, whole.numbers, whole.end_s)


def start_offset_mkv(folder: Path) -> Golden:
    whole = encode(folder / "start_offset_whole2.mp4", **X264)
    ffmpeg("-i", whole.path, "-c", "copy", "-output_ts_offset", "7.4", folder / "start_offset.mkv")
    return Golden(folder / "start_offset.mkv", whole.times_s, whole.numbers, whole.end_s)


def rotated(folder: Path, degrees: int, name: str) -> Golden:
    """Stored lying, shown upright: `degrees` counter-clockwise is what a player does."""
    lying = folder / f"{name}_lying.mp4"
    with av.open(str(lying), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "12", **X264})
        upright = draw(0)
        stream.height, stream.width = np.rot90(upright, -degrees // 90).shape[:2]
        stream.pix_fmt = "yuv420p"
        for number in range(60):
            stored = np.ascontiguousarray(np.rot90(draw(number), -degrees // 90))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(stored, format="rgb24")))
        container.mux(stream.encode(None))
    ffmpeg("-display_rotation", degrees, "-i", lying, "-c", "copy", folder / f"{name}.mp4")
    return Golden(folder / f"{name}.mp4", np.arange(60) / 25, np.arange(60), 60 / 25)


def mirrored(folder: Path) -> Golden:
    stored = encode(folder / "mirrored_stored.mp4", **X264)
    ffmpeg(
        "-i",
        stored.path,
        "-vf",
        "hflip",
        "-c:v",
        "libx264",
        "-g",
        "12",
        "-crf",
        "18",
        folder / "mirrored_flipped.mp4",
    )
    ffmpeg(
        "-display_hflip",
        "-i",
        folder / "mirrored_flipped.mp4",
        "-c",
        "copy",
        folder / "mirrored.mp4",
    )
    return Golden(folder / "mirrored.mp4", stored.times_s, stored.numbers, stored.end_s)


def odd_size(folder: Path) -> Golden:
    return encode(folder / "odd.mp4", size=(193, 127), pix_fmt="yuv444p", **X264)


def ten_bit(folder: Path) -> Golden:
    return encode(folder / "ten_bit.mp4", pix_fmt="yuv420p10le", **X264)


def hevc(folder: Path) -> Golden:
    return encode(
        folder / "hevc.mp4",
        "libx265",
        preset="ultrafast",
        **{"x265-params": "log-level=none:bframes=3:keyint=12:crf=20"},
    )


def hevc_ten_bit(folder: Path) -> Golden:
    params = {"x265-params": "log-level=none:bframes=3:keyint=12:open-gop=1:crf=20"}
    return encode(
        folder / "hevc10.mkv", "libx265", pix_fmt="yuv420p10le", preset="ultrafast", **params
    )


def vp9(folder: Path) -> Golden:
    return encode(
        folder / "vp9.webm", "libvpx-vp9", **{"deadline": "realtime", "cpu-used": "8", "b": "600k"}
    )


def av1(folder: Path) -> Golden:
    source = constant(folder)
    ffmpeg(
        "-i",
        source.path,
        "-c:v",
        "libaom-av1",
        "-cpu-used",
        8,
        "-crf",
        20,
        "-g",
        12,
        "-an",
        folder / "av1.mp4",
    )
    return Golden(folder / "av1.mp4", source.times_s, source.numbers, source.end_s)


def mpeg4(folder: Path) -> Golden:
    return encode(folder / "mpeg4.mp4", "mpeg4", bf="2", b="3000k")


def mpeg4_avi(folder: Path) -> Golden:
    return encode(folder / "mpeg4.avi", "mpeg4", b="3000k")


def mjpeg(folder: Path) -> Golden:
    return encode(folder / "mjpeg.avi", "mjpeg", pix_fmt="yuvj420p", b="8000k")


def mpeg2(folder: Path) -> Golden:
    return encode(folder / "mpeg2.ts", "mpeg2video", bf="2", b="2000k")


def truncated(folder: Path) -> Golden:
    """The index in front, the second half of the data gone."""
    whole = encode(folder / "truncated_whole.mp4", **X264)
    ffmpeg("-i", whole.path, "-c", "copy", "-movflags", "+faststart", folder / "truncated.mp4")
    data = (folder / "truncated.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(data[: len(data) * 6 // 10])
    return Golden(folder / "truncated.mp4", whole.times_s, whole.numbers, whole.end_s)


def damaged_tail(folder: Path) -> Golden:
    """The last fifth overwritten with noise."""
    whole = encode(folder / "damaged_whole.mp4", **X264)
    ffmpeg("-i", whole.path, "-c", "copy", "-movflags", "+faststart", folder / "damaged.mp4")
    data = bytearray((folder / "damaged.mp4").read_bytes())
    begin = len(data) * 8 // 10
    data[begin:] = np.random.default_rng(5).integers(0, 256, len(data) - begin, np.uint8).tobytes()
    (folder / "damaged.mp4").write_bytes(data)
    return Golden(folder / "damaged.mp4", whole.times_s, whole.numbers, whole.end_s)


SOUND: dict[str, Callable[[Path], Golden]] = {
    "constant": constant,
    "b_frames": b_frames,
    "variable": variable,
    "variable_mkv": variable_mkv,
    "ntsc": ntsc,
    "edit_list": edit_list,
    "start_offset": start_offset,
    "start_offset_mkv": start_offset_mkv,
    "rotated_90": lambda folder: rotated(folder, 90, "rotated_90"),
    "rotated_180": lambda folder: rotated(folder, 180, "rotated_180"),
    "rotated_270": lambda folder: rotated(folder, 270, "rotated_270"),
    "mirrored": mirrored,
    "odd_size": odd_size,
    "ten_bit": ten_bit,
    "hevc": hevc,
    "hevc_ten_bit": hevc_ten_bit,
    "vp9": vp9,
    "av1": av1,
    "mpeg4": mpeg4,
    "mpeg4_avi": mpeg4_avi,
    "mjpeg": mjpeg,
    "mpeg2": mpeg2,
}
BROKEN: dict[str, Callable[[Path], Golden]] = {"truncated": truncated, "damaged_tail": damaged_tail}
