"""What the player asks for while somebody watches: whether the video can be played yet, what is
said and shown in it, small pictures of its time line, and a part of it as subtitles or as an entry
of an edit list.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from contextlib import nullcontext
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from grounding.spans import Span
from indexer.admin.export import speech_within
from indexer.admin.playback import playback_of
from indexer.admin.sprites import sheet_of
from indexer.catalog.frames import get_cuts, get_filled
from indexer.catalog.passages import list_passages
from indexer.catalog.videos import VideoRow
from indexer.errors import MediaError, SeekpointError
from indexer.formatting import video_title
from indexer.passages.subtitles.writer import write_srt
from indexer.search.types import Moment
from indexer.vocabulary import PageJobKind
from search_ui.app_state import app_state
from search_ui.export import as_csv, as_edl, as_playlist
from search_ui.i18n.translator import translator_of
from search_ui.jobs import Job
from search_ui.routes.media import find_video, stored_file

SPRITES_AGE_S = 86_400
EXPORTS: dict[str, tuple[str, Callable[[list[Moment]], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "edl": ("text/plain; charset=utf-8", as_edl),
    "m3u8": ("application/vnd.apple.mpegurl", as_playlist),
}


def routes() -> list[BaseRoute]:
    """Routes of the player."""
    part = "/{video_id:int}/{start_ms:int}/{end_ms:int}"
    return [
        Route("/playback/{video_id:int}", playback),
        Route("/lines/{video_id:int}", lines),
        Route("/chapters/{video_id:int}", chapters),
        Route("/sprites/{video_id:int}/{number:int}", sprites),
        Route("/subtitles" + part, subtitles),
        Route("/export" + part + "/{suffix:str}", export),
    ]


def playback(request: Request) -> Response:
    """Whether browsers can play the video, and how far the copy is that they will play."""
    video = find_video(request)
    state = playback_of(app_state().library.context, video).state
    job = proxy_job(video.id) if state == "wait" else None
    tr = translator_of(request)
    problem = " ".join(map(tr, job.problems)) if job and job.state == "failed" else ""
    return JSONResponse(
        {"state": state, "fraction": job.fraction if job else 0.0, "problem": problem},
        headers={"Cache-Control": "no-store"},
    )


def proxy_job(video_id: int) -> Job | None:
    """The newest job that makes a copy of the video for browsers."""
    jobs = app_state().jobs.all()
    return next(
        (job for job in jobs if job.kind == PageJobKind.PROXY and job.video_id == video_id), None
    )


def lines(request: Request) -> Response:
    """Everything that is known of a video over time, whatever was asked: lines (start_s, end_s,
    text) by kind, the starts of shots, and the stretches that were not looked
    at picture by picture.
    """
    video = find_video(request)
    with app_state().library.catalog.read() as session:
        passages = list_passages(session, video.id)
        cuts_s = get_cuts(session, [video.id]).get(video.id)
        filled = get_filled(session, video.id)
    found: dict[str, list] = {
        "cuts_s": [] if cuts_s is None else cuts_s.round(3).tolist(),
        "filled_s": [(round(span.start_s, 3), round(span.end_s, 3)) for span in filled],
    }
    for passage in passages:
        line = (round(passage.span.start_s, 3), round(passage.span.end_s, 3), passage.text)
        found.setdefault(passage.kind, []).append(line)
    return JSONResponse(found, headers={"Cache-Control": "private, no-cache"})


def chapters(request: Request) -> Response:
    """The named parts of the video, each with the stored picture of its middle."""
    video = find_video(request)
    tr = translator_of(request)
    found = [
        {
            "start_s": chapter.span.start_s,
            "end_s": chapter.span.end_s,
            "name": chapter.name or tr("Part {n}", n=number),
            "picture": f"/thumbnail/{video.id}/{round(chapter.span.middle_s * 1000)}"
            if video.width
            else "",
        }
        for number, chapter in enumerate(app_state().library.chapters(video.id), 1)
    ]
    return JSONResponse({"chapters": found}, headers={"Cache-Control": "private, no-cache"})


async def sprites(request: Request) -> Response:
    """A sheet of small pictures; making it takes seconds, once."""
    video = await run_in_threadpool(find_video, request)
    tr = translator_of(request)
    context, number = app_state().library.context, request.path_params["number"]
    is_made = context.artefacts.sprite_sheet(video.id, number).exists()
    try:
        async with nullcontext() if is_made else app_state().sheet_slots:
            path = await run_in_threadpool(sheet_of, context, video, number)
    except MediaError as error:  # gone, or it cannot be read
        raise HTTPException(410, tr(error.full_message)) from None
    except SeekpointError as error:
        raise HTTPException(500, tr(error.full_message)) from None
    if path is None:
        raise HTTPException(404, tr("There is no picture of this video yet."))
    headers = {"Cache-Control": f"private, max-age={SPRITES_AGE_S}"}
    return await run_in_threadpool(stored_file, request, path, "image/jpeg", headers)


def subtitles(request: Request) -> Response:
    """What is said in [start, end), in the time of a clip that begins at its start."""
    video = find_video(request)
    span = _span(request, video)
    text = io.StringIO()
    write_srt(speech_within(app_state().library.context, video.id, span), text)
    return _file(text.getvalue().encode(), "application/x-subrip", video, span, "srt")


def export(request: Request) -> Response:
    """[start, end) as a table, an edit list or a playlist of one entry."""
    video = find_video(request)
    span = _span(request, video)
    suffix = request.path_params["suffix"]
    if suffix not in EXPORTS:
        raise HTTPException(404)
    media_type, write = EXPORTS[suffix]
    path = app_state().library.context.shown_path(video)
    moment = Moment(video.id, path, video.collection, span, math.nan, (), None, _title(video))
    return _file(write([moment]), media_type, video, span, suffix)


def _span(request: Request, video: VideoRow) -> Span:
    start_s = request.path_params["start_ms"] / 1000
    end_s = min(request.path_params["end_ms"] / 1000, video.duration_s)
    if not start_s < end_s:
        tr = translator_of(request)
        raise HTTPException(422, tr("The end of a clip comes after its start."))
    return Span(start_s, end_s)


def _file(content: bytes, media_type: str, video: VideoRow, span: Span, suffix: str) -> Response:
    name = quote(f"{_title(video)} {span.start_s:.1f}-{span.end_s:.1f}.{suffix}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=utf-8''{name}"}
    return Response(content, media_type=media_type, headers=headers)


def _title(video: VideoRow) -> str:
    path = video.paths[0].relative_path if video.paths else None
    return video_title(video.title, path, video.id)
