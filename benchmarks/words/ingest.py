"""All of ingest, with pictures, speech and screen text, on ordinary footage: somebody talks most of
the time, a lower third comes three times a minute.

    python -m benchmarks.words.ingest [--folder DIR] [--minutes N]

The footage is that of benchmarks.ingest (720p H.264, a cut every few seconds) with speech by
espeak-ng. Models are loaded before the clock starts.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.support.footage import make_footage, run_ffmpeg
from benchmarks.support.measure import header, measure, row
from benchmarks.words.passages import HARVARD
from indexer.library import Library
from indexer.passages import text_embedding
from indexer.passages.screen import ocr
from indexer.passages.speech import recognition
from indexer.settings import load_settings
from tests.indexer.passages.sounds import in_turn
from tests.indexer.talks import write_sound

NAMES = (
    "Maria Gonzalez, harbour master",
    "Peter Holm, fisherman",
    "Anna Lind, mayor of the island",
)


def make_spoken_footage(folder: Path, minutes: int) -> Path:
    """Footage with speech and lower thirds, made once."""
    path = folder / f"spoken-{minutes}min.mp4"
    if path.exists():
        return path
    silent = make_footage(folder, 1)
    minute = folder / "spoken-minute.mp4"
    write_sound(folder / "speech.wav", in_turn(HARVARD, "en-us")[0])
    run_ffmpeg(
        "-i",
        silent,
        *_lower_thirds(folder),
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "23",
        "-an",
        minute,
    )
    sources = [
        "-stream_loop",
        str(minutes - 1),
        "-i",
        minute,
        "-stream_loop",
        "-1",
        "-i",
        folder / "speech.wav",
    ]
    run_ffmpeg(
        *sources,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        "-t",
        str(60 * minutes),
        path,
    )
    return path


def _lower_thirds(folder: Path) -> list[object]:
    """Arguments that lay each name over the picture for six seconds."""
    inputs: list[object] = []
    chain, before = [], "0:v"
    for number, name in enumerate(NAMES):
        picture = Image.new("RGBA", (620, 70), (10, 30, 80, 220))
        ImageDraw.Draw(picture).text((20, 14), name, font=ImageFont.load_default(34), fill="white")
        picture.save(folder / f"name{number}.png")
        inputs += ["-i", folder / f"name{number}.png"]
        start_s = 8 + 20 * number
        chain.append(
            f"[{before}][{number + 1}:v]overlay=60:580:"
            f"enable='between(t,{start_s},{start_s + 6})'[o{number}]"
        )
        before = f"o{number}"
    return [*inputs, "-filter_complex", ";".join(chain), "-map", f"[{before}]"]


def ingest(folder: Path, path: Path, **settings: bool) -> float:
    """One measured ingest; its seconds."""
    home = Path(tempfile.mkdtemp(dir=folder, prefix="home"))
    library = Library(load_settings(home=home, **settings))
    done = measure(lambda: library.ingest([path]))
    assert not done.result.failures, done.result.failures
    per_s = done.cpu_s / done.result.video_s
    on = ", ".join(name for name, is_on in settings.items() if is_on) or "pictures alone"
    row(
        on,
        f"{done.result.video_s / done.wall_s:.1f} times real time; {per_s:.3f} CPU s per second of "
        "video",
        "at least 4 with all",
    )
    return done.wall_s


def main() -> None:
    """Measures each combination of stages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, help="where footage is made and kept; default: a temporary folder"
    )
    parser.add_argument("--minutes", type=int, default=4)
    parser.add_argument("--only-make", action="store_true", help="make the footage and stop")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = make_spoken_footage(folder, arguments.minutes)
        if arguments.only_make:
            return
        _warm()
        header(f"Ingest of {arguments.minutes} minutes of 720p with speech and lower thirds")
        for with_speech, screen_text in (
            (True, True),
            (False, False),
            (True, False),
            (False, True),
        ):
            ingest(folder, path, speech=with_speech, screen_text=screen_text, sound=False)


def _warm() -> None:
    """Loads every model once, so that no run pays for it."""
    settings = load_settings()
    library = Library(settings)
    library.embedder.embed_frames(
        np.zeros((settings.batch_size, library.embedder.short_side, 400, 3), np.uint8)
    )
    recognition.load_speech_model(settings).transcribe(in_turn(HARVARD[:1], "en-us")[0], 0.0)
    ocr.load_text_model(settings).find(np.zeros((480, 854, 3), np.uint8))
    text_embedding.embed_meaning(["a word"])


if __name__ == "__main__":
    main()
