"""Failed work is tried again, here or by workers; waiting work is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.catalog import videos
from indexer.catalog.leasing import chunk_tasks, jobs
from indexer.catalog.videos import VideoRow
from indexer.context import Context
from indexer.errors import MediaError
from indexer.ingest.run import Ingest, Observer
from indexer.messages import Message, with_advice
from indexer.queue.notify import Notifier
from indexer.queue.submit import waiting_counts
from indexer.vocabulary import JobKind, VideoState


@dataclass(frozen=True, slots=True)
class Retried:
    """How many videos and chunks were tried again, how many videos are ready, and what failed."""

    videos: int
    chunks: int
    ready: int
    errors: tuple[Message, ...]


def retry(
    context: Context, video_ids: Sequence[int] | None = None, observer: Observer | None = None
) -> Retried:
    """Does failed chunks again, of these videos or of all; where workers are configured, they do.

    Raises CatalogError for an unknown video, QueueError where workers cannot be notified.
    """
    if context.settings.broker_url:
        return _retry_by_workers(context, video_ids)
    with context.catalog.begin() as session:
        failed = _failed_videos(session, video_ids)
        chunks = chunk_tasks.retry_tasks(session, [v.id for v in failed if context.find_path(v)])
    errors: list[Message] = []
    ready = 0
    stages = context.stages() if failed else []
    for video in failed:
        try:
            path = context.path_of(video)
        except MediaError as error:
            errors.append(error.full_message)
            continue
        ingest = Ingest(context.catalog, context.settings, stages, observer)
        report = ingest.run([path], video.collection)
        errors += [with_advice(failure.error, failure.hint) for failure in report.failures]
        ready += not report.failures
    return Retried(len(failed), chunks, ready, tuple(errors))


def cancel(context: Context, video_ids: Sequence[int] | None = None) -> int:
    """Drops waiting chunks, and files that wait to be planned where no videos are named; the
    number of both.
    """
    with context.catalog.begin() as session:
        if video_ids is not None:
            ids = [videos.get_video(session, video_id).id for video_id in video_ids]
            return chunk_tasks.cancel_tasks(session, ids)
        ids = [video.id for video in videos.list_videos(session)]
        return jobs.cancel_jobs(session, JobKind.PLAN) + chunk_tasks.cancel_tasks(session, ids)


def _failed_videos(session, video_ids: Sequence[int] | None) -> list[VideoRow]:
    named = None
    if video_ids is not None:
        named = {videos.get_video(session, video_id).id for video_id in video_ids}
    failed = videos.list_videos(session, states=[VideoState.FAILED])
    return [video for video in failed if named is None or video.id in named]


def _retry_by_workers(context: Context, video_ids: Sequence[int] | None) -> Retried:
    """Failed chunks, and files that could not be planned where no videos are named, wait for
    workers again.
    """
    notifier = Notifier(context.settings)
    with context.catalog.begin() as session:
        failed = [video.id for video in _failed_videos(session, video_ids)]
        chunks = chunk_tasks.retry_tasks(session, failed)
        chunks += jobs.retry_jobs(session, None if video_ids is None else failed)
    notifier.notify(waiting_counts(context))
    return Retried(len(failed), chunks, 0, ())
