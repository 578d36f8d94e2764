"""Videos: the content of files, and what is known about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import count_changed, in_values, insert_or_ignore
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import SERVED_KEY, Collection, Path, Video
from indexer.catalog.video_paths import (
    PathRow,
    PathStamp,
    attach_path,
    get_paths,
    no_such_video,
)
from indexer.errors import CatalogError
from indexer.messages import Message
from indexer.vocabulary import VideoState

_LARGEST_ID = 2**63 - 1  # drivers refuse larger numbers

if TYPE_CHECKING:
    from indexer.video_info import VideoInfo


@dataclass(frozen=True, slots=True)
class VideoRow:
    """`keys`: served key by stage. `error`: why it failed. `paths`: online ones first; of a video
    that is about to supersede another, those that wait for it. `collection_language`: empty where
    it is not known.
    """

    id: int
    collection_id: int
    collection: str
    collection_language: str
    content_hash: str
    size_bytes: int
    duration_s: float
    width: int
    height: int
    fps: float | None
    codec: str
    container: str
    audio_tracks: int
    rotation: int
    recorded_at: datetime | None
    title: str | None
    state: VideoState
    error: Message | None
    keys: Mapping[str, str | None]
    created_at: datetime
    ready_at: datetime | None
    paths: tuple[PathRow, ...]

    @property
    def offline(self) -> bool:
        """None of its files is there."""
        return all(path.offline for path in self.paths)


def add_video(
    s: Session,
    collection_id: int,
    content_hash: str,
    size_bytes: int,
    info: VideoInfo,
    path: PathStamp,
) -> int:
    """Id of the video with these bytes, added with its path; a second writer of the same bytes gets
    the first one's. Raises CatalogError where the collection is gone.
    """
    values = {
        "collection_id": collection_id,
        "content_hash": content_hash,
        "size_bytes": size_bytes,
        "state": VideoState.PENDING,
        "created_at": utc_now(),
        **_info_values(info),
    }
    s.execute(insert_or_ignore(s, Video, ("collection_id", "content_hash")), values)
    video_id = find_by_hash(s, collection_id, content_hash)
    if video_id is None:
        raise CatalogError(
            "the collection {collection_id} was removed while a video was added to it",
            "ingest again",
            collection_id=collection_id,
        )
    attach_path(s, video_id, path)
    return video_id


def _info_values(info: VideoInfo) -> dict[str, Any]:
    tracks = info.audio_tracks
    return {
        "duration_s": float(info.duration_s),
        "width": info.width,
        "height": info.height,
        "fps": None if info.fps is None else float(info.fps),
        "codec": info.codec,
        "container": info.container,
        "audio_tracks": len(tracks) if isinstance(tracks, Sized) else int(tracks),
        "rotation": int(info.rotation),
        "recorded_at": info.recorded_at,
        "title": None if info.title is None else sanitize_text(info.title),
    }


def find_by_hash(s: Session, collection_id: int, content_hash: str) -> int | None:
    """Id of the video of a collection with these bytes."""
    return s.scalar(
        select(Video.id).where(
            Video.collection_id == collection_id, Video.content_hash == content_hash
        )
    )


def get_video(s: Session, video_id: int) -> VideoRow:
    """Raises CatalogError when there is no such video."""
    found = _videos(s, Video.id == video_id) if abs(video_id) <= _LARGEST_ID else []
    if not found:
        raise no_such_video(video_id)
    return found[0]


def all_ids(s: Session) -> set[int]:
    """Of the videos of all collections."""
    return set(s.scalars(select(Video.id)))


def video_exists(s: Session, video_id: int) -> bool:
    """Whether the video has not been removed."""
    return s.scalar(select(Video.id).where(Video.id == video_id)) is not None


def get_videos(s: Session, video_ids: Iterable[int]) -> dict[int, VideoRow]:
    """Those of the videos that exist, by id, in three queries however many there are."""
    return {video.id: video for video in _videos(s, in_values(s, Video.id, video_ids))}


def list_videos(
    s: Session, collection_ids: Sequence[int] | None = None, states: Sequence[str] | None = None
) -> list[VideoRow]:
    """Videos in the order in which they were added; None: of all collections, in all states."""
    conditions = []
    if collection_ids is not None:
        conditions.append(in_values(s, Video.collection_id, collection_ids))
    if states is not None:
        conditions.append(Video.state.in_(states))
    return _videos(s, *conditions)


def _videos(s: Session, *conditions: Any) -> list[VideoRow]:
    statement = (
        select(Video, Collection.name, Collection.language)
        .join(Collection, Collection.id == Video.collection_id)
        .where(*conditions)
        .order_by(Video.id)
    )
    found = s.execute(statement).all()
    paths = get_paths(s, [video.id for video, *_ in found]) if found else {}
    return [
        _video_row(video, name, language or "", tuple(paths.get(video.id, ())))
        for video, name, language in found
    ]


def _video_row(
    video: Video, collection: str, language: str, paths: tuple[PathRow, ...]
) -> VideoRow:
    return VideoRow(
        id=video.id,
        collection_id=video.collection_id,
        collection=collection,
        collection_language=language,
        content_hash=video.content_hash,
        size_bytes=video.size_bytes,
        duration_s=video.duration_s,
        width=video.width,
        height=video.height,
        fps=video.fps,
        codec=video.codec,
        container=video.container,
        audio_tracks=video.audio_tracks,
        rotation=video.rotation,
        recorded_at=video.recorded_at,
        title=video.title,
        state=video.state,
        error=video.error,
        keys={stage: getattr(video, column.key) for stage, column in SERVED_KEY.items()},
        created_at=video.created_at,
        ready_at=video.ready_at,
        paths=paths,
    )


def lock_video(s: Session, video_id: int) -> Video | None:
    """The row of a video, locked until the transaction ends, so that of two writers that finish its
    chunks one sees the other's.
    """
    statement = (
        select(Video)
        .where(Video.id == video_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return s.scalar(statement)


def remove_video(s: Session, video_id: int) -> None:
    """Deletes the video, its paths and all that was made from it. Raises CatalogError when there is
    no such video.
    """
    lock_video(s, video_id)
    if not count_changed(s, delete(Video).where(Video.id == video_id)):
        raise no_such_video(video_id)


def remove_orphans(s: Session, collection_id: int) -> tuple[int, ...]:
    """Deletes the videos of a collection that no path leads to any more; their ids."""
    leads_to = exists().where(or_(Path.video_id == Video.id, Path.next_video_id == Video.id))
    ids = tuple(s.scalars(select(Video.id).where(Video.collection_id == collection_id, ~leads_to)))
    s.execute(delete(Video).where(in_values(s, Video.id, ids)))
    return ids
