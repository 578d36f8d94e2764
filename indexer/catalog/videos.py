"""Videos and their paths: what is known, what supersedes what, and when a video is ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from indexer.catalog.database.dialect import among, insert_ignoring, storable
from indexer.catalog.tables import SERVED_KEY, STAGES, Chunk, Collection, Path, Video, Work, utc_now
from indexer.errors import CatalogError

_LARGEST_ID = 2**63 - 1  # drivers refuse larger numbers

if TYPE_CHECKING:
    from indexer.media.probe import VideoInfo


@dataclass(frozen=True, slots=True)
class PathStamp:
    """Where bytes were seen, and the size and modification time by which they are recognised
    without reading them.
    """

    root: str
    relative_path: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class KnownPath:
    """A path as it was seen last.

    `content_hash`, `state` and `keys` (served key by stage) are those of the bytes that are there
    now: of `next_video_id` where it is set.
    """

    path_id: int
    video_id: int
    next_video_id: int | None
    size_bytes: int
    mtime_ns: int
    offline: bool
    content_hash: str
    state: str
    keys: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class PathRow:
    path_id: int
    root: str
    relative_path: str
    offline: bool


@dataclass(frozen=True, slots=True)
class VideoRow:
    """`keys`: served key by stage. `paths`: online ones first; of a video that is about to
    supersede, those that wait for it. `collection_language`: empty where it is not known.
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
    state: str
    error: str | None
    keys: Mapping[str, str | None]
    created_at: datetime
    ready_at: datetime | None
    paths: tuple[PathRow, ...]

    @property
    def offline(self) -> bool:
        return all(path.offline for path in self.paths)


@dataclass(frozen=True, slots=True)
class Settled:
    """`state`: of the video, None when it is gone. `served`: stages whose new rows took over now.

    Artefacts of `removed_video_ids` can go after the commit.
    """

    state: str | None
    served: tuple[str, ...] = ()
    removed_video_ids: tuple[int, ...] = ()


def known_paths(s: Session, collection_id: int) -> dict[tuple[str, str], KnownPath]:
    """All paths of a collection by (root, relative path), in one query."""
    now = aliased(Video)
    statement = (
        select(
            Path.root,
            Path.relative_path,
            Path.id,
            Path.video_id,
            Path.next_video_id,
            Path.size_bytes,
            Path.mtime_ns,
            Path.offline,
            now.content_hash,
            now.state,
            now.picture_key,
            now.speech_key,
            now.screen_key,
            now.sound_key,
            now.events_key,
        )
        .join(now, now.id == _newest(Path))
        .where(Path.collection_id == collection_id)
    )
    return {
        (row[0], row[1]): KnownPath(*row[2:10], keys=dict(zip(STAGES, row[10:], strict=True)))  # pyright: ignore[reportArgumentType]
        for row in s.execute(statement)
    }


def _newest(path: type[Path]) -> Any:
    return func.coalesce(path.next_video_id, path.video_id)


def find_by_hash(s: Session, collection_id: int, content_hash: str) -> int | None:
    return s.scalar(
        select(Video.id).where(
            Video.collection_id == collection_id, Video.content_hash == content_hash
        )
    )


def add_video(
    s: Session,
    collection_id: int,
    content_hash: str,
    size_bytes: int,
    info: VideoInfo,
    path: PathStamp,
) -> int:
    """Id of the video with these bytes, added with its path; a second writer of the same bytes gets
    the first one's.
    """
    tracks = info.audio_tracks
    values = {
        "collection_id": collection_id,
        "content_hash": content_hash,
        "size_bytes": size_bytes,
        "duration_s": float(info.duration_s),
        "width": info.width,
        "height": info.height,
        "fps": None if info.fps is None else float(info.fps),
        "codec": info.codec,
        "container": info.container,
        "audio_tracks": len(tracks) if isinstance(tracks, Sized) else int(tracks),
        "rotation": int(info.rotation),
        "recorded_at": info.recorded_at,
        "title": None if info.title is None else storable(info.title),
        "state": "pending",
        "created_at": utc_now(),
    }
    s.execute(insert_ignoring(s, Video, ("collection_id", "content_hash")), values)
    video_id = find_by_hash(s, collection_id, content_hash)
    if video_id is None:
        raise CatalogError(
            "The collection {collection_id} was removed while a video was added to it",
            "Ingest again",
            collection_id=collection_id,
        )
    attach_path(s, video_id, path)
    return video_id


def attach_path(s: Session, video_id: int, stamp: PathStamp) -> None:
    """Notes that the bytes of `video_id` are at `stamp`.

    Where that path led to other bytes, those are served until `settle_video(video_id)` finds this
    video ready.
    """
    collection_id = s.scalar(select(Video.collection_id).where(Video.id == video_id))
    if collection_id is None:
        raise _gone(video_id)
    seen = {
        "size_bytes": stamp.size_bytes,
        "mtime_ns": stamp.mtime_ns,
        "offline": False,
        "seen_at": utc_now(),
    }
    place = {
        "collection_id": collection_id,
        "root": stamp.root,
        "relative_path": stamp.relative_path,
    }
    s.execute(insert_ignoring(s, Path, tuple(place)), {**place, **seen, "video_id": video_id})
    path = s.execute(select(Path.id, Path.video_id).filter_by(**place)).one()
    next_video_id = None if path.video_id == video_id else video_id
    s.execute(update(Path).where(Path.id == path.id).values(**seen, next_video_id=next_video_id))


def set_offline(s: Session, path_ids: Iterable[int], offline: bool) -> None:
    s.execute(update(Path).where(among(s, Path.id, path_ids)).values(offline=offline))


def forget_paths(s: Session, path_ids: Iterable[int]) -> None:
    """Deletes paths of files that moved. A video without any path goes with `remove_orphans`."""
    s.execute(delete(Path).where(among(s, Path.id, path_ids)))


def get_video(s: Session, video_id: int) -> VideoRow:
    """Raises CatalogError when there is no such video."""
    found = _videos(s, Video.id == video_id) if abs(video_id) <= _LARGEST_ID else []
    if not found:
        raise _gone(video_id)
    return found[0]


def is_there(s: Session, video_id: int) -> bool:
    return s.scalar(select(Video.id).where(Video.id == video_id)) is not None


def get_videos(s: Session, video_ids: Iterable[int]) -> dict[int, VideoRow]:
    """Those of the videos that exist, in two queries however many there are."""
    return {video.id: video for video in _videos(s, among(s, Video.id, video_ids))}


def list_videos(
    s: Session, collection_ids: Sequence[int] | None = None, states: Sequence[str] | None = None
) -> list[VideoRow]:
    """Videos in the order in which they were added; None: of all collections, in all states."""
    conditions = []
    if collection_ids is not None:
        conditions.append(among(s, Video.collection_id, collection_ids))
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
    paths: dict[int, list[PathRow]] = {}
    if found:
        order = (Path.offline, Path.id)
        at = (
            select(Path)
            .where(among(s, Path.video_id, [video.id for video, *_ in found]))
            .order_by(*order)
        )
        for path in s.scalars(at):
            paths.setdefault(path.video_id, []).append(
                PathRow(path.id, path.root, path.relative_path, path.offline)
            )
        coming = (
            select(Path)
            .where(among(s, Path.next_video_id, [video.id for video, *_ in found]))
            .order_by(*order)
        )
        for path in s.scalars(coming):
            paths.setdefault(path.next_video_id or 0, []).append(
                PathRow(path.id, path.root, path.relative_path, path.offline)
            )
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
        state=video.state,  # pyright: ignore[reportArgumentType]
        error=video.error,
        keys={stage: getattr(video, f"{stage}_key") for stage in STAGES},
        created_at=video.created_at,
        ready_at=video.ready_at,
        paths=paths,
    )


def fail_video(s: Session, video_id: int, error: str) -> None:
    """Marks the video failed, with a reason for people; chunks that are done stay searchable."""
    s.execute(
        update(Video).where(Video.id == video_id).values(state="failed", error=storable(error))
    )


def remove_video(s: Session, video_id: int) -> None:
    """Deletes the video, its paths and all that was made from it. Raises CatalogError when there is
    no such video.
    """
    lock_video(s, video_id)
    if not s.execute(delete(Video).where(Video.id == video_id)).rowcount:  # pyright: ignore[reportAttributeAccessIssue]
        raise _gone(video_id)


def remove_orphans(s: Session, collection_id: int) -> tuple[int, ...]:
    """Deletes the videos of a collection that no path leads to any more; their ids."""
    led_to = exists().where(or_(Path.video_id == Video.id, Path.next_video_id == Video.id))
    ids = tuple(s.scalars(select(Video.id).where(Video.collection_id == collection_id, ~led_to)))
    s.execute(delete(Video).where(among(s, Video.id, ids)))
    return ids


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


def settle_video(s: Session, video_id: int) -> Settled:
    """What follows from the work that is done: complete keys are served and replace older rows, a
    complete video is ready and supersedes.

    Called after each commit of a chunk and when recovering; repeating it changes nothing.
    """
    video = lock_video(s, video_id)
    if video is None:
        return Settled(None)
    stages = _stages(s, video)
    served = tuple(
        stage
        for stage, it in stages.items()
        if it.complete and it.target != getattr(video, f"{stage}_key")
    )
    for stage in served:
        setattr(video, f"{stage}_key", stages[stage].target)
    for stage, it in stages.items():
        if it.complete and it.stale:
            s.execute(
                delete(Work).where(
                    Work.video_id == video_id, Work.stage == stage, Work.key != it.target
                )
            )
    removed: tuple[int, ...] = ()
    if stages and all(it.complete for it in stages.values()):
        if video.state != "ready":
            video.state, video.error, video.ready_at = "ready", None, utc_now()
        removed = _supersede(s, video)
    elif video.state == "pending" and any(it.started for it in stages.values()):
        video.state = "ingesting"
    s.flush()
    return Settled(video.state, served, removed)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class _StageState:
    """`target` is the key that was planned last; `stale`: there is work under other keys."""

    target: str
    complete: bool
    started: bool
    stale: bool


def _stages(s: Session, video: Video) -> dict[str, _StageState]:
    chunks = s.scalar(select(func.count()).select_from(Chunk).where(Chunk.video_id == video.id))
    counted = (
        select(Work.stage, Work.key, Work.state, func.count())
        .where(Work.video_id == video.id)
        .group_by(Work.stage, Work.key, Work.state)
    )
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for stage, key, state, count in s.execute(counted):
        counts.setdefault(stage, {}).setdefault(key, {})[state] = count
    found: dict[str, _StageState] = {}
    for stage, keys in counts.items():
        target = _target(keys, getattr(video, f"{stage}_key"))
        states = keys[target]
        found[stage] = _StageState(
            target, states.get("done", 0) == chunks, set(states) != {"pending"}, len(keys) > 1
        )
    return found


def _target(keys: Iterable[str], served: str | None) -> str:
    """`plan` leaves at most two keys of a stage: the one that is served and the one that shall be."""
    others = [key for key in keys if key != served]
    return others[0] if others else str(served)


def _supersede(s: Session, video: Video) -> tuple[int, ...]:
    """Paths that waited for this video lead to it now; videos that lost their last path are
    deleted.
    """
    waiting = s.execute(select(Path.id, Path.video_id).where(Path.next_video_id == video.id)).all()
    if not waiting:
        return ()
    s.execute(
        update(Path)
        .where(among(s, Path.id, [row.id for row in waiting]))
        .values(video_id=video.id, next_video_id=None)
    )
    return remove_orphans(s, video.collection_id)


def served_keys(s: Session, stage: str, collection_ids: Sequence[int] | None = None) -> list[str]:
    """Keys of a stage whose rows are served, by how many videos, most first.

    Asked at every search, so it steps over the index from key to key instead of counting all
    videos; only several keys are counted.
    """
    column = SERVED_KEY[stage]
    chosen = [] if collection_ids is None else [among(s, Video.collection_id, collection_ids)]
    served = []
    key = s.scalar(select(func.min(Work.key)).where(Work.stage == stage))
    while key is not None:
        if s.scalar(select(Video.id).where(column == key, *chosen).limit(1)) is not None:
            served.append(key)
        key = s.scalar(select(func.min(Work.key)).where(Work.stage == stage, Work.key > key))
    if len(served) < 2:
        return served
    counted = (
        select(column)
        .where(column.in_(served), *chosen)
        .group_by(column)
        .order_by(func.count().desc(), column)
    )
    return [str(key) for key in s.scalars(counted)]


def _gone(video_id: int) -> CatalogError:
    return CatalogError(
        "There is no video {video_id}", "seekpoint videos lists them", video_id=video_id
    )
