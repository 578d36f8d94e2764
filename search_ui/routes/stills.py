"""Pictures of answers: the frame that is the evidence, five frames of a moment, and the picture
that was asked with.
"""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.videos import VideoRow
from indexer.errors import SeekpointError
from indexer.questions.query_pictures import picture_path
from search_ui.app_state import app_state
from search_ui.i18n.translator import translator_of
from search_ui.routes.media import find_video, require_own_file, stored_file, thumbnail_of
from search_ui.url_state import is_picture

AGE_S = 7 * 86_400
EMPTY = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 9"/>'
LONGEST_STRIP_S = 3600.0


def routes() -> list[BaseRoute]:
    """Routes of pictures of answers."""
    return [
        Route("/thumbnail/{video_id:int}/{time_ms:int}", thumbnail),
        Route("/still/{video_id:int}/{time_ms:int}", still),
        Route("/strip/{video_id:int}/{start_ms:int}/{end_ms:int}", strip),
        Route("/asked/{name}", show_asked_picture),
    ]


async def thumbnail(request: Request) -> Response:
    """The stored picture that is nearest to the time. Of a video that is only just being read the
    frame itself; where there is none either, an empty picture: a page asks for what may come.
    """
    video = await run_in_threadpool(find_video, request)
    time_s = min(request.path_params["time_ms"] / 1000, video.duration_s)
    return (
        await run_in_threadpool(_stored, request, video, time_s)
        or await picture_of(request, video.id, time_s)
        or nothing()
    )


async def still(request: Request) -> Response:
    """The frame shown at the time; where it cannot be read, the stored picture nearest to it."""
    video = await run_in_threadpool(find_video, request)
    time_s = min(request.path_params["time_ms"] / 1000, video.duration_s)
    return (
        await picture_of(request, video.id, time_s)
        or await run_in_threadpool(_stored, request, video, time_s)
        or nothing()
    )


def _stored(request: Request, video: VideoRow, time_s: float) -> Response | None:
    try:
        return thumbnail_of(request, video, time_s)
    except HTTPException as error:
        if error.status_code != 404:
            raise
        return None


def nothing() -> Response:
    """An empty picture."""
    return Response(EMPTY, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


async def strip(request: Request) -> Response:
    """Five frames of the span, side by side."""
    video = await run_in_threadpool(find_video, request)
    start_s, end_s = (
        request.path_params["start_ms"] / 1000,
        min(request.path_params["end_ms"] / 1000, video.duration_s),
    )
    is_span = 0 < end_s - start_s <= LONGEST_STRIP_S
    made = await picture_of(request, video.id, Span(start_s, end_s)) if is_span else None
    if made is None:
        raise HTTPException(404, translator_of(request)("There is no picture of this video yet."))
    return made


def show_asked_picture(request: Request) -> Response:
    """The picture that was asked with, by the name under which it is kept."""
    name = request.path_params["name"]
    path = picture_path(app_state().settings, name) if is_picture(name) else None
    if path is None or not path.is_file():
        raise HTTPException(404, translator_of(request)("this picture is not kept any more"))
    return _file(request, path, "image/png")


async def picture_of(request: Request, video_id: int, place: float | Span) -> Response | None:
    """The frame at a time, or five of a span; None where it cannot be read. Decoding takes whole
    cores, so `STILLS_AT_ONCE` limits how many are made at a time.
    """
    library = app_state().library
    found = await run_in_threadpool(library.find_still, video_id, place)
    try:
        if found is None:
            async with app_state().still_slots:
                found = await run_in_threadpool(_make, video_id, place)
    except (SeekpointError, OSError):
        return None
    return await run_in_threadpool(_file, request, found, "image/webp")


def _make(video_id: int, place: float | Span) -> Path:
    library = app_state().library
    with library.catalog.read() as session:
        require_own_file(videos.get_video(session, video_id))
    return library.make_still(video_id, place)


def _file(request: Request, path: Path, media_type: str) -> Response:
    headers = {"Cache-Control": f"private, max-age={AGE_S}, immutable"}
    return stored_file(request, path, media_type, headers)
