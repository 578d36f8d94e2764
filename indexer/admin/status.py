"""What the library holds and what it costs."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from indexer.catalog import videos
from indexer.catalog.database.usage import measure_usage
from indexer.catalog.leasing import chunk_tasks, jobs
from indexer.catalog.leasing.processes import list_live
from indexer.catalog.leasing.progress import Progress, get_progress, video_seconds_since
from indexer.catalog.tables.base import utc_now
from indexer.context import Context
from indexer.errors import QueueError
from indexer.ingest.served_models import ServedModel, count_served, list_others
from indexer.messages import Message
from indexer.queue.notify import Notifier

SPEED_OVER_S = 60.0


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What waits for workers, by kind (stages of chunks; files to plan; questions to ground), from
    the catalog.

    `speed`: seconds of video whose pictures were done in a second, over the last minute.
    `live_workers`: those that report that they live.
    `oldest_s`: since when the chunk waits that has waited longest. `workers`: who holds how many of
    those. `hints` wait in the broker; None: there is none, or it is away (`broker` says).
    """

    waiting: dict[str, int]
    speed: float
    oldest_s: float | None
    workers: dict[str, int]
    hints: int | None
    broker: str
    live_workers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """`bytes_per_hour`: all that the index takes on disk, per hour of video; None while there is no
    video. `queue`: what waits. `models`: what the library is served with; `others`: processes that
    plan with another embedder.
    """

    home: Path
    videos: dict[str, int]
    chunks: dict[str, int]
    video_s: float
    segments: int
    disk_bytes: dict[str, int]
    bytes_per_hour: float | None
    errors: tuple[Message, ...]
    queue: QueueStatus
    models: tuple[ServedModel, ...] = ()
    others: tuple[str, ...] = ()


def status(context: Context) -> Status:
    """All from one state of the catalog: work that goes from one place to the next in the meantime
    is counted once.
    """
    hints, broker = _broker(context)
    with context.catalog.read() as session:
        usage = measure_usage(session)
        progress = get_progress(session)
        listed = videos.list_videos(session)
        failed = jobs.list_errors(session)
        queue = _queue(session, progress, hints, broker)
        others = tuple(process.owner for process in list_others(session))
    disk = {
        "catalog": usage.database_bytes,
        "snapshots": folder_bytes(context.settings.snapshots),
        "thumbnails and proxies": context.artefacts.size_bytes(),
        "uploads": folder_bytes(context.settings.uploads),
    }
    names = {"done": "done", "running": "running", "waiting": "pending", "failed": "failed"}
    chunks = {
        name: sum(getattr(stage, state) for stage in progress.stages.values())
        for name, state in names.items()
    }
    index_bytes = sum(disk.values()) - disk["uploads"]
    per_hour = index_bytes / usage.video_s * 3600 if usage.video_s else None
    return Status(
        home=context.settings.home_path,
        videos=dict(Counter(video.state for video in listed)),
        chunks={state: count for state, count in chunks.items() if count},
        video_s=usage.video_s,
        segments=usage.segments,
        disk_bytes=disk,
        bytes_per_hour=per_hour,
        errors=(
            *(
                Message(
                    "video {video_id}: {error}",
                    {"video_id": video.id, "error": Message.from_json(video.error)},
                )
                for video in listed
                if video.error
            ),
            *(
                Message("{name}: {error}", {"name": name, "error": Message.from_json(error)})
                for name, error in failed
            ),
        ),
        queue=queue,
        models=count_served(listed),
        others=others,
    )


def _queue(session: Session, progress: Progress, hints: int | None, broker: str) -> QueueStatus:
    job_counts = jobs.count_jobs(session)
    times = [progress.oldest_waiting, *(job.oldest for job in job_counts.values())]
    oldest = min((time for time in times if time is not None), default=None)
    return QueueStatus(
        waiting={
            **{name: stage.pending for name, stage in progress.stages.items() if stage.pending},
            **{kind: job.pending for kind, job in job_counts.items() if job.pending},
        },
        speed=video_seconds_since(session, SPEED_OVER_S) / SPEED_OVER_S,
        oldest_s=None if oldest is None else max(0.0, (utc_now() - oldest).total_seconds()),
        workers=dict(
            Counter(chunk_tasks.queue.owners(session)) + Counter(jobs.queue.owners(session))
        ),
        hints=hints,
        broker=broker,
        live_workers=tuple(process.owner for process in list_live(session, "worker")),
    )


def _broker(context: Context) -> tuple[int | None, str]:
    if not context.settings.broker_url:
        return None, ""
    notifier = Notifier(context.settings)
    try:
        return sum(notifier.depths().values()), notifier.shown_url
    except QueueError as error:
        return None, str(error)


def folder_bytes(folder: Path) -> int:
    """Size of all files below a folder; 0 where it is not there."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:
                continue  # replaced while we were counting
    return total
