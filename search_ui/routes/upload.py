"""Uploads: streamed, limited, checked to be what they say, and never stored under a name that could
lead anywhere.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import unicodedata
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from PIL import Image, UnidentifiedImageError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.errors import MediaError
from indexer.media.formats import VIDEO_SUFFIXES
from indexer.media.probe import probe
from indexer.questions.query_pictures import LARGEST_BYTES, keep_picture
from search_ui.app_state import site
from search_ui.strings import Texts, texts_of
from search_ui.user import Viewer

SPARE_BYTES = 200_000_000
LONGEST_NAME_BYTES = 150


def routes() -> list[BaseRoute]:
    return [
        Route("/upload", upload, methods=["POST"]),
        Route("/picture", picture, methods=["POST"]),
    ]


async def upload(request: Request) -> Response:
    """The body is the file; its name comes percent-encoded in the header X-File-Name, the
    collection in the query.
    """
    viewer: Viewer = request.state.viewer
    texts = texts_of(request)
    if not viewer.can_edit:
        raise HTTPException(403, texts("upload.viewer"))
    collection = request.query_params.get("collection", "").strip()
    if not await run_in_threadpool(site().may_add_to, viewer, collection):
        raise HTTPException(403, texts("upload.collection"))
    name = safe_name(unquote(request.headers.get("x-file-name", "")))
    if not name:
        raise HTTPException(415, texts("upload.name"))
    folder = site().settings.home_path / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    if (
        int(request.headers.get("content-length") or 0) + SPARE_BYTES
        > shutil.disk_usage(folder).free
    ):
        raise HTTPException(507, texts("upload.space"))
    with tempfile.NamedTemporaryFile(
        dir=folder, prefix=".upload-", suffix=Path(name).suffix, delete=False
    ) as file:
        part = Path(file.name)
        try:
            await _receive(request, file, site().settings.ui_upload_max_mb * 1_000_000)
            file.flush()
            await run_in_threadpool(_check_video, part, texts)
            kept = _keep(part, folder, name)
        finally:
            part.unlink(missing_ok=True)
    job = site().jobs.ingest([kept], collection)
    return JSONResponse({"name": kept.name, "job": job.id}, 201)


async def picture(request: Request) -> Response:
    """The body is a picture to ask with; answers with the name under which it is kept."""
    body = io.BytesIO()
    await _receive(request, body, LARGEST_BYTES)
    try:
        name = await run_in_threadpool(lambda: keep_picture(site().settings, Image.open(body)))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        raise HTTPException(422, texts_of(request)("picture.bad")) from None
    return JSONResponse({"name": name}, 201)


async def _receive(request: Request, file: IO[bytes], limit_bytes: int) -> None:
    texts = texts_of(request)
    too_large = HTTPException(413, texts("upload.too_large", size=size_text(limit_bytes)))
    if int(request.headers.get("content-length") or 0) > limit_bytes:
        raise too_large
    written = 0
    try:
        async for piece in request.stream():
            written += len(piece)
            if written > limit_bytes:
                raise too_large
            await run_in_threadpool(file.write, piece)
    except ClientDisconnect:
        raise HTTPException(400, texts("upload.broken")) from None
    except OSError as error:
        raise HTTPException(507, texts("upload.disk", reason=error.strerror)) from None


def _check_video(path: Path, texts: Texts) -> None:
    try:
        probe(path)
    except MediaError as error:
        reason = texts.said(error.message.replace(str(path), path.suffix))
        raise HTTPException(422, texts("upload.no_video", reason=reason)) from None


def safe_name(name: str) -> str:
    """The last part of a name without anything that a file system or a terminal takes for more than
    a letter; "" for no video's name.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last).strip(" .")
    stem, suffix = os.path.splitext(plain)
    if suffix.lower() not in VIDEO_SUFFIXES or not stem.strip(" ._"):
        return ""
    return stem.encode()[:LONGEST_NAME_BYTES].decode("utf-8", "ignore") + suffix.lower()


def size_text(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:g} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


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
