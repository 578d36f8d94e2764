"""Questions to the grounder about one video: a window of it, a frame of it, or its sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grounding.lego.generate.answers import Box
from grounding.refine import MAX_WINDOW_S
from grounding.spans import Span
from indexer.catalog import videos
from indexer.context import Context
from indexer.errors import MediaError, UsageError
from indexer.grounder.base import read_window
from indexer.grounder.configured import load_grounder
from indexer.media.decode.reader_process import probe_in_process
from indexer.media.files import MediaFiles
from indexer.media.output.draw import draw_boxes
from indexer.paths import printable
from indexer.search.searcher import Searcher

FRAME_SHORT_SIDE = 720  # of a frame that boxes are drawn on


@dataclass(frozen=True, slots=True)
class Reply:
    """`spans` in seconds of the video, `boxes` as fractions of the frame at `at_s`; `picture`: the
    frame with its boxes drawn.
    """

    text: str
    window: Span
    spans: tuple[Span, ...] = ()
    boxes: tuple[Box, ...] = ()
    at_s: float | None = None
    picture: Path | None = None


def ask(
    context: Context,
    searcher: Searcher,
    video: str,
    question: str,
    *,
    at_s: float | None = None,
    sound: bool = False,
    span: Span | None = None,
    picture: Path | None = None,
) -> Reply:
    """Asks about a frame (`at_s`), the sound, or a part of the video (`span`): without one the
    first 30 s, or where the question's best moment is in a longer one. A part that goes on after
    the end of the video is cut.

    Raises ModelError without a grounder, MediaError for a file that cannot be read, UsageError
    for a question that cannot be asked.
    """
    _require_words(question)
    if at_s is not None and span is not None:
        raise UsageError(
            "a question is about a time or about a part of a video, not about both",
            "leave one of them out",
        )
    grounder = load_grounder(context.settings)
    path, video_id = _resolve(context, video)
    duration_s = _duration_s(context, path, at_s)
    part = None if span is None else _within(span, duration_s, path)
    with MediaFiles(context.settings) as media:
        if at_s is not None and not sound:
            image = _frame(media, path, at_s)
            answer = grounder.answer_frame(image, question)
            return _reply_about_frame(answer.text, answer.boxes, image, at_s, picture)
        window = part or _window(searcher, question, video_id, duration_s, at_s)
        if sound:
            answer = grounder.answer_sound(media.audio(path, window), question)
        else:
            read = read_window(media, path, window, grounder.frames)
            answer = grounder.answer(read, question)
    return Reply(answer.text, window, answer.spans)


def locate(context: Context, video: str, phrase: str, at_s: float) -> Reply:
    """Where in the frame at `at_s` is what the phrase names? Raises as `ask`."""
    _require_words(phrase)
    grounder = load_grounder(context.settings)
    path, _ = _resolve(context, video)
    _duration_s(context, path, at_s)
    with MediaFiles(context.settings) as media:
        image = _frame(media, path, at_s)
    boxes = grounder.locate(image, phrase)
    return _reply_about_frame("", boxes, image, at_s, None)


def _reply_about_frame(
    text: str, boxes: tuple[Box, ...] | list[Box], image: np.ndarray, at_s: float, picture
) -> Reply:
    if picture is not None:
        height, width = image.shape[:2]
        draw_boxes(image, [box.pixels(width, height) for box in boxes], picture)
    return Reply(text, Span(at_s, at_s), (), tuple(boxes), at_s, picture)


def _require_words(question: str) -> None:
    if not question.strip():
        raise UsageError("the question is empty", "say what you want to know")


def _frame(media: MediaFiles, path: Path, at_s: float) -> np.ndarray:
    return media.frames_at(path, np.array([at_s]), short_side=FRAME_SHORT_SIDE).images[0]


def _duration_s(context: Context, path: Path, at_s: float | None) -> float:
    """Of the file. Raises UsageError for a time that is not in it."""
    duration_s = probe_in_process(
        path,
        max_pixels=context.settings.max_frame_pixels,
        memory_mb=context.settings.reader_memory_mb,
    ).duration_s
    if at_s is not None and not 0 <= at_s < duration_s:
        raise UsageError(
            "{at_s:g} s is not within the {duration_s:.1f} s of {path}",
            "choose a time inside the video",
            at_s=at_s,
            duration_s=duration_s,
            path=printable(path),
        )
    return duration_s


def _within(span: Span, duration_s: float, path: Path) -> Span:
    """The part as far as the video goes. Raises UsageError where that is nothing."""
    if not 0 <= span.start_s < min(span.end_s, duration_s):
        raise UsageError(
            "{start_s:g} to {end_s:g} s is not a part of the {duration_s:.1f} s of {path}",
            "choose a part inside the video",
            start_s=span.start_s,
            end_s=span.end_s,
            duration_s=duration_s,
            path=printable(path),
        )
    return Span(span.start_s, min(span.end_s, duration_s))


def _resolve(context: Context, video: str) -> tuple[Path, int | None]:
    """The file of a video named by its number or its path, and its number where it has one."""
    if video.isdecimal() and not Path(video).exists():
        with context.catalog.read() as session:
            return context.path_of(videos.get_video(session, int(video))), int(video)
    path = Path(video).expanduser()
    if not path.exists():
        raise MediaError(
            "{path}: there is no such file",
            "give the number of a video (`seekpoint videos`) or a path",
            path=printable(path),
        )
    return path, None


def _window(
    searcher: Searcher, question: str, video_id: int | None, duration_s: float, at_s: float | None
) -> Span:
    """At most 30 s: around `at_s`, else around the best moment of a longer video that is in the
    context, else the beginning.
    """
    if duration_s <= MAX_WINDOW_S:
        return Span(0.0, duration_s)
    middle_s = at_s
    if middle_s is None and video_id is not None:
        best = searcher.spans_in_video(question, video_id)
        middle_s = best[0].span.middle_s if best else None
    start_s = (
        0.0
        if middle_s is None
        else min(max(0.0, middle_s - MAX_WINDOW_S / 2), duration_s - MAX_WINDOW_S)
    )
    return Span(start_s, start_s + MAX_WINDOW_S)
