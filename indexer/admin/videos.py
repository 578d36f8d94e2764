"""The videos of a library as people see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from indexer.catalog import collections, videos
from indexer.catalog.video_queries import Filters, find_videos
from indexer.catalog.videos import VideoRow
from indexer.context import Context
from indexer.formatting import video_title
from indexer.messages import Message
from indexer.vocabulary import VideoState


@dataclass(frozen=True, slots=True)
class VideoPath:
    path: str
    offline: bool


@dataclass(frozen=True, slots=True)
class Video:
    """A video as the library shows it; `state` is a `VideoState`, `error` empty where there is
    none.
    """

    video_id: int
    collection: str
    paths: tuple[VideoPath, ...]
    state: str
    error: Message
    duration_s: float
    width: int
    height: int
    size_bytes: int
    title: str | None
    recorded_at: datetime | None

    @property
    def is_partly_read(self) -> bool:
        """All is done, and a part of the file could not be read: `error` says which."""
        return self.state == VideoState.READY and bool(self.error)

    @property
    def shown_title(self) -> str:
        """The title, or what stands for one."""
        return video_title(self.title, self.paths[0].path if self.paths else None, self.video_id)


def list_videos(
    context: Context,
    names: Sequence[str] | None = None,
    *,
    newest: int | None = None,
    named: str = "",
) -> list[Video]:
    """Videos of these collections (None: of all) in the order in which they were added.

    `newest`: at most so many, those added last. `named`: a piece of the title or the file's name,
    in any case of letters. Raises CatalogError for an unknown collection.
    """
    with context.catalog.read_replica() as session:
        ids = collections.find_collections(session, list(names)) if names else None
        if newest is None and not named:
            found = videos.list_videos(session, collection_ids=ids)
        else:
            chosen = find_videos(session, ids, Filters(name=named), newest=newest)
            found = list(videos.get_videos(session, chosen).values())
        return [_to_video(context, video) for video in found]


def videos_of(context: Context, video_ids: Sequence[int]) -> list[Video]:
    """Those of the videos that exist, in the order in which they were added."""
    with context.catalog.read() as session:
        return [_to_video(context, row) for row in videos.get_videos(session, video_ids).values()]


def get_video(context: Context, video_id: int) -> Video:
    """Raises CatalogError for an unknown video."""
    with context.catalog.read() as session:
        return _to_video(context, videos.get_video(session, video_id))


def _to_video(context: Context, video: VideoRow) -> Video:
    paths = tuple(
        VideoPath(context.path_text(path.root, path.relative_path), path.offline)
        for path in video.paths
    )
    return Video(
        video.id,
        video.collection,
        paths,
        video.state,
        video.error or Message(""),
        video.duration_s,
        video.width,
        video.height,
        video.size_bytes,
        video.title,
        video.recorded_at,
    )
