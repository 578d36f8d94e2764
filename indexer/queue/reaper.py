"""What lost workers held waits again, and workers are notified of all that waits: Redis may have
forgotten any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from indexer.artefacts import Artefacts
from indexer.catalog.leasing import jobs
from indexer.catalog.leasing.heartbeat import expire_all, list_owners
from indexer.catalog.leasing.owner import dead_owners
from indexer.catalog.leasing.progress import video_seconds_since
from indexer.context import Context
from indexer.ingest.finalize import remove_orphans
from indexer.queue.page_jobs import PageJobs
from indexer.queue.submit import waiting_counts
from indexer.vocabulary import StageName

RESULT_AGE_S = 3600.0
"""Age at which the results of jobs that nobody took are deleted."""


def reap(context: Context, notify: Callable[[Mapping[str, int]], None]) -> int:
    """Requeues what was lost, notifies workers of what waits, deletes old results; how many tasks
    and jobs were requeued or dead-lettered.
    """
    count = requeue_lost(context)
    # Whoever asked may have closed the page, or it may be down.
    page_jobs = PageJobs(context)
    page_jobs.requeue_lost()
    page_jobs.begin_as_worker()
    page_jobs.end_handed_over()
    waiting = waiting_counts(context)
    if _was_anything_done(context):
        waiting["publish"] = 1
    if waiting:
        notify(waiting)
    context.catalog.write(lambda s: jobs.delete_old_results(s, RESULT_AGE_S))
    return count


def requeue_lost(context: Context) -> int:
    """Requeues what workers held that died on this machine, or did not renew; what was tried too
    often is dead-lettered. How many tasks and jobs.
    """
    with context.catalog.read() as session:
        dead = dead_owners(list_owners(session))
    if dead:
        remove_orphans(context.catalog, Artefacts(context.settings.artefacts))
    max_attempts = context.settings.max_attempts
    return context.catalog.write(lambda s: expire_all(s, max_attempts, dead))


def requeue_local_orphans(context: Context) -> int:
    """Requeues at once what workers held that died on this machine; how many tasks and jobs. Cheap
    where none did.
    """
    with context.catalog.read() as session:
        has_orphans = bool(dead_owners(list_owners(session)))
    return requeue_lost(context) if has_orphans else 0


def _was_anything_done(context: Context) -> bool:
    """Since the run before the last: a vector snapshot may be due."""
    age_s = 2 * context.settings.reaper_interval_s
    with context.catalog.read() as session:
        return any(video_seconds_since(session, age_s, stage) for stage in StageName)
