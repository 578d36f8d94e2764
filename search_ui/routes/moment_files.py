"""A list of kept moments as files: its clips in one archive, or joined to one video."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.catalog.people import moment_lists
from indexer.errors import SeekpointError
from indexer.media.output.join import join_clips
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import translator_of
from search_ui.kept_moments import Kept, kept_moments
from search_ui.routes.media import keep_clip_of
from search_ui.routes.upload import check_space

MOST_CLIPS = 100
LONGEST_S = 1800.0


def routes() -> list[BaseRoute]:
    """Routes of lists as files."""
    return [
        Route("/kept/{list_id:int}/clips.zip", archive),
        Route("/kept/{list_id:int}/video.mp4", joined),
    ]


async def archive(request: Request) -> Response:
    """Each moment as a clip, numbered in the order of the list."""
    name, moments = await _wanted(request)

    def pack(clips: Sequence[Path], path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
            for number, (one, clip) in enumerate(zip(moments, clips, strict=True), 1):
                file.write(clip, f"{number:03d} {_plain(one.title)}{clip.suffix}")

    return await _made(request, moments, pack, f"{name}.zip", "application/zip")


async def joined(request: Request) -> Response:
    """One video of all moments, one after the other."""
    name, moments = await _wanted(request)

    def join(clips: Sequence[Path], path: Path) -> None:
        join_clips(clips, path, app_state().settings)

    return await _made(request, moments, join, f"{name}.mp4", "video/mp4")


async def _wanted(request: Request) -> tuple[str, list[Kept]]:
    user: User = request.state.user
    tr = translator_of(request)
    list_id = min(request.path_params["list_id"], 2**62)

    def find() -> tuple[str, list[Kept]] | None:
        with app_state().library.catalog.read() as session:
            found = moment_lists.find_list(session, user.account_id, list_id)
        return found and (found.name or tr("Moments"), kept_moments(list_id, user))

    found = await run_in_threadpool(find)
    if found is None:
        raise HTTPException(404, tr("There is no such list."))
    length_s = sum(one.row.span.length_s for one in found[1])
    if not found[1] or len(found[1]) > MOST_CLIPS or length_s > LONGEST_S:
        limits = {"n": MOST_CLIPS, "minutes": f"{LONGEST_S / 60:g}"}
        raise HTTPException(
            422, tr("Up to {n} moments of {minutes} minutes in all make a file.", **limits)
        )
    return found


async def _made(
    request: Request,
    moments: Sequence[Kept],
    write: Callable[[Sequence[Path], Path], None],
    name: str,
    media_type: str,
) -> Response:
    folder = tempfile.TemporaryDirectory(prefix="seekpoint-kept-")
    path = Path(folder.name) / "file"
    try:
        clips = []
        for number, one in enumerate(moments):
            span = one.row.span
            clip = await keep_clip_of(request, one.video, span.start_s, span.end_s)
            # Of many of one video the first may be gone before the last is cut.
            own = Path(folder.name) / f"{number}{clip.suffix}"
            tr = translator_of(request)
            # Once more in the file that is made of them.
            await run_in_threadpool(check_space, own.parent, 2 * clip.stat().st_size, tr)
            clips.append(await run_in_threadpool(shutil.copyfile, clip, own))
        async with app_state().clip_slots:
            await run_in_threadpool(write, clips, path)
        for own in clips:
            own.unlink()
    except SeekpointError as error:
        folder.cleanup()
        raise HTTPException(500, translator_of(request)(error.full_message)) from None
    except BaseException:
        folder.cleanup()
        raise
    headers = {"Content-Disposition": f"attachment; filename*=utf-8''{quote(_plain(name))}"}
    clean_up = BackgroundTask(folder.cleanup)
    return FileResponse(path, media_type=media_type, headers=headers, background=clean_up)


def _plain(name: str) -> str:
    """A name that no file system and no archive takes for more than a name."""
    kept = "".join(c if c.isprintable() and c not in '/\\<>:"|?*' else "_" for c in name)
    return kept.strip(" .")[:100] or "_"
