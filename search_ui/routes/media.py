"""Videos, thumbnails and clips by id. A request can name nothing but numbers, so there is no path
that could lead outside the library.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.admin.playback import playback_of
from indexer.catalog import videos
from indexer.catalog.videos import VideoRow
from indexer.errors import CatalogBusy, CatalogError, SeekpointError
from indexer.formatting import video_title
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import translator_of

LONGEST_CLIP_S = 600.0
THUMBNAIL_AGE_S = 86_400


def routes() -> list[BaseRoute]:
    """Routes of videos, thumbnails and clips."""
    return [
        Route("/stream/{video_id:int}", stream),
        Route("/thumbnail/{video_id:int}/{time_ms:int}", thumbnail),
        Route("/clip/{video_id:int}/{start_ms:int}/{end_ms:int}", clip),
    ]


def stream(request: Request) -> Response:
    """The file itself, or its proxy where browsers cannot play it, by ranges."""
    found = playback_of(app_state().library.context, find_video(request))
    if found.path is None:
        tr = translator_of(request)
        if found.state == "wait":
            raise HTTPException(409, tr("A copy that browsers can play is still being made."))
        raise HTTPException(410, tr("The file is not there now."))
    return FileResponse(
        found.path, media_type=found.media_type, headers={"Cache-Control": "private, no-cache"}
    )


def thumbnail(request: Request) -> Response:
    """The stored picture that is nearest to the time."""
    video = find_video(request)
    path = app_state().library.thumbnail_near(video.id, request.path_params["time_ms"] / 1000)
    if path is None:
        raise HTTPException(404, translator_of(request)("There is no picture of this video yet."))
    return FileResponse(
        path,
        media_type="image/jpeg",
        headers={"Cache-Control": f"private, max-age={THUMBNAIL_AGE_S}"},
    )


async def clip(request: Request) -> Response:
    """[start, end) cut exactly, as a file to keep. Cutting takes whole cores, so `CLIPS_AT_ONCE`
    limits how many are cut at a time.
    """
    video = await run_in_threadpool(find_video, request)
    start_s, end_s = (
        request.path_params["start_ms"] / 1000,
        min(request.path_params["end_ms"] / 1000, video.duration_s),
    )
    if not 0 < end_s - start_s <= LONGEST_CLIP_S:
        raise HTTPException(
            422,
            translator_of(request)(
                "A clip is longer than nothing and no longer than {n} s.", n=f"{LONGEST_CLIP_S:g}"
            ),
        )
    folder = tempfile.TemporaryDirectory(prefix="seekpoint-clip-")
    path = Path(folder.name) / "clip.mp4"
    try:
        async with app_state().clip_slots:
            await run_in_threadpool(app_state().library.clip, str(video.id), start_s, end_s, path)
    except SeekpointError as error:
        folder.cleanup()
        raise HTTPException(500, translator_of(request)(error.full_message)) from None
    stem = video_title("", video.paths[0].relative_path if video.paths else None, video.id)
    name = f"{stem} {start_s:.1f}-{end_s:.1f}.mp4"
    return FileResponse(
        path, media_type="video/mp4", filename=name, background=BackgroundTask(folder.cleanup)
    )


def find_video(request: Request) -> VideoRow:
    """The video of the request; 404 for an id that is unknown and for one that this user may not
    see, which look the same from outside.
    """
    user: User = request.state.user
    unknown = HTTPException(404, translator_of(request)("There is no such video."))
    video_id = request.path_params["video_id"]
    if video_id >= 2**63:
        raise unknown
    try:
        with app_state().library.catalog.read() as session:
            video = videos.get_video(session, video_id)
    except CatalogBusy:
        raise  # the database is away: that is no answer about the video
    except CatalogError:
        raise unknown from None
    if not user.sees(video.collection_id):
        raise unknown
    return video
