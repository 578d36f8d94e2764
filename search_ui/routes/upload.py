"""Uploads: streamed to disk, limited, checked to be video, and never stored under a name that could lead anywhere."""

from __future__ import annotations

import os
import shutil
import tempfile
import unicodedata
from pathlib import Path
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.errors import MediaError
from indexer.files import VIDEO_SUFFIXES
from indexer.media.probe import probe
from search_ui.site import site
from search_ui.viewer import Viewer

SPARE_BYTES = 200_000_000
LONGEST_NAME_BYTES = 150


def routes() -> list[BaseRoute]:
    return [Route("/upload", upload, methods=["POST"])]


async def upload(request: Request) -> Response:
    """The body is the file; its name comes percent-encoded in the header X-File-Name, the collection in the query."""
    viewer: Viewer = request.state.viewer
    if not viewer.can_edit:
        raise HTTPException(403, "Viewers cannot add videos")
    collection = request.query_params.get("collection", "").strip()
    if not await run_in_threadpool(site().may_add_to, viewer, collection):
        raise HTTPException(403, "There is no such collection for you")
    name = safe_name(unquote(request.headers.get("x-file-name", "")))
    folder = site().settings.home_path / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    _check_size(int(request.headers.get("content-length") or 0), folder)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".upload-", suffix=Path(name).suffix, delete=False) as file:
        part = Path(file.name)
        try:
            await _receive(request, file)
            file.flush()
            await run_in_threadpool(_check_video, part)
            kept = _keep(part, folder, name)
        finally:
            part.unlink(missing_ok=True)
    job = site().jobs.ingest([kept], collection)
    return JSONResponse({"name": kept.name, "job": job.id}, 201)


async def _receive(request: Request, file) -> None:
    limit = _limit_bytes()
    written = 0
    try:
        async for piece in request.stream():
            written += len(piece)
            if written > limit:
                raise HTTPException(413, f"The file is larger than {site().settings.ui_upload_max_mb} MB")
            await run_in_threadpool(file.write, piece)
    except ClientDisconnect:
        raise HTTPException(400, "The upload was broken off") from None
    except OSError as error:
        raise HTTPException(507, f"The file cannot be stored: {error.strerror}") from None


def _limit_bytes() -> int:
    return site().settings.ui_upload_max_mb * 1_000_000


def _check_size(announced: int, folder: Path) -> None:
    if announced > _limit_bytes():
        raise HTTPException(413, f"The file is larger than {site().settings.ui_upload_max_mb} MB")
    if announced + SPARE_BYTES > shutil.disk_usage(folder).free:
        raise HTTPException(507, "There is no space for this file")


def _check_video(path: Path) -> None:
    try:
        probe(path)
    except MediaError as error:
        message = error.message.replace(str(path), "the file")
        raise HTTPException(422, f"This is not a video that can be read: {message}") from None


def safe_name(name: str) -> str:
    """The last part of a name without anything that a file system or a terminal takes for more than a letter; 415 for no video's suffix."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last).strip(" .")
    stem, suffix = os.path.splitext(plain)
    if suffix.lower() not in VIDEO_SUFFIXES or not stem.strip(" ._"):
        raise HTTPException(415, "This is not a name of a video file")
    return stem.encode()[:LONGEST_NAME_BYTES].decode("utf-8", "ignore") + suffix.lower()


def _keep(part: Path, folder: Path, name: str) -> Path:
    """Moves the file to its name; one that is taken gets a number. Never over another file."""
    stem, suffix = os.path.splitext(name)
    number = 1
    while True:
        kept = folder / (name if number == 1 else f"{stem} ({number}){suffix}")
        try:
            os.link(part, kept)
        except FileExistsError:
            number += 1
        else:
            return kept
