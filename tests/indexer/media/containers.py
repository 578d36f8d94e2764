"""Containers made from a recipe: tracks, dispositions, offsets, gaps, codecs and side files. What
our readers show of them, and what a browser is given of them, is compared with ffmpeg's own
decoding.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.stream import Disposition
from hypothesis import strategies as st

from indexer.media.decode.audio import read_audio
from indexer.media.decode.decoder import PictureTrack
from indexer.media.decode.reader import Reader, sample_frames
from indexer.media.output.clips import cut_clip
from indexer.media.output.proxy import make_proxy
from indexer.media.playable import is_playable
from indexer.media.probe import probe
from indexer.passages.subtitles.side_files import side_files
from indexer.settings import Settings
from indexer.video_info import VideoInfo
from tests.indexer.media.golden import draw, ffmpeg, read_number
from tests.indexer.media.reference import ffmpeg_pictures

SIZE = (96, 64)
PICTURES, RATE = 48, 25
SECOND_TRACK = 500  # added to the numbers of the second track's pictures

CODECS: dict[str, tuple[str, ...]] = {
    "h264": ("-c:v", "libx264", "-bf", "0", "-crf", "16"),
    "h264 b": ("-c:v", "libx264", "-bf", "2", "-crf", "16"),
    "mpeg4": ("-c:v", "mpeg4", "-bf", "2", "-q:v", "2"),
    "mpeg2": ("-c:v", "mpeg2video", "-bf", "2", "-q:v", "2"),
    "mjpeg": ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p"),
    "vp9": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "20"),
}
CONTAINERS: dict[str, tuple[str, ...]] = {
    "mp4": ("h264", "h264 b", "mpeg4", "vp9"),
    "mov": ("h264", "h264 b", "mpeg4", "mjpeg"),
    "mkv": tuple(CODECS),
    "ts": ("h264", "h264 b", "mpeg2"),
    "avi": ("h264", "h264 b", "mpeg4", "mjpeg"),
    "nut": ("h264", "mpeg4", "mjpeg"),
    "flv": ("h264", "h264 b"),
    "mpg": ("mpeg2",),
}
ONE_TRACK = {"flv"}
ONE_SOUND = {"flv", "mpg"}
TONES_HZ = (440, 2000)  # of the first track of sound and the second
CONSTANT = {"avi"}  # no gaps and no offsets: a picture's time is its number


@dataclass(frozen=True, slots=True)
class Recipe:
    """`second`: there is a second track of pictures, `default` says which one is the default (None:
    neither is marked). `sound_s`: from when to when there is sound, if at all; `sounds`: how many
    tracks of it, of the first of which nothing decodes where it is `damaged`. `gap_s` is left out
    after picture `gap_at`; all pictures come `offset_s` late.
    """

    container: str
    codec: str
    second: bool = False
    default: int | None = None
    sound_s: tuple[float, float] | None = None
    sounds: int = 1
    damaged: bool = False
    offset_s: float = 0.0
    gap_at: int = 0
    gap_s: float = 0.0
    side_file: str = ""

    @property
    def shown(self) -> int:
        """The number of the track that is the default one, else the first."""
        return 1 if self.second and self.default == 1 else 0

    @property
    def heard(self) -> int:
        """The number of the first track of sound that decodes."""
        return int(self.damaged)


@lru_cache(maxsize=64)
def _source(folder: Path, codec: str, first: int) -> Path:
    """Encoded once, and copied into each container."""
    path = folder / f"{codec.replace(' ', '-')}-{first}.mkv"
    raw = folder / f"raw-{first}.mkv"
    if not raw.exists():
        with av.open(str(raw), "w") as container:
            stream: Any = container.add_stream("ffv1", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            for number in range(PICTURES):
                image = draw(first + number, *SIZE)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                container.mux(stream.encode(frame.reformat(format="yuv420p")))
            container.mux(stream.encode(None))
    ffmpeg("-i", raw, *CODECS[codec], "-g", "12", path)
    return path


@lru_cache(maxsize=4)
def _sound(folder: Path, tone_hz: int) -> Path:
    path = folder / f"sound-{tone_hz}.mkv"
    tone = ("-f", "lavfi", "-i", f"sine=f={tone_hz}:d=4")
    ffmpeg(*tone, "-c:a", "libmp3lame", "-ar", "44100", path)
    return path


def make(recipe: Recipe, folder: Path, sources: Path) -> Path:
    """Writes the container; `sources` keeps what several are made from."""
    path = folder / f"made.{recipe.container}"
    if recipe.side_file:
        cue = "1\n00:00:00,000 --> 00:00:02,000\nA line\n"
        (folder / f"made{recipe.side_file}").write_text(cue)
    tracks = [0, SECOND_TRACK][: 1 + recipe.second]
    inputs = [av.open(str(_source(sources, recipe.codec, first))) for first in tracks]
    if recipe.sound_s is not None:
        inputs += [av.open(str(_sound(sources, tone))) for tone in TONES_HZ[: recipe.sounds]]
    kind = {"ts": "mpegts", "mkv": "matroska", "mpg": "vob"}.get(recipe.container)
    with av.open(str(path), "w", format=kind) as container:
        packets: list[Any] = []
        for number, source in enumerate(inputs):
            stream = source.streams[0]
            out = container.add_stream_from_template(stream)
            if stream.type == "video":
                if recipe.container in CONSTANT:
                    out.time_base = Fraction(1, RATE)
                out.disposition = (
                    Disposition.default if number == recipe.default else Disposition(0)
                )
                packets += _pictures(source, out, recipe)
            else:
                packets += _pieces(source, out, recipe, recipe.damaged and number == len(tracks))
        packets.sort(key=lambda packet: packet.dts * packet.time_base)
        container.mux(packets)
    for source in inputs:
        source.close()
    return path


def _pictures(source: Any, out: Any, recipe: Recipe) -> list[Any]:
    packets = [packet for packet in source.demux(video=0) if packet.size]
    if recipe.container == "avi" and recipe.codec.startswith("h264"):
        to_start_codes = BitStreamFilterContext("h264_mp4toannexb", source.streams[0])
        packets = [made for packet in packets for made in to_start_codes.filter(packet)]
    base = packets[0].time_base
    gap = Fraction(recipe.gap_s) if recipe.container not in CONSTANT else Fraction(0)
    late = Fraction(recipe.offset_s) if recipe.container not in CONSTANT else Fraction(0)
    # Players need a clock that begins at 0 or later, also where pictures are coded out of order.
    first = min(packet.dts for packet in packets if packet.dts is not None)
    step = Fraction(1, RATE)
    keyframes = 0
    for number, packet in enumerate(packets):
        keyframes += packet.is_keyframe
        after = keyframes > recipe.gap_at // 12 > 0
        shift = late + (gap if after else 0)
        pts = packet.pts + round(shift / base) - min(0, first)
        dts = packet.dts if packet.dts is not None else round((number - 2) * step / base)
        packet.pts, packet.dts = pts, dts + round(shift / base) - min(0, first)
        packet.stream = out
    return packets


def _pieces(source: Any, out: Any, recipe: Recipe, damaged: bool) -> list[Any]:
    assert recipe.sound_s is not None
    from_s, to_s = recipe.sound_s
    packets = [packet for packet in source.demux(audio=0) if packet.size]
    kept = [p for p in packets if from_s <= float(p.pts * p.time_base) < to_s]
    kept = [_spoilt(packet) for packet in kept] if damaged else kept
    for packet in kept:
        packet.stream = out
    return kept


def _spoilt(packet: Any) -> Any:
    """As long, of bytes that are no sound."""
    noise = av.Packet(b"\x55" * packet.size)
    noise.pts, noise.dts, noise.time_base = packet.pts, packet.dts, packet.time_base
    noise.duration = packet.duration
    return noise


def check(recipe: Recipe, path: Path, rng: np.random.Generator) -> None:
    """The index shows what ffmpeg shows, in this order, at these times, from wherever it begins;
    and a browser is given the file itself where it would show and sound just that.
    """
    info = probe(path)
    assert info.picture_index is not None
    wanted = SECOND_TRACK * recipe.shown
    times_s, images = ffmpeg_pictures(path, info.picture_index, SIZE, info.start_s)
    numbers = [read_number(image) for image in images]
    found_s, found = _shown(path)
    assert found == numbers
    np.testing.assert_allclose(found_s, times_s, atol=2e-3)
    assert all(wanted <= number < wanted + PICTURES for number in found)
    assert all(later > earlier for earlier, later in itertools.pairwise(found_s))
    assert info.duration_s > found_s[-1] - 0.05
    with Reader(path, threads=1) as reader:
        for time_s in rng.uniform(0.0, found_s[-1] + 0.5, 2):
            assert read_number(reader.at([time_s]).images[0]) == _at(found_s, found, time_s)
        start_s = float(rng.uniform(0.0, found_s[-1]))
        read = reader.read(start_s, start_s + 1.0, 5.0, None)
        for image, time_s in zip(read.frames.images, read.frames.times_s, strict=True):
            assert read_number(image) == _at(found_s, found, float(time_s))
        assert not read.damage
    assert (info.sound_index is None) == (recipe.sound_s is None)
    if recipe.sound_s is not None:
        assert _tone_hz(path, recipe.sound_s[0] - info.start_s) == TONES_HZ[recipe.heard]
    assert is_playable(path) == _plays(recipe, info)
    assert bool(side_files(path)) == bool(recipe.side_file)


def _plays(recipe: Recipe, info: VideoInfo) -> bool:
    """Whether a browser decodes it, and takes from it what ffmpeg does: it takes the first tracks,
    by the clock of the file.
    """
    kinds = {"mp4": {"h264", "h264 b", "vp9"}, "mov": {"h264", "h264 b", "vp9"}, "mkv": {"vp9"}}
    decodes = recipe.codec in kinds.get(recipe.container, ())
    decodes &= recipe.sound_s is None or recipe.container != "mkv"  # WebM has no MP3
    first = recipe.shown == 0 and (recipe.sound_s is None or recipe.heard == 0)
    return decodes and first and abs(info.start_s) <= 0.01


def _tone_hz(path: Path, begin_s: float) -> int:
    """Of the tones, the one that is heard in the second that begins there."""
    samples, _ = read_audio(path, begin_s + 0.2, begin_s + 0.8)
    assert np.abs(samples).max() > 0.02
    heard_hz = float(np.abs(np.fft.rfft(samples)).argmax()) / 0.6
    return min(TONES_HZ, key=lambda tone: abs(tone - heard_hz))


def check_clip(recipe: Recipe, path: Path, rng: np.random.Generator, settings: Settings) -> None:
    """A clip shows the pictures of the index, with the sound that is heard."""
    found_s, found = _shown(path)
    start_s = float(rng.uniform(found_s[0] + 0.01, found_s[-1] - 0.2))
    cut_clip(path, start_s, start_s + 0.5, path.with_name("clip.mp4"), settings)
    _, clip = _shown(path.with_name("clip.mp4"))
    assert clip[0] == _at(found_s, found, start_s)
    # One that begins at the very end may lie between the times of the clip's last pictures.
    inside = [n for t, n in zip(found_s, found, strict=True) if start_s < t < start_s + 0.48]
    shown = [n for n in dict.fromkeys(clip) if n != clip[0]]
    assert shown[: len(inside)] == inside
    begins_s, ends_s = recipe.sound_s or (0.0, 0.0)
    if begins_s == 0.0 and start_s < ends_s - 1.0:
        assert _tone_hz(path.with_name("clip.mp4"), -0.2) == TONES_HZ[recipe.heard]


def check_copy(recipe: Recipe, path: Path, rng: np.random.Generator, settings: Settings) -> None:
    """The copy shows the pictures of the index, with the sound that is heard, and plays."""
    found_s, found = _shown(path)
    make_proxy(path, path.with_name("proxy.mp4"), settings)
    for time_s in rng.uniform(found_s[0] + 0.01, found_s[-1], 3):
        nearest = np.abs(np.array(found_s) - time_s).min()
        if nearest > 2e-3:  # the copy has another clock
            frames = sample_frames(path.with_name("proxy.mp4"), times_s=[time_s])
            assert read_number(frames.images[0]) == _at(found_s, found, time_s)
    assert is_playable(path.with_name("proxy.mp4"))
    if recipe.sound_s is not None:
        begin_s = recipe.sound_s[0] - probe(path).start_s
        assert _tone_hz(path.with_name("proxy.mp4"), begin_s) == TONES_HZ[recipe.heard]


def _shown(path: Path) -> tuple[list[float], list[int]]:
    track = PictureTrack(path, threads=1)
    try:
        pictures = [
            (picture.time_s, read_number(_luma(picture.frame))) for picture in track.pictures()
        ]
    finally:
        track.close()
    return [time_s for time_s, _ in pictures], [number for _, number in pictures]


def _luma(frame: av.VideoFrame) -> np.ndarray:
    """(H, W) uint8, as it was decoded: converting each is dear."""
    plane: Any = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def _at(times_s: list[float], numbers: list[int], time_s: float) -> int:
    row = int(np.searchsorted(times_s, time_s + 1e-6, side="right")) - 1
    return numbers[max(0, row)]


@st.composite
def recipes(draw: st.DrawFn, container: str) -> Recipe:
    """Any of a container."""
    second = container not in ONE_TRACK and draw(st.booleans())
    may_begin_late = container not in ("mov", "mp4", "flv", "nut")
    sounds = [None, (0.0, 4.0), (0.0, 1.0), *([(1.0, 3.0)] if may_begin_late else [])]
    sound_s = draw(st.sampled_from(sounds))
    more = sound_s is not None and container not in ONE_SOUND and draw(st.booleans())
    return Recipe(
        container,
        draw(st.sampled_from(CONTAINERS[container])),
        second,
        draw(st.sampled_from([None, 0, 1])) if second and container == "mkv" else None,
        sound_s,
        1 + more,
        more and draw(st.booleans()),
        draw(st.sampled_from([0.0, 0.4, 3.0])),
        draw(st.sampled_from([0, 24, 36])),
        draw(st.sampled_from([0.2, 2.0])),
        draw(st.sampled_from(["", ".srt", ".en.srt", ".de.forced.srt"])),
    )
