"""Videos, thumbnails and clips by id. A request can name nothing but numbers, so there is no path
that could lead outside the library.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from indexer.admin.playback import open_for_playing, playback_of
from indexer.artefacts import SHARED_FILE
from indexer.catalog import videos
from indexer.catalog.videos import VideoRow
from indexer.errors import CatalogBusy, CatalogError, MediaError, SeekpointError, UsageError
from indexer.formatting import video_title
from indexer.paths import Reach
from indexer.process.abandon import abandonable
from indexer.vocabulary import SOUND_FORMATS
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import translator_of

log = logging.getLogger(__name__)

LONGEST_CLIP_S = 600.0
CLIPS_OF_A_VIDEO = 20
"""The newest of those that programs had made are kept."""
LOOK_EVERY_S = 0.5
GONE_STATUS = 499  # nginx's number for somebody who hung up; nobody reads it
THUMBNAIL_AGE_S = 86_400
SOUND = "m4a"
_MEDIA_TYPES = {
    "mp4": "video/mp4",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
}
CLIP_FORMATS = tuple(_MEDIA_TYPES)
assert set(SOUND_FORMATS) < set(CLIP_FORMATS)


def routes() -> list[BaseRoute]:
    """Routes of videos, thumbnails and clips."""
    return [
        Route("/stream/{video_id:int}", stream),
        Route("/clip/{video_id:int}/{start_ms:int}/{end_ms:int}", clip),
        Route("/clip/{video_id:int}/{start_ms:int}/{end_ms:int}/sound", sound),
    ]


def stream(request: Request) -> Response:
    """The file itself, or its proxy where browsers cannot play it, by ranges."""
    return stream_of(request, find_video(request))


def stream_of(request: Request, video: VideoRow) -> Response:
    """The video by ranges; 409 while its copy is made, 410 where the file is gone."""
    found = playback_of(app_state().library.context, video)
    if found.path is None:
        tr = translator_of(request)
        if found.state == "wait":
            raise HTTPException(409, tr("A copy that browsers can play is still being made."))
        raise HTTPException(410, tr("The file is not there now."))
    descriptor = _open(request, video, found.path)
    return DescriptorResponse(descriptor, found.media_type, {"Cache-Control": "private, no-cache"})


def thumbnail_of(request: Request, video: VideoRow, time_s: float) -> Response:
    """The stored picture nearest to the time; 404 where there is none."""
    path = app_state().library.thumbnail_near(video.id, time_s)
    if path is None:
        raise HTTPException(404, translator_of(request)("There is no picture of this video yet."))
    headers = {"Cache-Control": f"private, max-age={THUMBNAIL_AGE_S}"}
    return stored_file(request, path, "image/jpeg", headers)


def stored_file(
    request: Request, path: Path, media_type: str, headers: Mapping[str, str]
) -> Response:
    """An artefact, from the descriptor that was checked: a regular file below their folder,
    wherever links lead; 410 where it is not.
    """
    try:
        descriptor = Reach.of([app_state().library.artefacts.root]).open(path)
    except (MediaError, OSError) as error:
        raise _gone(request, path.name, error) from None
    return DescriptorResponse(descriptor, media_type, headers)


def _open(request: Request, video: VideoRow, path: Path) -> int:
    shared = app_state()
    try:
        return open_for_playing(shared.library.context, video, path, shared.reach)
    except (MediaError, OSError) as error:
        raise _gone(request, f"video {video.id}", error) from None


def require_own_file(video: VideoRow) -> None:
    """Raises MediaError, OSError where the file is not what was read, or links lead out of reach:
    pictures of another file would be shown as this video's.
    """
    shared = app_state()
    context = shared.library.context
    os.close(open_for_playing(context, video, context.path_of(video), shared.reach))


def _gone(request: Request, what: str, error: Exception) -> HTTPException:
    log.warning("%s is not served: %s", what, error)
    return HTTPException(410, translator_of(request)("The file is not there now, or has changed."))


async def clip(request: Request) -> Response:
    """[start, end) cut exactly, as a file to keep."""
    return await _clip_as(request, None)


async def sound(request: Request) -> Response:
    """The sound of [start, end) alone, as a file to keep."""
    return await _clip_as(request, SOUND)


async def _clip_as(request: Request, suffix: str | None) -> Response:
    video = await run_in_threadpool(find_video, request)
    start_ms, end_ms = request.path_params["start_ms"], request.path_params["end_ms"]
    try:
        return await clip_of(request, video, start_ms / 1000, end_ms / 1000, suffix)
    except UsageError as error:  # there is no picture or sound in this span
        raise HTTPException(422, translator_of(request)(error.full_message)) from None
    except SeekpointError as error:
        raise HTTPException(500, translator_of(request)(error.full_message)) from None


async def clip_of(
    request: Request, video: VideoRow, start_s: float, end_s: float, suffix: str | None = None
) -> Response:
    """A part as one of `CLIP_FORMATS`; without one MP4, and of a video without pictures its sound.

    Cutting takes whole cores, so `CLIPS_AT_ONCE` limits how many are cut at a time, and one that
    nobody waits for any more is given up. Raises SeekpointError where it cannot be cut.
    """
    end_s = _clip_end_s(request, video, start_s, end_s)
    suffix = suffix or _suffix_of(video)
    folder = tempfile.TemporaryDirectory(prefix="seekpoint-clip-")
    path = Path(folder.name) / f"clip.{suffix}"
    try:
        async with app_state().clip_slots:
            await _while_wanted(request, _cut, request, video, start_s, end_s, path)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        path,
        media_type=_MEDIA_TYPES[suffix],
        filename=_clip_name(video, start_s, end_s, suffix),
        background=BackgroundTask(folder.cleanup),
    )


async def keep_clip_of(
    request: Request, video: VideoRow, start_s: float, end_s: float, suffix: str | None = None
) -> Path:
    """As `clip_of`, kept among the artefacts of the video. One that is there is not cut again."""
    end_s = _clip_end_s(request, video, start_s, end_s)
    suffix = suffix or _suffix_of(video)
    artefacts = app_state().library.artefacts
    path = artefacts.clip(video.id, start_s, end_s, suffix)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
            part = Path(folder) / f"clip.{suffix}"
            async with app_state().clip_slots:
                await _while_wanted(request, _cut, request, video, start_s, end_s, part)
            part.chmod(SHARED_FILE)
            part.replace(path)
    await run_in_threadpool(artefacts.keep_clips, video.id, CLIPS_OF_A_VIDEO)
    return path


def find_clip_of(
    request: Request, video: VideoRow, start_s: float, end_s: float, suffix: str | None = None
) -> Response | None:
    """The clip that `keep_clip_of` kept, by ranges; None where there is none."""
    end_s = min(end_s, video.duration_s)
    suffix = suffix or _suffix_of(video)
    path = app_state().library.artefacts.clip(video.id, start_s, end_s, suffix)
    if not path.exists():
        return None
    name = quote(_clip_name(video, start_s, end_s, suffix))
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"attachment; filename*=utf-8''{name}",
    }
    return DescriptorResponse(_open(request, video, path), _MEDIA_TYPES[suffix], headers)


def _suffix_of(video: VideoRow) -> str:
    return "mp4" if video.width else SOUND


def _clip_end_s(request: Request, video: VideoRow, start_s: float, end_s: float) -> float:
    end_s = min(end_s, video.duration_s)
    if not 0 < end_s - start_s <= LONGEST_CLIP_S:
        raise HTTPException(
            422,
            translator_of(request)(
                "A clip is longer than nothing and no longer than {n} s.", n=f"{LONGEST_CLIP_S:g}"
            ),
        )
    return end_s


def _clip_name(video: VideoRow, start_s: float, end_s: float, suffix: str) -> str:
    stem = video_title("", video.paths[0].relative_path if video.paths else None, video.id)
    return f"{stem} {start_s:.1f}-{end_s:.1f}.{suffix}"


def _cut(request: Request, video: VideoRow, start_s: float, end_s: float, path: Path) -> None:
    """Cuts from a file that was the video's before and after: the program that cuts opens it by
    its name.
    """
    library = app_state().library
    try:
        source = library.context.path_of(video)
    except MediaError:
        raise HTTPException(410, translator_of(request)("The file is not there now.")) from None
    before = _open(request, video, source)
    try:
        library.clip(str(video.id), start_s, end_s, path)
        after = _open(request, video, source)
        try:
            if not os.path.sameopenfile(before, after):
                raise HTTPException(
                    410, translator_of(request)("The file is not there now, or has changed.")
                )
        finally:
            os.close(after)
    finally:
        os.close(before)


async def _while_wanted(request: Request, work: Callable[..., None], *values: object) -> None:
    """Runs the work in a thread; when whoever asked hangs up, its programs are killed."""
    if await request.is_disconnected():
        raise HTTPException(GONE_STATUS)
    with abandonable() as abandoned:
        running = asyncio.ensure_future(run_in_threadpool(work, *values))
        while not running.done():
            await asyncio.wait({running}, timeout=LOOK_EVERY_S)
            if not running.done() and await request.is_disconnected():
                abandoned.abandon()
                await asyncio.wait({running})
                running.exception()
                raise HTTPException(GONE_STATUS)
        running.result()


class DescriptorResponse(FileResponse):
    """Serves an open file, by ranges, and closes it: whatever is put at its path meanwhile."""

    def __init__(self, descriptor: int, media_type: str, headers: Mapping[str, str]) -> None:
        self._descriptor = descriptor
        super().__init__(
            f"/dev/fd/{descriptor}",
            media_type=media_type,
            headers=headers,
            stat_result=os.fstat(descriptor),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def unless_refused(message: Message) -> None:
            # A range that cannot be served is answered in words, as any other error.
            if message["type"] == "http.response.start" and message["status"] in (400, 416):
                place = Headers(raw=message["headers"]).get("content-range")
                words = translator_of(HTTPConnection(scope))("The file has no such range.")
                headers = {"Content-Range": place} if place else None
                raise HTTPException(message["status"], words, headers)
            await send(message)

        try:
            await super().__call__(scope, receive, unless_refused)
        finally:
            os.close(self._descriptor)


def find_video(request: Request) -> VideoRow:
    """The video of the request; 404 for an id that is unknown and for one that this user may not
    see, which look the same from outside.
    """
    return visible_video(request, request.path_params["video_id"])


def visible_video(request: Request, video_id: int) -> VideoRow:
    """As `find_video`, of the video with this number."""
    user: User = request.state.user
    unknown = HTTPException(404, translator_of(request)("There is no such video."))
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
