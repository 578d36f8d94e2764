"""Uploads: streamed, limited, checked to be what they say, and never stored under a name that could
lead anywhere.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.admin.uploads import PART_PREFIX, uploads_folder
from indexer.catalog.collections import collection_name
from indexer.catalog.database.text_normalize import normalize
from indexer.catalog.people.uploads import drop_upload, finish_upload, reserve_upload
from indexer.errors import MediaError, SeekpointError, StorageError, UsageError, os_reason
from indexer.formatting import format_bytes
from indexer.media.decode.reader_process import probe_in_process
from indexer.media.formats import VIDEO_SUFFIXES
from indexer.questions.query_pictures import LARGEST_BYTES, keep_picture
from indexer.vectors.durable_files import flush
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator, translator_of
from search_ui.jobs import Job

STEP_BYTES = 4_000_000
LONGEST_NAME_BYTES = 150


def routes() -> list[BaseRoute]:
    """Routes that take files."""
    return [
        Route("/upload", upload, methods=["POST"]),
        Route("/picture", picture, methods=["POST"]),
    ]


async def upload(request: Request) -> Response:
    """The body is the file; its name comes percent-encoded in the header X-File-Name, the
    collection in the query.
    """
    collection = request.query_params.get("collection", "").strip()
    name = unquote(request.headers.get("x-file-name", ""))
    stored, job = await receive_video(request, collection, name)
    return JSONResponse({"name": stored, "job": job.id}, 201)


async def receive_video(request: Request, collection: str, name: str) -> tuple[str, Job]:
    """Takes the body as a file of this name into a collection: the name under which it is kept, and
    the job that reads it. Raises HTTPException.
    """
    user: User = request.state.user
    tr = translator_of(request)
    if not user.can_edit:
        raise HTTPException(403, tr("Viewers cannot add videos."))
    if not await run_in_threadpool(app_state().may_add_to, user, collection):
        raise HTTPException(403, tr("There is no such collection for you."))
    try:
        collection = collection_name(collection)
    except UsageError as error:
        raise HTTPException(422, tr(error.full_message)) from None
    name = safe_name(name)
    if not name:
        raise HTTPException(415, tr("This is not a name of a video file."))
    folder = uploads_folder(app_state().library.context)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    limit_bytes = app_state().settings.ui_upload_max_mb * 1_000_000
    room = _Room(user, folder, tr)
    with tempfile.NamedTemporaryFile(
        dir=folder, prefix=PART_PREFIX, suffix=Path(name).suffix, delete=False
    ) as file:
        part = Path(file.name)
        try:
            await _receive(request, file, limit_bytes, room.take)
            file.flush()
            async with app_state().probe_slots:
                await run_in_threadpool(_check_video, part, name, tr)
            stored = await run_in_threadpool(_store, part, folder, name)
        except BaseException:
            await run_in_threadpool(room.give_back)
            raise
        finally:
            part.unlink(missing_ok=True)
    await run_in_threadpool(room.keep, stored)
    reach = app_state().uploads_reach
    job = await run_in_threadpool(
        lambda: app_state().jobs.ingest([stored], collection, actor=user.actor(), reach=reach)
    )
    return stored.name, job


class _Room:
    """Space for one file: of the person's quota, and of the disk, on which some is left free."""

    def __init__(self, user: User, folder: Path, tr: Translator) -> None:
        self._user, self._folder, self._tr = user, folder, tr
        self._settings = app_state().settings
        self._catalog = app_state().library.catalog
        self._upload_id: int | None = None
        self._taken_bytes = 0

    def take(self, wanted_bytes: int) -> None:
        """Room for so much in all. Raises 507."""
        if wanted_bytes <= self._taken_bytes:
            return
        check_space(self._folder, wanted_bytes - self._taken_bytes, self._tr)
        # Who is at the machine itself has its disk anyway.
        quota_bytes = 0 if self._user.is_local else self._settings.ui_upload_quota_mb * 1_000_000
        try:
            with self._catalog.begin() as session:
                self._upload_id = reserve_upload(
                    session,
                    self._user.account_id,
                    wanted_bytes,
                    quota_bytes,
                    self._upload_id,
                    token_id=self._user.token_id,
                )
        except StorageError as error:
            raise HTTPException(507, self._tr(error.full_message)) from None
        self._taken_bytes = wanted_bytes

    def give_back(self) -> None:
        """The file did not come."""
        if self._upload_id is not None:
            with self._catalog.begin() as session:
                drop_upload(session, self._upload_id)

    def keep(self, stored: Path) -> None:
        """The file is there."""
        if self._upload_id is not None:
            with self._catalog.begin() as session:
                finish_upload(session, self._upload_id, stored.name, stored.stat().st_size)


def check_space(folder: Path, more_bytes: int, tr: Translator) -> None:
    """Raises 507 where so much more would not leave the reserve of the disk."""
    reserve_bytes = app_state().settings.ui_disk_reserve_mb * 1_000_000
    if more_bytes + reserve_bytes > shutil.disk_usage(folder).free:
        raise HTTPException(507, tr("There is no space for this file on the server."))


async def picture(request: Request) -> Response:
    """The body is a picture to ask with; answers with the name under which it is kept."""
    return JSONResponse({"name": await receive_picture(request)}, 201)


async def receive_picture(request: Request) -> str:
    """Takes the body as a picture to ask with: the name under which it is kept. Raises
    HTTPException.
    """
    settings, tr = app_state().settings, translator_of(request)
    folder = settings.artefacts
    folder.mkdir(parents=True, exist_ok=True)
    # Many may come at once, slowly: none of them is in memory before its turn.
    with tempfile.TemporaryFile(dir=folder) as body:
        await _receive(
            request,
            body,
            LARGEST_BYTES,
            lambda wanted_bytes: check_space(folder, wanted_bytes, tr),
        )
        body.seek(0)
        try:
            async with app_state().picture_slots:
                return await run_in_threadpool(lambda: keep_picture(settings, body.read()))
        except SeekpointError as error:
            raise HTTPException(422, tr(error.full_message)) from None


async def _receive(
    request: Request,
    file: IO[bytes],
    limit_bytes: int,
    take: Callable[[int], None] = lambda _: None,
) -> None:
    """`take` is asked for room before it is needed, in steps where nobody said how much comes."""
    tr = translator_of(request)
    too_large = HTTPException(
        413, tr("The file is too large: up to {size} each.", size=format_bytes(limit_bytes))
    )
    declared = request.headers.get("content-length", "")
    declared_bytes = int(declared) if declared.isdecimal() else 0
    if declared_bytes > limit_bytes:
        raise too_large
    await run_in_threadpool(take, declared_bytes)
    written, room_bytes = 0, declared_bytes
    try:
        async for piece in request.stream():
            written += len(piece)
            if written > limit_bytes:
                raise too_large
            if written > room_bytes:
                room_bytes = written + STEP_BYTES
                await run_in_threadpool(take, room_bytes)
            await run_in_threadpool(file.write, piece)
    except ClientDisconnect:
        raise HTTPException(400, tr("The upload was broken off.")) from None
    except OSError as error:
        raise HTTPException(
            507, tr("The server cannot store this file: {reason}", reason=tr(os_reason(error)))
        ) from None


def _check_video(path: Path, name: str, tr: Translator) -> None:
    settings = app_state().settings
    try:
        probe_in_process(
            path, max_pixels=settings.max_frame_pixels, memory_mb=settings.reader_memory_mb
        )
    except MediaError as error:
        reason = tr(error.what).replace(str(path), name)
        raise HTTPException(
            422, tr("This is not a video that can be read: {reason}", reason=reason)
        ) from None


def safe_name(name: str) -> str:
    """The last part of a name without anything that a file system or a terminal takes for more than
    a letter; "" for no video's name.
    """
    last = normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last).strip(" .")
    stem, suffix = os.path.splitext(plain)
    if suffix.lower() not in VIDEO_SUFFIXES or not stem.strip(" ._"):
        return ""
    return stem.encode()[:LONGEST_NAME_BYTES].decode("utf-8", "ignore") + suffix.lower()


def _store(part: Path, folder: Path, name: str) -> Path:
    """Moves the file to its name; one that is taken gets a number. Never over another file. It is
    on the disk then: what is acknowledged must outlive a power cut.
    """
    flush(part)
    stem, suffix = os.path.splitext(name)
    number = 1
    while True:
        stored = folder / (name if number == 1 else f"{stem} ({number}){suffix}")
        try:
            os.link(part, stored)
        except FileExistsError:
            number += 1
        else:
            flush(folder)
            return stored
