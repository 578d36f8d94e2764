"""One video: its text, its chapters, its pictures, parts of it, and the whole file."""

from __future__ import annotations

import io
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grounding.spans import Span
from indexer.admin.export import speech_within
from indexer.catalog.passages import list_passages
from indexer.passages.subtitles.writer import write_srt
from search_ui.api.rights import VisibleVideo, long_turn
from search_ui.api.values import Body, ChapterItem, Chapters, KeptClip, Line, ReplyItem, Transcript
from search_ui.app_state import app_state
from search_ui.i18n.translator import translator_of
from search_ui.routes.media import (
    clip_of,
    find_clip_of,
    keep_clip_of,
    stream_of,
    thumbnail_of,
)
from search_ui.routes.stills import picture_of
from search_ui.url_state import LONGEST_QUESTION

router = APIRouter(tags=["videos"])
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Time = Annotated[float, Query(ge=0, le=1e9, allow_inf_nan=False)]
ClipFormat = Literal["mp4", "aac", "flac", "m4a", "mp3", "ogg", "opus", "wav"]


@router.get("/videos/{video_id}/transcript")
def get_transcript(video: VisibleVideo) -> Transcript:
    """Everything that is said, written or heard, and what happens, in the order of time."""
    with app_state().library.catalog.read() as session:
        lines = [Line.of(passage) for passage in list_passages(session, video.id)]
    return Transcript(video.id, lines)


@router.get("/videos/{video_id}/subtitles", response_class=Response)
def get_subtitles(video: VisibleVideo) -> Response:
    """What is said, as SRT; empty where nothing is."""
    text = io.StringIO()
    write_srt(speech_within(app_state().library.context, video.id, Span(0, video.duration_s)), text)
    return Response(text.getvalue().encode(), media_type="application/x-subrip")


@router.get("/videos/{video_id}/chapters")
def get_chapters(video: VisibleVideo) -> Chapters:
    """The parts of a video, each with a name where its words or sounds give one."""
    found = app_state().library.chapters(video.id)
    return Chapters(video.id, [ChapterItem.of(chapter) for chapter in found])


@router.head("/videos/{video_id}/frame", include_in_schema=False)
@router.get("/videos/{video_id}/frame", response_class=Response)
async def get_frame(request: Request, video: VisibleVideo, at_s: Time) -> Response:
    """The frame that is shown at a time, 640 pixels wide (WebP); where the file cannot be read, the
    stored picture nearest to it.
    """
    time_s = round(min(at_s, video.duration_s), 3)
    made = await picture_of(request, video.id, time_s)
    return made or await run_in_threadpool(thumbnail_of, request, video, time_s)


@router.head("/videos/{video_id}/thumbnail", include_in_schema=False)
@router.get("/videos/{video_id}/thumbnail", response_class=Response)
def get_thumbnail(request: Request, video: VisibleVideo, at_s: Time = 0.0) -> Response:
    """The stored picture nearest to a time (JPEG)."""
    return thumbnail_of(request, video, min(at_s, video.duration_s))


@router.head("/videos/{video_id}/clip", include_in_schema=False)
@router.get("/videos/{video_id}/clip", response_class=Response)
async def get_clip(
    request: Request,
    video: VisibleVideo,
    start_s: Time,
    end_s: Time,
    format: ClipFormat | None = None,
) -> Response:
    """[start_s, end_s) of a video, cut exactly (MP4); its sound alone in any other format, and as
    M4A where the video has no pictures.
    """
    kept = await run_in_threadpool(find_clip_of, request, video, start_s, end_s, format)
    return kept or await clip_of(request, video, start_s, end_s, format)


class NewClip(Body):
    """A part of a video. `format`: as when a clip is asked for."""

    start_s: Seconds
    end_s: Seconds
    format: ClipFormat | None = None


@router.post("/videos/{video_id}/clips", status_code=201)
async def make_clip(request: Request, video: VisibleVideo, wanted: NewClip) -> KeptClip:
    """Cuts a part of a video exactly and keeps it for a while (the newest of a video stay), so that
    it is served at once and by ranges.
    """
    start_s, end_s = wanted.start_s, min(wanted.end_s, video.duration_s)
    path = await keep_clip_of(request, video, start_s, end_s, wanted.format)
    place = f"/api/v1/videos/{video.id}/clip?start_s={start_s:.3f}&end_s={end_s:.3f}"
    place += f"&format={wanted.format}" if wanted.format else ""
    return KeptClip(video.id, start_s, end_s, path.stat().st_size, place)


class NewQuestion(Body):
    """A question about a video: about the frame at `at_s`, what is heard (`sound`), or the part
    from `start_s` to `end_s`; without any, about where the question's best moment is.
    """

    question: str = Field(min_length=1, max_length=LONGEST_QUESTION)
    at_s: Seconds | None = None
    sound: bool = False
    start_s: Seconds | None = None
    end_s: Seconds | None = None


@router.post("/videos/{video_id}/ask", dependencies=[Depends(long_turn)])
def ask(request: Request, video: VisibleVideo, asked: NewQuestion) -> ReplyItem:
    """Asks the grounder about a video; 501 where none is configured."""
    start_s, end_s = asked.start_s, asked.end_s
    if (start_s is None) != (end_s is None) or (end_s is not None and end_s <= (start_s or 0.0)):
        raise HTTPException(
            422, translator_of(request)("A part of a video has a start and an end.")
        )
    span = None if start_s is None or end_s is None else Span(start_s, end_s)
    reply = app_state().library.ask(
        str(video.id), asked.question, at_s=asked.at_s, sound=asked.sound, span=span
    )
    return ReplyItem.of(reply)


@router.head("/videos/{video_id}/stream", include_in_schema=False)
@router.get("/videos/{video_id}/stream", response_class=Response)
def get_stream(request: Request, video: VisibleVideo) -> Response:
    """The file, or a copy that browsers can play; ranges are served."""
    return stream_of(request, video)
