"""Planning adds what is missing, and again changes nothing."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog import Catalog
from indexer.catalog.finalize import finalize_video
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.tables.library import Chunk, ChunkTask
from indexer.vocabulary import TaskState
from tests.indexer.catalog import support

PICTURE = ["picture"]


def waiting_tasks(s: Session, video_id: int) -> list[tuple[str, int, float, float]]:
    """(stage, number, start_s, end_s) of each."""
    columns = (ChunkTask.stage, Chunk.number, Chunk.start_s, Chunk.end_s)
    waiting = (ChunkTask.video_id == video_id, ChunkTask.state == TaskState.PENDING)
    statement = select(*columns).join(Chunk, Chunk.id == ChunkTask.chunk_id).where(*waiting)
    return [tuple(row) for row in s.execute(statement.order_by(ChunkTask.id))]


def test_planning_again_changes_nothing(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", chunks=3)
    with catalog.begin() as s:
        before = waiting_tasks(s, video_id)
        assert plan_tasks(s, video_id, support.spans(5), {"picture": "k1"}) == 0
        assert waiting_tasks(s, video_id) == before
    assert before == [("picture", 0, 0, 90), ("picture", 1, 90, 180), ("picture", 2, 180, 270)]


def test_planning_a_stage_away_drops_its_unfinished_tasks(catalog: Catalog):
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0))
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {"events": "e1"})
        assert finalize_video(s, video_id).state == "ingesting"
        assert plan_tasks(s, video_id, [], {"events": None}) == 0
        assert finalize_video(s, video_id).state == "ready"
