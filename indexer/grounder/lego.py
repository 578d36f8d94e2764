"""LEGO as a grounder: the checkpoint that the settings name, loaded once per process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from grounding.errors import LegoError, PromptError
from grounding.lego import load_grounder
from grounding.lego.generate.answers import (
    Box,
    Event,
    parse_boxes,
    parse_spans,
    rewrite_boxes,
)
from grounding.lego.preprocess.questions import TITLE
from grounding.spans import Span
from indexer.errors import ModelError, UsageError
from indexer.grounder.base import FrameBudget, Said, Window
from indexer.process.load_once import load_once
from indexer.settings import Settings
from indexer.short_hash import short_hash

if TYPE_CHECKING:
    from grounding.lego.grounder import Grounder as Model
    from grounding.lego.model.lego_model import Encoded

WINDOW_FRAMES = 64  # what LEGO reads, whatever the length of the window
SHORT_SIDE = 256  # its encoder squashes frames to 224 x 224
TITLE_WORDS = 8
LICENCE = "Its sound encoder (ImageBind) is CC BY-NC-SA 4.0: not for commercial use."


def load_lego(settings: Settings) -> LegoGrounder:
    """Once per process and checkpoint. Raises ModelError where there is none, or it fails."""
    require_lego(settings)
    dtype = settings.lego_dtype
    if dtype == "auto":
        dtype = "bfloat16" if settings.dtype == "auto" else settings.dtype
    return _load(settings.lego_path, settings.lego_clip_path, settings.torch_device, dtype)


@load_once
def _load(path: str, clip_path: str, device: str, dtype: str) -> LegoGrounder:
    try:
        model = load_grounder(path, device=device, dtype=dtype, clip_folder=clip_path or None)
        return LegoGrounder(model)
    except LegoError as error:
        raise ModelError(
            "the LEGO checkpoint does not load: {error}",
            "set SEEKPOINT_LEGO_PATH to its folder",
            error=error,
        ) from error
    # No permission, or not enough memory, here or on the GPU.
    except (OSError, MemoryError, RuntimeError) as error:
        raise ModelError(
            "the LEGO checkpoint does not load: {what}",
            "docs/guides/grounding-models.md says what it needs",
            what=str(error) or type(error).__name__,
        ) from error


def require_lego(settings: Settings) -> None:
    """Raises ModelError that says what is missing and where it goes."""
    if not settings.lego_path:
        raise ModelError(
            "no LEGO checkpoint is configured",
            "download GroundingGPT-7B to a folder and set SEEKPOINT_LEGO_PATH to it "
            "(docs/guides/grounding-models.md); everything else works without",
        )
    if not (Path(settings.lego_path).expanduser() / "config.json").is_file():
        raise ModelError(
            "there is no LEGO checkpoint in {lego_path}",
            "set SEEKPOINT_LEGO_PATH to the folder with its config.json",
            lego_path=settings.lego_path,
        )


def lego_key(settings: Settings) -> str:
    """Identity of a checkpoint without reading its weights: names and sizes of its files, and its
    configuration.
    """
    require_lego(settings)
    folder = Path(settings.lego_path).expanduser()
    files = sorted(
        f"{path.name}:{path.stat().st_size}"
        for path in folder.iterdir()
        if path.suffix in (".bin", ".safetensors")
    )
    return f"lego-{short_hash((folder / 'config.json').read_text(), *files)}"


class LegoGrounder:
    """Threads may share it. A window is encoded once, for as long as it lives."""

    name = "LEGO"
    frames = FrameBudget(WINDOW_FRAMES, SHORT_SIDE)
    hears = True

    def __init__(self, model: Model) -> None:
        self.model = model
        self._encoded: WeakKeyDictionary[Window, Encoded] = WeakKeyDictionary()

    def ground(self, windows: Sequence[Window], statement: str) -> list[tuple[Span, ...]]:
        """When it happens, for each window; all are encoded and asked together."""
        with _translate_errors():
            spans = [window.span for window in windows]
            found = self.model.ground_windows(self._encode(windows), statement, spans=spans)
        return [tuple(spans) for spans in found]

    def is_shown(self, windows: Sequence[Window], statement: str) -> list[float]:
        """The probability of Yes against No."""
        with _translate_errors():
            return self.model.is_shown(self._encode(windows), statement)

    def events(self, windows: Sequence[Window]) -> list[list[Event]]:
        """What happens when in each window."""
        with _translate_errors():
            return [
                self.model.events(encoded, window=window.span)
                for window, encoded in zip(windows, self._encode(windows), strict=True)
            ]

    def locate(self, image: np.ndarray, phrase: str) -> list[Box]:
        """Where it is in a frame."""
        with _translate_errors():
            return self.model.locate(image, phrase)

    def answer(self, window: Window, question: str) -> Said:
        """A question about a window; the text as LEGO wrote it, with times as fractions."""
        with _translate_errors():
            text = self.model.ask(question, {"video": self._encode([window])[0]}).text
        return Said(text, tuple(parse_spans(text, window.span)))

    def answer_frame(self, image: np.ndarray, question: str) -> Said:
        """A question about a frame; boxes in the text are fractions of the frame."""
        height, width = image.shape[:2]
        with _translate_errors():
            media = {"image": self.model.read_image(image).encoded}
            text = self.model.ask(question, media).text
        boxes = tuple(parse_boxes(text, width, height))
        return Said(rewrite_boxes(text, width, height), (), boxes)

    def answer_sound(self, samples: np.ndarray, question: str) -> Said:
        """A question about a sound."""
        with _translate_errors():
            return Said(self.model.ask(question, {"sound": self.model.read_audio(samples)}).text)

    def name_chapter(self, window: Window, words: str = "") -> str:
        """The first words of LEGO's title. It was not trained to read what is said."""
        del words
        with _translate_errors():
            text = self.model.ask(TITLE, {"video": self._encode([window])[0]}).text
        return " ".join(text.split()[:TITLE_WORDS]).strip(" .\"'")

    def _encode(self, windows: Sequence[Window]) -> list[Encoded]:
        fresh = [window for window in windows if window not in self._encoded]
        if fresh:
            encoded = self.model.read_windows([window.images for window in fresh])
            self._encoded.update(zip(fresh, encoded, strict=True))
        return [self._encoded[window] for window in windows]


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Errors of the model as errors that a person can act on."""
    try:
        yield
    except PromptError as error:
        raise UsageError(
            "LEGO cannot be asked this: {error}", "ask it in other words", error=error
        ) from error
    except LegoError as error:
        raise ModelError("LEGO cannot read this: {error}", error=error) from error
    except RuntimeError as error:  # no memory left on a GPU
        raise ModelError(
            "LEGO failed: {error}",
            "docs/guides/grounding-models.md says what it needs",
            error=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
