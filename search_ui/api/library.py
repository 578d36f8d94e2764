"""The library as a whole: its collections and videos, what waits, whether it can answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request

from indexer.admin.uploads import delete_uploads
from indexer.admin.videos import Video
from indexer.catalog.collections import CollectionInfo
from indexer.catalog.video_queries import find_videos
from search_ui.api.filters import VideoFilters
from search_ui.api.rights import (
    LARGEST_ID,
    CurrentUser,
    VisibleVideo,
    chosen_collections,
    require_all,
    require_editor,
)
from search_ui.api.values import Health, LibraryStatus, RemovedItem, VideoPage
from search_ui.app_state import app_state
from search_ui.i18n.translator import translator_of

router = APIRouter(tags=["library"])


@router.get("/collections")
def list_collections(user: CurrentUser) -> list[CollectionInfo]:
    """The collections that you may see."""
    return user.visible(app_state().library.collections())


@router.get("/videos")
def list_videos(
    request: Request,
    user: CurrentUser,
    filters: VideoFilters,
    collection: Annotated[list[str] | None, Query(max_length=100)] = None,
    sha256: Annotated[
        str, Query(pattern="^([0-9a-f]{64})?$", description="Of the whole file, in hexadecimal")
    ] = "",
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> VideoPage:
    """Videos in the order in which they were added, page by page."""
    filters = replace(filters, content_hash=sha256)
    chosen = chosen_collections(request, user, collection or ())
    library = app_state().library
    with library.catalog.read_replica() as session:
        ids = find_videos(session, None if chosen is None else list(chosen), filters)
    found = library.videos_of(ids[offset : offset + limit])
    more = offset + limit if len(ids) > offset + limit else None
    return VideoPage(found, len(ids), more)


@router.get("/videos/{video_id}")
def get_video(video: VisibleVideo) -> Video:
    """What is known about a video."""
    return app_state().library.video(video.id)


@router.delete("/videos/{video_id}")
def remove_video(
    request: Request,
    user: CurrentUser,
    video: VisibleVideo,
    files: Annotated[
        bool, Query(description="Delete the file too, where it was uploaded; others stay")
    ] = False,
) -> RemovedItem:
    """Takes a video out of the library; it is not searchable any more."""
    require_editor(request, user)
    library = app_state().library
    if files:
        delete_uploads(library.context, [video.id])
    removed = library.remove(video_ids=[video.id], actor=user.actor())
    return RemovedItem(list(removed.video_ids), removed.freed_bytes)


@router.delete("/collections/{collection_id}")
def remove_collection(
    request: Request,
    user: CurrentUser,
    collection_id: Annotated[int, Path(ge=0, le=LARGEST_ID)],
) -> RemovedItem:
    """Takes a collection with all its videos out of the library; their files stay."""
    chosen = chosen_collections(request, user, ())
    library = app_state().library
    if chosen is None:
        chosen = {one.id: one.name for one in library.collections()}
    if collection_id not in chosen:
        raise HTTPException(404, translator_of(request)("There is no such collection."))
    require_editor(request, user)
    removed = library.remove(collections=[chosen[collection_id]], actor=user.actor())
    return RemovedItem(list(removed.video_ids), removed.freed_bytes)


@router.get("/status")
def get_status(request: Request, user: CurrentUser) -> LibraryStatus:
    """What the library holds and what waits; for those who may see all collections."""
    tr = translator_of(request)
    require_all(request, user)
    status = app_state().library.status()
    return LibraryStatus(
        videos=status.videos,
        chunks=status.chunks,
        video_s=status.video_s,
        segments=status.segments,
        disk_bytes=status.disk_bytes,
        bytes_per_hour=status.bytes_per_hour,
        waiting=status.queue.waiting,
        speed=status.queue.speed,
        oldest_s=status.queue.oldest_s,
        workers=list(status.queue.live_workers),
        errors=[tr(error) for error in status.errors],
    )


@router.get("/health")
def get_health() -> Health:
    """Whether the catalog can be reached; needs no token."""
    app_state().library.catalog.ping()
    return Health(ok=True)
