"""Questions to LEGO about one video: a window of it, a frame of it, or its sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from grounding.errors import LegoError, PromptError
from grounding.lego.generate.answers import parse_boxes, parse_spans, rewrite_boxes
from grounding.refine import MAX_WINDOW_S
from grounding.spans import Span
from indexer.catalog import videos
from indexer.context import Context
from indexer.errors import MediaError, UsageError
from indexer.grounder.lego import load_lego, window_frames
from indexer.media.decode.reader_process import probe_in_process
from indexer.media.files import MediaFiles
from indexer.media.output.draw import draw_boxes
from indexer.paths import printable
from indexer.search.searcher import Searcher

if TYPE_CHECKING:
    from grounding.lego.generate.answers import Box

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
    picture: Path | None = None,
) -> Reply:
    """Asks about a frame (`at_s`), the sound, or the video: its first 30 s, or where the question's
    best moment is in a longer one.

    Raises ModelError without a checkpoint, MediaError for a file that cannot be read, UsageError
    for a question that cannot be asked.
    """
    try:
        return _ask(context, searcher, video, question, at_s, sound, picture)
    except PromptError as error:
        raise UsageError(
            "LEGO cannot be asked this: {error}", "ask it in other words", error=error
        ) from error
    except LegoError as error:
        raise MediaError(
            "LEGO cannot read this part of {video}: {error}", video=printable(video), error=error
        ) from error


def _ask(
    context: Context,
    searcher: Searcher,
    video: str,
    question: str,
    at_s: float | None,
    sound: bool,
    picture: Path | None,
) -> Reply:
    if not question.strip():
        raise UsageError("the question is empty", "say what you want to know")
    grounder = load_lego(context.settings)
    path, video_id = _resolve(context, video)
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
    with MediaFiles(context.settings) as media:
        if at_s is not None and not sound:
            return _ask_frame(context, media, path, question, at_s, picture)
        window = _window(searcher, question, video_id, duration_s, at_s)
        if sound:
            encoded = grounder.read_audio(media.audio(path, window))
            return Reply(grounder.ask(question, {"sound": encoded}).text, window)
        encoded = grounder.read_frames(window_frames(media, path, window))
        text = grounder.ask(question, {"video": encoded}).text
        return Reply(text, window, tuple(parse_spans(text, window)))


def _ask_frame(
    context: Context,
    media: MediaFiles,
    path: Path,
    question: str,
    at_s: float,
    picture: Path | None,
) -> Reply:
    grounder = load_lego(context.settings)
    image = media.frames_at(path, np.array([at_s]), short_side=FRAME_SHORT_SIDE).images[0]
    height, width = image.shape[:2]
    text = grounder.ask(question, {"image": grounder.read_image(image).encoded}).text
    boxes = tuple(parse_boxes(text, width, height))
    if picture is not None:
        draw_boxes(image, [box.pixels(width, height) for box in boxes], picture)
    return Reply(rewrite_boxes(text, width, height), Span(at_s, at_s), (), boxes, at_s, picture)


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
