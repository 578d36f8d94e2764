"""Files that people uploaded, and those of them that a crash left without a row."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from indexer.catalog import videos
from indexer.catalog.leasing import page_jobs
from indexer.catalog.people.uploads import forget_uploads
from indexer.catalog.video_paths import list_paths_below
from indexer.context import Context
from indexer.media.formats import VIDEO_SUFFIXES

PART_PREFIX = ".upload-"
"""Of the names of files that are still being received."""


def uploads_folder(context: Context) -> Path:
    """Where uploads are kept, whether it is there or not."""
    return context.settings.uploads


def list_stray_uploads(context: Context) -> list[Path]:
    """Uploaded files that belong to no video and wait in no job, by name."""
    folder = uploads_folder(context).absolute()
    root, relative_folder = context.roots.split(folder)
    # Before the catalog is read: a file that comes meanwhile is not looked for.
    files = _videos_in(folder)
    if not files:
        return []
    with context.catalog.read() as session:
        known = list_paths_below(session, root, relative_folder)
        waiting = {
            path
            for job in page_jobs.list_page_jobs(session, only_open=True)
            for path in job.details.get("paths", ())
        }
    return [
        path
        for path in files
        if f"{relative_folder}/{path.name}" not in known and str(path) not in waiting
    ]


def delete_old_parts(context: Context, age_s: float) -> int:
    """Deletes what is left of uploads that were broken off by a crash so long ago; how many."""
    before = time.time() - age_s
    count = 0
    for path in uploads_folder(context).glob(f"{PART_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # its upload ended meanwhile
            if path.stat().st_mtime < before:
                path.unlink()
                count += 1
    return count


def _videos_in(folder: Path) -> list[Path]:
    """Without parts of uploads that are on their way, whose names begin with a dot."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in VIDEO_SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
    )


def delete_uploads(context: Context, video_ids: Sequence[int]) -> None:
    """Deletes the uploaded files of these videos, from the disk and from what their owners keep;
    files elsewhere stay. Raises CatalogError.
    """
    folder = uploads_folder(context).absolute()
    with context.catalog.read() as session:
        found = [videos.get_video(session, video_id) for video_id in video_ids]
    paths = [
        context.roots.join(path.root, path.relative_path)
        for video in found
        for path in video.paths
        if path.root in context.roots.folders
    ]
    names = [path.name for path in paths if path.parent == folder]
    for name in names:
        (folder / name).unlink(missing_ok=True)
    with context.catalog.begin() as session:
        forget_uploads(session, names)


def has_uploads(context: Context, video_ids: Sequence[int]) -> bool:
    """Whether one of the videos was uploaded."""
    root, relative_folder = context.roots.split(uploads_folder(context).absolute())
    with context.catalog.read() as session:
        found = [videos.get_video(session, video_id) for video_id in video_ids]
    return any(
        path.root == root and path.relative_path.rpartition("/")[0] == relative_folder
        for video in found
        for path in video.paths
    )
