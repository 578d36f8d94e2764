"""Text on screen: looked for when it may have changed, followed while it stays, read once where it
is sharpest.

Takes pictures of 480 pixels on the shorter side (`ocr.SHORT_SIDE`) at about 1 a second, in portions
of any size and in order of time; keeps the small crops of the lines and never a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from grounding.spans import Span
from indexer.passages.base import Passage
from indexer.passages.screen.crop import crop_line
from indexer.passages.screen.dedupe import ReadLine, merge_repeats
from indexer.passages.screen.line_tracker import Line, LineTracker, Sighting
from indexer.passages.screen.ocr import SHORT_SIDE, TextModel, load_text_model
from indexer.passages.screen.text_presence import edges, has_writing, same_writing, steady
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.media.decode.frames import Frames

Box = tuple[float, float, float, float]  # x0, y0, x1, y1
RATE_HZ = 1.0
REVISION = 2  # counts changes that make stored screen text worth replacing

_PATIENCE_S = 2.0  # between passes over a shot in which there was nothing new
_MIN_CONFIDENCE = 0.75
_MIN_CONFIDENCE_ONCE = 0.85  # of a line that was seen in one frame alone
_MIN_LETTERS = 2
_FEW_LETTERS = 4  # texture is easily taken for so few, so they have to be clear
_MIN_CONFIDENCE_FEW = 0.9
# confidence below which a line that moves is texture; a sharper picture of it may yet be text
_MAYBE, _MAYBE_FEW = 0.5, 0.75
_READS = 60  # of lines in any chunk
# of video: a film of a text editor must not take longer than it plays; the lines that stay longest
# are read
_MAX_READS_PER_S = 3.0


def screen_key(settings: Settings) -> str:
    """The key of the screen stage under these settings, without loading the model."""
    return f"rapidocr-{SHORT_SIDE}-{RATE_HZ:g}hz.{REVISION}"


def read_screen(
    settings: Settings, frames: Frames, cuts_s: np.ndarray, span: Span
) -> list[Passage]:
    """The lines on screen during `span`. frames: of all of it; cuts_s (K,) starts of shots. Raises
    ModelError without rapidocr.
    """
    screen = ScreenText(load_text_model(settings), span)
    screen.feed(frames, cuts_s)
    return screen.finish()


@dataclass(slots=True)
class ScreenText:
    """Feed it the pictures of a chunk, then `finish`. Of `frames`, `coarse_passes` were
    searched in small and `full_passes` in full by the model; `every_frame` searches all in full.
    """

    model: TextModel
    span: Span
    every_frame: bool = False
    coarse_passes: int = 0
    full_passes: int = 0
    frames: int = 0
    _tracker: LineTracker = field(default_factory=LineTracker)
    _gone: list[Line] = field(default_factory=list)
    _edges: np.ndarray | None = None
    # where the last coarse pass took something for a line
    _doubted: list[Box] = field(default_factory=list)
    _was_texture: bool = False  # what was taken for lines in this shot
    # times and edges of frames since then, not searched
    _passed: list[tuple[float, np.ndarray]] = field(default_factory=list)
    _cuts_s: list[float] = field(default_factory=list)
    _last_s: float = -np.inf
    # the last pass that found nothing new, while what it saw could have been text
    _fruitless_s: float = -np.inf

    def feed(self, frames: Frames, cuts_s: np.ndarray) -> None:
        """Takes the next pictures, and starts of shots (K,) among them."""
        self._cuts_s += [float(cut) for cut in cuts_s]
        for image, time_s in zip(frames.images, frames.times_s.tolist()):
            self._frame(image, time_s)

    def finish(self) -> list[Passage]:
        """Reads the lines that were followed."""
        lines = self._longest([*self._gone, *self._tracker.live], self._limit)
        texts = [self._read(line) for line in lines]
        read = [
            self._read_line(line, text, confidence)
            for line, (text, confidence) in zip(lines, texts)
            if _is_text(line, text, confidence)
        ]
        return [
            Passage("screen", r.span.start_s, r.span.end_s, r.text, None, round(r.confidence, 4))
            for r in merge_repeats(read)
        ]

    @property
    def _limit(self) -> int:
        return max(_READS, round(_MAX_READS_PER_S * self.span.length_s))

    def _lost(self, lines: list[Line]) -> None:
        """Keeps lines that are gone for reading; bounded, as flicker can look like any number of
        lines.
        """
        for line in lines:
            line.latest = line.best
        self._gone += lines
        if len(self._gone) > 2 * self._limit:
            self._gone = self._longest(self._gone, self._limit)

    @staticmethod
    def _longest(lines: list[Line], count: int) -> list[Line]:
        return sorted(lines, key=lambda line: line.first_s - line.last_s)[:count]

    def _frame(self, image: np.ndarray, time_s: float) -> None:
        strong = edges(image)
        new_shot = any(self._last_s < cut <= time_s for cut in self._cuts_s)
        self.frames += 1
        self._last_s = time_s
        self._was_texture = self._was_texture and not new_shot
        if self.every_frame:
            self._full_pass(image, strong, time_s)
        elif not has_writing(strong):
            self._lost(self._tracker.update(time_s, []))
            self._seen(strong, -np.inf)
        elif self._edges is not None and not new_shot and same_writing(strong, self._edges):
            self._tracker.keep_unchanged(time_s)
        elif self._edges is not None and self._text_moved(strong, self._edges, time_s):
            self._full_pass(image, strong, time_s)
        elif new_shot or time_s - self._fruitless_s >= _PATIENCE_S:
            known = [line.box for line in self._tracker.live]
            self._coarse_pass(
                image, strong, time_s, known if new_shot else [*known, *self._doubted]
            )
        else:
            self._tracker.still(time_s)
            self._passed.append((time_s, strong))

    def _text_moved(self, strong: np.ndarray, before: np.ndarray, time_s: float) -> bool:
        """Whether a line that may be text does not stand where it stood. Texture that moved is no
        line any more.

        It is searched once more in a shot, after a while: a title that fades in begins unreadable.
        """
        moved = [line for line in self._tracker.live if not steady(strong, before, line.box)]
        if any(self._may_be_text(line) for line in moved):
            return True
        if moved:
            self._lost(self._tracker.drop(time_s, moved))
            self._fruitless_s = max(self._fruitless_s, self._tracker.looked_s)
            if not self._was_texture:
                self._doubted.clear()
            self._was_texture = True
        return False

    def _read(self, line: Line) -> tuple[str, float]:
        if line.reading is None or line.reading[0] is not line.best:
            line.reading = (line.best, *self.model.read([line.best.crop])[0])
        return line.reading[1:]

    def _may_be_text(self, line: Line) -> bool:
        """Whether a line is worth following. Texture is often taken for one; reading it costs a
        tenth of a full pass.
        """
        text, confidence = self._read(line)
        letters = sum(c.isalnum() for c in text)
        return letters >= _MIN_LETTERS and confidence >= (
            _MAYBE if letters >= _FEW_LETTERS else _MAYBE_FEW
        )

    def _seen(self, strong: np.ndarray, fruitless_s: float) -> None:
        self._edges, self._fruitless_s = strong, fruitless_s
        self._passed.clear()

    def _coarse_pass(
        self, image: np.ndarray, strong: np.ndarray, time_s: float, known: Sequence[Box]
    ) -> None:
        """Whether there may be more than the lines that stand where they stood, and what was taken
        for a line in this shot before.
        """
        self.coarse_passes += 1
        self._doubted = [_box(corners) for corners in self.model.find_coarse(image)]
        if all(_is_covered(box, known) for box in self._doubted):
            self._tracker.keep_unchanged(time_s)
            self._seen(strong, time_s)
            for line in self._tracker.live:
                line.see_again(time_s, crop_line(image, line.latest.corners))
        else:
            self._full_pass(image, strong, time_s)

    def _full_pass(self, image: np.ndarray, strong: np.ndarray, time_s: float) -> None:
        self.full_passes += 1
        sightings = [
            Sighting.of(time_s, corners, crop_line(image, corners))
            for corners in self.model.find(image)
        ]
        known = list(self._tracker.live)
        gone = self._tracker.update(time_s, sightings)
        self._lost(gone)
        new = [line for line in self._tracker.live if line not in known]
        for line in new:
            self._date(line, strong)
        # What turned out to be text is in doubt no more: where it stood, other text may come.
        lines = (
            [line.box for line in self._tracker.live if self._may_be_text(line)]
            if self._doubted
            else []
        )
        self._doubted = [box for box in self._doubted if not _is_covered(box, lines)]
        self._seen(strong, -np.inf if new or gone else time_s)

    def _date(self, line: Line, strong: np.ndarray) -> None:
        """Moves the beginning of a new line back to the first of the frames that were passed over
        in which it already stood there.
        """
        for time_s, before in reversed(self._passed):
            if not steady(strong, before, line.box):
                line.before_s = time_s
                return
            line.first_s = time_s

    def _read_line(self, line: Line, text: str, confidence: float) -> ReadLine:
        start_s = max(self.span.start_s, self._between(line.before_s, line.first_s))
        end_s = (
            self.span.end_s if line.after_s is None else self._between(line.last_s, line.after_s)
        )
        return ReadLine(
            Span(start_s, max(start_s, min(end_s, self.span.end_s))),
            text,
            confidence,
            (line.latest.box[1], line.latest.box[3]),
        )

    def _between(self, before_s: float, after_s: float) -> float:
        """Where something changed that was one way at `before_s` and another at `after_s`: at the
        cut between them, else half-way.
        """
        cuts = [cut for cut in self._cuts_s if before_s < cut <= after_s]
        return cuts[-1] if cuts else (before_s + after_s) / 2


def _box(corners: np.ndarray) -> Box:
    (x0, y0), (x1, y1) = corners.min(0).tolist(), corners.max(0).tolist()
    return x0, y0, x1, y1


def _is_covered(box: Box, by: Sequence[Box]) -> bool:
    """Whether half of a box lies in one of the others."""
    for other in by:
        width = min(box[2], other[2]) - max(box[0], other[0])
        height = min(box[3], other[3]) - max(box[1], other[1])
        if (
            width > 0
            and height > 0
            and width * height >= 0.5 * (box[2] - box[0]) * (box[3] - box[1])
        ):
            return True
    return False


def _is_text(line: Line, text: str, confidence: float) -> bool:
    letters = sum(c.isalnum() for c in text)
    wanted = _MIN_CONFIDENCE_ONCE if line.sightings == 1 else _MIN_CONFIDENCE
    if letters < _FEW_LETTERS:
        wanted = _MIN_CONFIDENCE_FEW
    return letters >= _MIN_LETTERS and confidence >= wanted
