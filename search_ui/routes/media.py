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
from indexer.errors import CatalogError, SeekpointError
from search_ui.app_state import site
from search_ui.strings import texts_of
from search_ui.user import Viewer

LONGEST_CLIP_S = 600.0
THUMBNAIL_AGE_S = 86_400


def routes() -> list[BaseRoute]:
    return [
        Route("/stream/{video_id:int}", stream),
        Route("/thumbnail/{video_id:int}/{time_ms:int}", thumbnail),
        Route("/clip/{video_id:int}/{start_ms:int}/{end_ms:int}", clip),
    ]


def stream(request: Request) -> Response:
    """The file itself, or its proxy where browsers cannot play it; by ranges, in small pieces, so
    that memory stays flat.
    """
    found = playback_of(site().library.context, find_video(request))
    if found.path is None:
        wait = found.state == "wait"
        raise HTTPException(
            409 if wait else 410, texts_of(request)("media.wait" if wait else "media.gone")
        )
    return FileResponse(
        found.path, media_type=found.media_type, headers={"Cache-Control": "private, no-cache"}
    )


def thumbnail(request: Request) -> Response:
    """The stored picture that is nearest to the time."""
    video = find_video(request)
    path = site().library.thumbnail_near(video.id, request.path_params["time_ms"] / 1000)
    if path is None:
        raise HTTPException(404, texts_of(request)("media.picture"))
    return FileResponse(
        path,
        media_type="image/jpeg",
        headers={"Cache-Control": f"private, max-age={THUMBNAIL_AGE_S}"},
    )


async def clip(request: Request) -> Response:
    """[start, end) cut exactly, as a file to keep. Cutting takes whole cores: people wait for each
    other, the page for nobody.
    """
    video = await run_in_threadpool(find_video, request)
    start_s, end_s = (
        request.path_params["start_ms"] / 1000,
        min(request.path_params["end_ms"] / 1000, video.duration_s),
    )
    if not 0 < end_s - start_s <= LONGEST_CLIP_S:
        raise HTTPException(422, texts_of(request)("media.clip", n=f"{LONGEST_CLIP_S:g}"))
    folder = tempfile.TemporaryDirectory(prefix="seekpoint-clip-")
    path = Path(folder.name) / "clip.mp4"
    try:
        async with site().cutting:
            await run_in_threadpool(site().library.clip, str(video.id), start_s, end_s, path)
    except SeekpointError as error:
        folder.cleanup()
        raise HTTPException(500, texts_of(request).said(str(error))) from None
    name = f"{Path(video.paths[0].relative_path).stem if video.paths else video.id} {start_s:.1f}-{end_s:.1f}.mp4"
    return FileResponse(
        path, media_type="video/mp4", filename=name, background=BackgroundTask(folder.cleanup)
    )


def find_video(request: Request) -> VideoRow:
    """404 for an id that is unknown and for one that this viewer may not see: from outside they
    look the same.
    """
    viewer: Viewer = request.state.viewer
    unknown = HTTPException(404, texts_of(request)("media.none"))
    video_id = request.path_params["video_id"]
    if video_id >= 2**63:
        raise unknown
    try:
        with site().library.catalog.read() as session:
            video = videos.get_video(session, video_id)
    except CatalogError:
        raise unknown from None
    if not viewer.sees(video.collection_id):
        raise unknown
    return video
