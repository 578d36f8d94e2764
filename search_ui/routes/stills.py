"""Pictures of answers: the frame that is the evidence, five frames of a moment, and the picture
that was asked with.
"""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from grounding.spans import Span
from indexer.errors import SeekpointError
from indexer.questions.query_pictures import picture_path
from search_ui.app_state import app_state
from search_ui.i18n.translator import translator_of
from search_ui.routes.media import find_video, stored_file
from search_ui.url_state import is_picture

AGE_S = 7 * 86_400
LONGEST_STRIP_S = 3600.0


def routes() -> list[BaseRoute]:
    """Routes of pictures of answers."""
    return [
        Route("/still/{video_id:int}/{time_ms:int}", still),
        Route("/strip/{video_id:int}/{start_ms:int}/{end_ms:int}", strip),
        Route("/asked/{name}", asked),
    ]


async def still(request: Request) -> Response:
    """The frame shown at the time; where it cannot be read, the stored picture nearest to it."""
    video = await run_in_threadpool(find_video, request)
    time_ms = min(request.path_params["time_ms"], round(video.duration_s * 1000))
    made = await picture_of(request, video.id, time_ms / 1000)
    return made or RedirectResponse(f"/thumbnail/{video.id}/{time_ms}", 307)


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


def asked(request: Request) -> Response:
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
                found = await run_in_threadpool(library.make_still, video_id, place)
    except SeekpointError:
        return None
    return await run_in_threadpool(_file, request, found, "image/webp")


def _file(request: Request, path: Path, media_type: str) -> Response:
    headers = {"Cache-Control": f"private, max-age={AGE_S}, immutable"}
    return stored_file(request, path, media_type, headers)
