"""Files that people uploaded, and those of them that a crash left without a row."""

from __future__ import annotations

from pathlib import Path

from indexer.catalog.leasing import page_jobs
from indexer.catalog.video_paths import list_paths_below
from indexer.context import Context
from indexer.media.formats import VIDEO_SUFFIXES


def uploads_folder(context: Context) -> Path:
    """Where uploads are kept, whether it is there or not."""
    return context.settings.home_path / "uploads"


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
