"""What the library holds and what it costs."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.catalog import rows, videos, work

if TYPE_CHECKING:
    from indexer.library import Library, Status


def status(library: Library) -> Status:
    from indexer.library import Status

    with library.catalog.read() as session:
        usage = rows.usage(session)
        progress = work.progress(session)
        listed = videos.list_videos(session)
    disk = {
        "catalog": usage.database_bytes,
        "snapshots": folder_bytes(library.settings.snapshots),
        "thumbnails and proxies": library.artefacts.size_bytes(),
    }
    names = {"done": "done", "running": "running", "waiting": "pending", "failed": "failed"}
    chunks = {name: sum(getattr(stage, state) for stage in progress.stages.values()) for name, state in names.items()}
    per_hour = sum(disk.values()) / usage.video_s * 3600 if usage.video_s else None
    return Status(
        home=library.settings.home_path,
        videos=dict(Counter(video.state for video in listed)),
        chunks={state: count for state, count in chunks.items() if count},
        video_s=usage.video_s,
        segments=usage.segments,
        disk_bytes=disk,
        bytes_per_hour=per_hour,
        errors=tuple(f"video {video.id}: {video.error}" for video in listed if video.error),
    )


def folder_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:
                continue  # replaced while we were counting
    return total
