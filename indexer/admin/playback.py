"""What a browser is given of a video: the file itself, its proxy, or that one has to be made."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from indexer.artefacts import SHARED_FILE
from indexer.catalog import videos
from indexer.catalog.video_paths import PathRow
from indexer.catalog.videos import VideoRow
from indexer.context import Context
from indexer.errors import MediaError
from indexer.media.output.proxy import make_proxy, plays_in_browsers
from indexer.paths import Reach, printable

CLOCK_GRAIN_NS = 2_000_000_000
"""Other mounts of the same file round its time, the coarsest (FAT) to 2 s."""


@dataclass(frozen=True, slots=True)
class Playback:
    """`wait`: a proxy has to be made first; `gone`: the file is not there and there is no proxy."""

    state: Literal["ready", "wait", "gone"]
    path: Path | None = None
    media_type: str = "video/mp4"


def playback(context: Context, video_id: int) -> Playback:
    """Raises CatalogError for an unknown video."""
    with context.catalog.read() as session:
        video = videos.get_video(session, video_id)
    return playback_of(context, video)


def playback_of(context: Context, video: VideoRow) -> Playback:
    """What a browser is given of a video whose row is known."""
    proxy = proxy_path(context, video.id)
    if proxy.exists():
        return Playback("ready", proxy)
    try:
        path = context.path_of(video)
        plays = _plays(path, path.stat().st_mtime_ns, context.settings.reader_memory_mb)
    except (MediaError, OSError):
        return Playback("gone")
    return (
        Playback("ready", path, "video/webm" if video.container == "matroska,webm" else "video/mp4")
        if plays
        else Playback("wait")
    )


def open_for_playing(context: Context, video: VideoRow, path: Path, reach: Reach) -> int:
    """A descriptor of the video's own file or of one of its artefacts, after it was checked: it is
    a regular file within `reach`, and still the bytes that were read. The caller closes it.

    Raises MediaError, OSError.
    """
    if path.is_relative_to(context.artefacts.root):
        return Reach.of([context.artefacts.root]).open(path)
    # Where the file was named no link leads astray; where one leads, it must be into `reach`.
    own = reach if reach.within is None else replace(reach, within=(*reach.within, path))
    descriptor = own.open(path)
    state = os.fstat(descriptor)
    for seen in video.paths:
        is_this = context.path_text(seen.root, seen.relative_path) == str(path)
        if is_this and is_as_read(state, seen):
            return descriptor
    os.close(descriptor)
    raise MediaError(
        "{path} is not what was read any more", "ingest it again", path=printable(path)
    )


def is_as_read(state: os.stat_result, seen: PathRow) -> bool:
    """Whether a file has the size and the time that it was read with; another one is not played."""
    moved_ns = abs(state.st_mtime_ns - seen.mtime_ns)
    return state.st_size == seen.size_bytes and moved_ns <= CLOCK_GRAIN_NS


def proxy_path(context: Context, video_id: int) -> Path:
    """Where the copy for browsers is kept, whether it is there or not."""
    return context.artefacts.video_folder(video_id) / "proxy.mp4"


def make_proxy_of(context: Context, video_id: int, progress: Callable[[float], None]) -> None:
    """Does nothing where it is there already."""
    with context.catalog.read() as session:
        path = context.path_of(videos.get_video(session, video_id))
    proxy = proxy_path(context, video_id)
    if not proxy.exists():
        make_proxy(path, proxy, context.settings, progress)
        proxy.chmod(SHARED_FILE)


@lru_cache(maxsize=4096)
def _plays(path: Path, mtime_ns: int, memory_mb: int) -> bool:
    """Every range that a player asks for needs to know, so files are looked into once."""
    del mtime_ns
    return plays_in_browsers(path, memory_mb=memory_mb)
