"""Small videos in which something is said, written and seen: plain colours, drawn titles, speech by
espeak-ng.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from grounding.spans import Span
from indexer.embedders.demo import COLOURS
from indexer.media.output.encode import write_video
from tests.indexer.media.golden import ffmpeg
from tests.indexer.passages.sounds import RATE_HZ, place, say

FRAME_RATE = 5
WIDTH, HEIGHT = 480, 270


@dataclass(frozen=True, slots=True)
class Part:
    """A shot of one colour; `title` stands on it all the time, `speech` begins at `after_s`."""

    length_s: float
    colour: str
    title: str = ""
    speech: str = ""
    after_s: float = 0.5
    voice: str = "en-us"


def make_talk(
    path: Path, parts: Sequence[Part], font: str = "", *, sound: np.ndarray | None = None
) -> list[Span]:
    """Writes the video (with sound, where anything is said or `sound` is given); when each sentence
    is said.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    silent = path.with_name(f"{path.stem}.silent.mp4")
    write_video(silent, _images(parts, font), FRAME_RATE)
    starts = np.cumsum([0.0, *(part.length_s for part in parts)])
    spoken = [
        (float(start) + part.after_s, say(part.speech, part.voice))
        for start, part in zip(starts, parts)
        if part.speech
    ]
    whole = place(float(starts[-1]), *spoken) if spoken else sound
    if whole is None:
        silent.rename(path)
        return []
    write_sound(path.with_suffix(".wav"), whole)
    ffmpeg("-i", silent, "-i", path.with_suffix(".wav"), "-c:v", "copy", "-c:a", "aac", path)
    silent.unlink()
    path.with_suffix(".wav").unlink()
    return [Span(at_s, at_s + len(sound) / RATE_HZ) for at_s, sound in spoken]


def write_sound(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _images(parts: Sequence[Part], font: str) -> Iterator[np.ndarray]:
    for part in parts:
        image = Image.new("RGB", (WIDTH, HEIGHT), tuple(COLOURS[part.colour]))
        if part.title:
            letters = ImageFont.truetype(font, 30) if font else ImageFont.load_default(30)
            canvas = ImageDraw.Draw(image)
            canvas.text(
                (30, 180),
                part.title,
                font=letters,
                fill="white",
                stroke_width=2,
                stroke_fill="black",
            )
        for _ in range(round(part.length_s * FRAME_RATE)):
            yield np.asarray(image)
