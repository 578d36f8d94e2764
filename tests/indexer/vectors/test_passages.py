"""An index over passages: the same freshness and snapshots as over segments, and never the rows of
another stage or key.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grounding.spans import Span
from indexer.catalog import Catalog, videos
from indexer.catalog.finalize import finalize_video
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import invalidate_tasks, plan_tasks, was_done_before
from indexer.catalog.passages import NewPassage, commit_passages, list_passages
from indexer.catalog.vectors.live_chunks import get_live_state
from indexer.catalog.vectors.served_keys import list_vector_keys
from indexer.catalog.vectors.vector_rows import iterate_vectors
from indexer.settings import Settings
from indexer.vectors.base import Selection
from indexer.vectors.faiss_index import FaissIndex
from tests.indexer.catalog import support
from tests.indexer.vectors.contract import assert_exact, query_of


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def say(
    catalog: Catalog,
    video_id: int,
    rng: np.random.Generator,
    count: int,
    stage: str = "speech",
    key: str = "m/s1",
) -> None:
    """Every chunk of the video gets `count` passages with a vector and one without."""
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {stage: key})
    while True:
        with catalog.begin() as s:
            item = chunk_tasks.claim_task(s, "me", 60, [stage], video_id=video_id)
            if item is None:
                return
            vectors = support.unit_vectors(rng, count)
            spoken = [
                NewPassage(stage, Span(n, n + 1), f"sentence {n}", vector=v, vector_key="m")
                for n, v in enumerate(vectors)
            ]
            assert commit_passages(
                s, item.task_id, "me", [*spoken, NewPassage(stage, item.span, "42")], 1.0
            )
            finalize_video(s, video_id)


def truth(
    catalog: Catalog, query: np.ndarray, k: int, key: str, stage: str = "speech"
) -> list[tuple[int, float]]:
    with catalog.read() as s:
        lots = list(iterate_vectors(s, key, stage=stage))
    pairs = [pair for lot in lots for pair in zip(lot.ids.tolist(), (lot.vectors @ query).tolist())]
    return sorted(pairs, key=lambda pair: -pair[1])[:k]


@pytest.mark.parametrize("published", [False, True])
def test_passages_are_found_by_their_vectors_as_they_come_and_go(
    sqlite_catalog, tmp_path: Path, rng, published: bool
):
    one, two = support.add_ready(sqlite_catalog, ["a.mp4", "b.mp4"], rng)
    say(sqlite_catalog, one, rng, 5)
    say(sqlite_catalog, one, rng, 3, stage="screen", key="m/o1")
    index = FaissIndex(
        sqlite_catalog, "m/s1", support.DIMENSION, Settings(home=tmp_path / "home"), stage="speech"
    )
    if published:
        assert index.publish().rows == 10
    query = query_of(rng)
    assert_exact(index.search(query, 100), truth(sqlite_catalog, query, 100, "m/s1"))
    say(sqlite_catalog, two, rng, 4)
    index.refresh(force=True)
    assert len(index.search(query, 100)) == 18
    assert_exact(index.search(query, 7), truth(sqlite_catalog, query, 7, "m/s1"))
    assert len(index.search(query, 100, Selection(video_ids=(two,)))) == 8
    assert index.self_check().ok
    with sqlite_catalog.begin() as s:
        videos.remove_video(s, one)
    index.refresh(force=True)
    assert len(index.search(query, 100)) == 8


def test_another_model_replaces_the_rows_when_it_is_complete(sqlite_catalog, tmp_path: Path, rng):
    (video_id,) = support.add_ready(sqlite_catalog, ["a.mp4"], rng)
    say(sqlite_catalog, video_id, rng, 5)
    say(sqlite_catalog, video_id, rng, 2, key="m/s2")
    with sqlite_catalog.read() as s:
        assert list_vector_keys(s) == [("picture", "k1"), ("speech", "m/s2")]
        assert get_live_state(s, "m/s1", "speech").chunks == 0
        assert get_live_state(s, "m/s2", "speech").chunks == 2
    index = FaissIndex(
        sqlite_catalog, "m/s2", support.DIMENSION, Settings(home=tmp_path / "home"), stage="speech"
    )
    assert len(index.search(query_of(rng), 100)) == 4


def test_work_that_is_done_again_leaves_no_row_twice(sqlite_catalog, tmp_path: Path, rng):
    (video_id,) = support.add_ready(sqlite_catalog, ["a.mp4"], rng)
    say(sqlite_catalog, video_id, rng, 5)
    index = FaissIndex(
        sqlite_catalog, "m/s1", support.DIMENSION, Settings(home=tmp_path / "home"), stage="speech"
    )
    index.publish()
    with sqlite_catalog.begin() as s:
        assert was_done_before(s, video_id, "speech", 4e9)
        assert not was_done_before(s, video_id, "speech", 1e9)
        invalidate_tasks(s, video_id, ["speech"])
        assert len(list_passages(s, video_id)) == 12, (
            "what was said is known until it is heard again"
        )
        assert videos.get_video(s, video_id).state == "ingesting"
    say(sqlite_catalog, video_id, rng, 2)
    index.refresh(force=True)
    query = query_of(rng)
    assert_exact(index.search(query, 100), truth(sqlite_catalog, query, 100, "m/s1"))
    assert len(index.search(query, 100)) == 4
    with sqlite_catalog.read() as s:
        assert videos.get_video(s, video_id).state == "ready"
