"""Progress counts chunk tasks."""

from __future__ import annotations

import numpy as np

from indexer.catalog import Catalog
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.progress import StageProgress, get_progress
from tests.indexer.catalog import support

PICTURE = ["picture"]


def take(
    catalog: Catalog, owner: str = "me", lease_s: float = 60, **options
) -> chunk_tasks.ClaimedTask:
    with catalog.begin() as s:
        item = chunk_tasks.claim_task(s, owner, lease_s, PICTURE, **options)
    assert item is not None
    return item


def test_progress_counts_tasks_and_seconds(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=4)
    support.do_one(catalog, video_id, rng)
    take(catalog)
    with catalog.read() as s:
        progress = get_progress(s, video_ids=[video_id])
        assert progress.stages["picture"] == StageProgress(
            pending=2, running=1, done=1, done_s=90.0, total_s=360.0, seconds=1.0
        )
        assert progress.videos == {"ingesting": 1}
        assert progress.unfinished == 3
        assert progress.oldest_waiting is not None
        assert get_progress(s, collection_ids=[]).stages == {}
