"""Speech and screen text: word error rate, what is dropped, precision and recall of lines, what the
cheap test costs, speed.

    python -m benchmarks.words.passages [--quick]

Speech comes from espeak-ng, pictures are drawn; with SEEKPOINT_TEST_DATA set, the backgrounds are
real frames and the cheap test is compared with looking at every frame of the real videos. Speeds
are CPU seconds of all threads, so that a shared machine does not matter.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz import fuzz

from grounding.spans import Span
from indexer.media.decode.frames import Frames
from indexer.media.decode.reader import Reader, sample_frames
from indexer.media.probe import probe
from indexer.passages.base import Passage
from indexer.passages.screen.dedupe import alike
from indexer.passages.screen.ocr import SHORT_SIDE, load_text_model
from indexer.passages.screen.screen_reader import RATE_HZ, ScreenText
from indexer.passages.speech.recognition import load_speech_model
from indexer.settings import load_settings
from tests.indexer.passages.sounds import CHINESE, in_turn, music, pink_noise, word_error_rate

HARVARD = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background.",
    "It is easy to tell the depth of a well.",
    "These days a chicken leg is a rare dish.",
    "Rice is often served in round bowls.",
    "The juice of lemons makes fine punch.",
    "The box was thrown beside the parked truck.",
    "The hogs were fed chopped corn and garbage.",
    "Four hours of steady work faced us.",
    "A large size in stockings is hard to sell.",
    "The boy was there when the sun rose.",
    "A rod is used to catch pink salmon.",
    "The source of the huge river is the clear spring.",
    "Kick the ball straight and follow through.",
    "Help the woman get back to her feet.",
    "A pot of tea helps to pass the evening.",
)
FOREIGN = {
    "cmn": CHINESE,
    "de": (
        "Heute ist das Wetter sehr schön und wir gehen im Park spazieren.",
        "Der Zug nach Hamburg fährt um acht Uhr von Gleis sieben.",
    ),
    "fr": (
        "Aujourd'hui il fait très beau et nous allons nous promener.",
        "Le train pour Lyon part à huit heures du quai numéro sept.",
    ),
    "es": (
        "Hoy hace muy buen tiempo y vamos a pasear por el parque.",
        "El tren para Sevilla sale a las ocho de la vía siete.",
    ),
    "ru": (
        "Сегодня очень хорошая погода, и мы идём гулять в парк.",
        "Вчера вечером я смотрел очень интересный фильм.",
    ),
    "pl": (
        "Dzisiaj jest bardzo ładna pogoda i idziemy na spacer.",
        "Wczoraj wieczorem oglądałem bardzo ciekawy film.",
    ),
}
WORDS = [
    "harbour",
    "opens",
    "seven",
    "morning",
    "fishermen",
    "carry",
    "heavy",
    "net",
    "along",
    "pier",
    "wind",
    "rises",
    "boats",
    "return",
    "shore",
    "child",
    "watches",
    "lighthouse",
]
SIZES = (14, 18, 24, 36, 56)  # pixels of the font in a picture of 720


@dataclass(slots=True)
class Clock:
    """CPU seconds against seconds of video."""

    cpu_s: float = 0.0
    video_s: float = 0.0

    def time(self, video_s: float, work: Callable[[], Any]) -> Any:
        """What `work` returns, its CPU seconds counted."""
        started = time.process_time()
        result = work()
        self.cpu_s += time.process_time() - started
        self.video_s += video_s
        return result

    def __str__(self) -> str:
        cost = self.cpu_s / max(self.video_s, 1e-9)
        speed = 1 / max(cost, 1e-9)
        return f"{cost:.3f} CPU s per second of video ({speed:.0f} x real time on one core)"


def text_of(passages: Sequence[Passage]) -> str:
    """All words in order."""
    return " ".join(p.text for p in passages)


def speech(quick: bool) -> None:
    """Word error rates by voice and noise."""
    model, clock = load_speech_model(load_settings()), Clock()
    spoken = " ".join(HARVARD)
    for voice in (
        ("en-us",)
        if quick
        else ("en-us", "en-gb", "en-us+f3", "en-us+m3", "en-us+f5", "en-gb-scotland")
    ):
        samples, _ = in_turn(HARVARD, voice)
        heard = clock.time(
            len(samples) / 16_000, lambda samples=samples: model.transcribe(samples, 0.0)
        )
        print(f"word error rate, {voice}: {word_error_rate(text_of(heard), spoken):.3f}")
    samples, _ = in_turn(HARVARD, "en-us")
    seconds = len(samples) / 16_000 + 1
    for name, under in (
        ("quiet noise", pink_noise(seconds, 0.008)),
        ("music", 0.1 * music(seconds)),
    ):
        heard = model.transcribe(samples + under[: len(samples)], 0.0)
        print(f"word error rate, en-us over {name}: {word_error_rate(text_of(heard), spoken):.3f}")
    for voice, texts in FOREIGN.items():
        print(
            f"sentences kept of {len(texts)} in {voice}: "
            f"{len(model.transcribe(in_turn(texts, voice)[0], 0.0))}"
        )
    print(f"speech all the time: {clock}")


def draw_lines(backgrounds: Sequence[np.ndarray]) -> list[tuple[np.ndarray, list[tuple[int, str]]]]:
    """A picture of 480 on each background, and (size at 720, text) of the lines on it."""
    random = np.random.default_rng(1)
    pictures = []
    for number, background in enumerate(backgrounds):
        image = Image.fromarray(background)
        canvas, lines, y = ImageDraw.Draw(image), [], 20
        for size in SIZES:
            text = " ".join(random.choice(WORDS, 4 if size < 40 else 2)).capitalize()
            fill = ("white", "yellow")[number % 2]
            canvas.text(
                (40, y),
                text,
                font=ImageFont.load_default(size),
                fill=fill,
                stroke_width=max(1, size // 14),
                stroke_fill="black",
            )
            lines.append((size, text))
            y += size + 70
        width = round(image.width * SHORT_SIDE / image.height)
        pictures.append(
            (np.asarray(image.resize((width, SHORT_SIDE), Image.Resampling.BOX)), lines)
        )
    return pictures


def plain_backgrounds() -> list[np.ndarray]:
    """Pictures `(720, 1280, 3) uint8` of one grey each."""
    return [np.full((720, 1280, 3), level, np.uint8) for level in (30, 90, 160, 220)]


def screen_lines(backgrounds: Sequence[np.ndarray]) -> None:
    """Recall by size of the font, and precision, of drawn lines."""
    model = load_text_model(load_settings())
    found: dict[int, list[bool]] = {size: [] for size in SIZES}
    right = read = 0
    for image, lines in draw_lines(backgrounds):
        screen = ScreenText(model, Span(0, 1))
        screen.feed(Frames(image[None], np.zeros(1), np.ones(1)), np.empty(0))
        texts = [p.text.lower() for p in screen.finish()]
        scores = np.array(
            [[fuzz.ratio(text, line.lower()) for _, line in lines] for text in texts]
        ).reshape(len(texts), len(lines))
        for column, (size, _) in enumerate(lines):
            found[size].append(bool((scores[:, column] >= 85).any()))
        right += int((scores.max(1, initial=0) >= 60).sum())
        read += len(texts)
    recall = ", ".join(f"{size} px {np.mean(hits):.2f}" for size, hits in found.items())
    print(
        f"screen lines on {len(backgrounds)} pictures: recall by size of the font at 720: {recall}"
    )
    print(
        f"  precision {right / max(1, read):.3f} of {read} lines (text of the picture itself "
        "counts as wrong)"
    )


def cheap_test(folder: Path, quick: bool) -> None:
    """The lines that looking at every frame finds, and how many of them are still found with the
    cheap test in front.
    """
    model, clock, every = load_text_model(load_settings()), Clock(), Clock()
    kept = there = full_passes = coarse_passes = frames = 0
    for path in sorted((folder / "natural").iterdir())[:: 4 if quick else 1]:
        seconds = probe(path).duration_s
        with Reader(path) as reader:
            picture = reader.read(0, seconds, RATE_HZ, SHORT_SIDE)
        runs = []
        for cheap, watch in ((True, clock), (False, every)):
            screen = ScreenText(model, Span(0, seconds), every_frame=not cheap)

            def run(screen: ScreenText = screen, picture: Any = picture) -> list[Passage]:
                screen.feed(picture.frames, picture.cuts_s)
                return screen.finish()

            runs.append(watch.time(seconds, run))
            if cheap:
                full_passes, coarse_passes, frames = (
                    full_passes + screen.full_passes,
                    coarse_passes + screen.coarse_passes,
                    frames + screen.frames,
                )
        there += len(runs[1])
        lost = [p for p in runs[1] if not any(alike(p.text, other.text) for other in runs[0])]
        kept += len(runs[1]) - len(lost)
        for p in lost:
            print(f"  lost in {path.name}: {p.text!r} {p.start_s:.1f} to {p.end_s:.1f}")
        for p in runs[0]:
            print(f"  {path.name}: {p.text!r} {p.start_s:.1f} to {p.end_s:.1f}")
    print(
        f"cheap tests: of {frames} frames {coarse_passes} coarse passes, {full_passes} full "
        f"passes; {kept} of {there} lines kept"
    )
    print(f"  with it: {clock}\n  every frame: {every}")


def main() -> int:
    """Speech where espeak-ng is installed, then screen text."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer voices and videos")
    quick = parser.parse_args().quick
    if shutil.which("espeak-ng"):
        speech(quick)
    else:
        print("espeak-ng is not installed: no figures of speech", file=sys.stderr)
    data = os.environ.get("SEEKPOINT_TEST_DATA")
    screen_lines(plain_backgrounds())
    if data:
        videos = sorted((Path(data) / "natural").iterdir())[:: 4 if quick else 1]
        screen_lines(
            [sample_frames(video, times_s=[2.0], short_side=720).images[0] for video in videos]
        )
        cheap_test(Path(data), quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
