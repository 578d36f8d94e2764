"""Files of images, videos and sounds: where they are, how large or long, and their contents as LEGO
reads them.

Whatever is wrong with a file is a SkipRow with a reason, so that a run over many files goes on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path, PurePosixPath

import av
import numpy as np
from av.error import FFmpegError
from PIL import Image

from grounding.lego.preprocess.sampling import frame_indices
from grounding.records.coordinates import Size
from grounding.records.skips import SkipRow

SUFFIXES = {
    "image": (".jpg", ".jpeg", ".png", ".webp"),
    "video": (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".3gp", ".mpg"),
    "sound": (".flac", ".wav", ".mp3", ".ogg", ".m4a", ".mp4"),
}
SOUND_RATE_HZ = 16_000
_BROKEN_IMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    RuntimeError,
    LookupError,
    TypeError,
    EOFError,
    ArithmeticError,
    struct.error,
)
"""What Pillow's decoders raise on damaged files; each format has its own way (AVIF: RuntimeError).
"""


def find_file(folder: Path, kind: str, candidates: Sequence[str]) -> Path:
    """The first of the candidates that exists below the folder, as it stands with another suffix of
    its kind, or with one more.
    """
    for name in candidates:
        path = folder / safe_name(name)
        if exists(path):
            return path
        stems = (
            dict.fromkeys((path.stem, path.name))
            if path.suffix.lower() in SUFFIXES[kind]
            else (path.name,)
        )
        for other in (path.with_name(stem + suffix) for stem in stems for suffix in SUFFIXES[kind]):
            if exists(other):
                return other
    raise SkipRow("missing file", f"{folder / candidates[0]}" if candidates else "no name")


def exists(path: Path) -> bool:
    """Is there such a file? False for a name that the file system refuses to look up, such as one
    of more than 255 bytes.
    """
    try:
        return path.is_file()
    except OSError:
        return False


def existing_file(name: str, root: Path) -> Path:
    """The file that a record names: below `root`, or anywhere by its absolute path. Raises SkipRow
    where there is not one.
    """
    path = Path(name) if Path(name).is_absolute() else root / safe_name(name)
    if not exists(path):
        raise SkipRow("missing file", str(path))
    return path


def safe_name(name: str) -> str:
    """A relative path as other people's files write it, with forward slashes. Raises SkipRow where
    it leads out of the folder.
    """
    pure = PurePosixPath(name.replace("\\", "/"))
    if not name.strip() or "\0" in name or pure.is_absolute() or ".." in pure.parts:
        raise SkipRow("unsafe path", repr(name))
    return str(pure)


def image_size(path: Path) -> Size:
    """From the header; the picture is not decoded."""
    with _open_image(path) as image:
        return Size(*image.size)


def duration_s(path: Path) -> float:
    """Length of the video as a player shows it, from the container's header."""
    with _open_container(path, "video") as container:
        if not container.streams.video:
            raise SkipRow("corrupt video", f"{path} has no pictures")
        stream = container.streams.video[0]
        if container.duration is not None:
            return container.duration / 1_000_000
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
    raise SkipRow("video without length", f"{path}")


def read_image(path: Path) -> np.ndarray:
    """`(H, W, 3) uint8`, RGB."""
    with _open_image(path) as image:
        return np.asarray(image.convert("RGB"))


def read_frames(path: Path, count: int) -> np.ndarray:
    """`(N, H, W, 3) uint8`, RGB: `count` frames at equal steps of their number, or all if there are
    fewer (`frame_indices`).
    """
    with _open_container(path, "video") as container:
        if not container.streams.video:
            raise SkipRow("corrupt video", f"{path} has no pictures")
        total = sum(1 for packet in container.demux(video=0) if packet.size)
    wanted = set(frame_indices(total, count)[:count].tolist())
    with _open_container(path, "video") as container:
        container.streams.video[0].thread_type = "AUTO"
        frames = [
            frame.to_ndarray(format="rgb24")
            for i, frame in enumerate(container.decode(video=0))
            if i in wanted
        ]
    if not frames or any(frame.shape != frames[0].shape for frame in frames):
        raise SkipRow("corrupt video", f"{path} has {len(frames)} frames of one size")
    return np.stack(frames)


def read_sound(path: Path) -> np.ndarray:
    """`(N,) float32` mono samples at 16 kHz, mixed by FFmpeg as everywhere in the project; of a
    video its sound track.
    """
    with _open_container(path, "sound") as container:
        if not container.streams.audio:
            raise SkipRow("corrupt sound", f"{path} has no sound")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE_HZ)
        frames = chain(container.decode(audio=0), [None])  # None: what the resampler still holds
        pieces = [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
    if not sum(map(len, pieces)):
        raise SkipRow("corrupt sound", f"{path} has no samples")
    return np.concatenate(pieces).astype(np.float32)


@contextmanager
def _open_image(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError as error:
        raise SkipRow("missing file", str(path)) from error
    except (*_BROKEN_IMAGE, Image.DecompressionBombError) as error:
        raise SkipRow("corrupt image", f"{path}: {error}") from error


@contextmanager
def _open_container(path: Path, kind: str) -> Iterator:
    try:
        with av.open(str(path)) as container:
            yield container
    except FileNotFoundError as error:
        raise SkipRow("missing file", str(path)) from error
    except (FFmpegError, OSError, ValueError) as error:
        raise SkipRow(f"corrupt {kind}", f"{path}: {error}") from error
