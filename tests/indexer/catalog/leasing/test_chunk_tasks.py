"""Work is done once: claims, leases, attempts, and what a lost lease may not do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from sqlalchemy import event

from indexer.catalog import Catalog, rows, videos
from indexer.catalog.leasing import chunk_tasks
from tests.indexer.catalog import support

PICTURE = ["picture"]


def take(
    catalog: Catalog, owner: str = "me", lease_s: float = 60, **options
) -> chunk_tasks.WorkItem:
    with catalog.begin() as s:
        item = chunk_tasks.claim(s, owner, lease_s, PICTURE, **options)
    assert item is not None
    return item


def test_planning_again_changes_nothing(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", chunks=3)
    with catalog.begin() as s:
        before = chunk_tasks.pending(s, video_id, "picture")
        assert chunk_tasks.plan(s, video_id, support.spans(5), {"picture": "k1"}) == 0
        assert chunk_tasks.pending(s, video_id, "picture") == before
    assert [(item.number, item.start_s, item.end_s, item.attempts) for item in before] == [
        (0, 0, 90, 0),
        (1, 90, 180, 0),
        (2, 180, 270, 0),
    ]


def test_planning_a_stage_away_drops_its_unfinished_work(catalog: Catalog):
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0))
    with catalog.begin() as s:
        chunk_tasks.plan(s, video_id, [], {"events": "e1"})
        assert videos.settle_video(s, video_id).state == "ingesting"
        assert chunk_tasks.plan(s, video_id, [], {"events": None}) == 0
        assert videos.settle_video(s, video_id).state == "ready"


def test_every_work_is_claimed_by_one_of_many_workers(catalog: Catalog):
    for number in range(4):
        support.add_video(catalog, f"{number}.mp4", chunks=10)
    start = Barrier(5)

    def worker(name: int) -> list[int]:
        start.wait()
        taken = []
        while True:
            with catalog.begin() as s:
                item = chunk_tasks.claim(s, f"worker {name}", 60, PICTURE)
            if item is None:
                return taken
            taken.append(item.work_id)

    with ThreadPoolExecutor(5) as pool:
        taken = [work_id for ids in pool.map(worker, range(5)) for work_id in ids]
    assert len(taken) == len(set(taken)) == 40


def test_order_is_priority_then_small_videos_then_chunks(catalog: Catalog):
    support.add_video(catalog, "large.mp4", chunks=3)
    small = support.add_video(catalog, "small.mp4", chunks=2)
    with catalog.begin() as s:
        urgent = videos.add_video(
            s,
            videos.get_video(s, small).collection_id,
            "u",
            1,
            support.video_info(900),
            support.stamp("urgent.mp4"),
        )
        chunk_tasks.plan(s, urgent, support.spans(1), {"picture": "k1"}, priority=-1)
    order = [take(catalog) for _ in range(4)]
    assert [(item.video_id, item.number) for item in order] == [
        (urgent, 0),
        (small, 0),
        (small, 1),
        (order[3].video_id, 0),
    ]


def test_claims_can_be_limited(catalog: Catalog):
    first = support.add_video(catalog, "a.mp4", key="k1")
    second = support.add_video(catalog, "b.mp4", key="k2")
    with catalog.begin() as s:
        assert chunk_tasks.claim(s, "me", 60, ["speech"]) is None
        assert chunk_tasks.claim(s, "me", 60, PICTURE, keys=["k3"]) is None
    assert take(catalog, keys=["k2", "k3"]).video_id == second
    assert take(catalog, video_id=first).video_id == first


def test_an_expired_lease_can_be_taken_and_the_first_owner_writes_nothing(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    lost = take(catalog, "slow", lease_s=-1)
    again = take(catalog, "fast")
    assert (again.work_id, again.attempts) == (lost.work_id, 2)
    with catalog.begin() as s:
        assert not support.commit(s, lost, rng, owner="slow")
        assert not chunk_tasks.renew(s, lost.work_id, "slow", 60)
        assert not chunk_tasks.fail_work(s, lost.work_id, "slow", "late", 1)
        assert rows.usage(s).segments == 0
    with catalog.begin() as s:
        assert chunk_tasks.renew(s, again.work_id, "fast", 60)
        assert support.commit(s, again, rng, owner="fast")
    with catalog.begin() as s:
        assert not support.commit(s, again, rng, owner="fast"), "a work that is done is done"
        assert rows.usage(s).segments == 4
        assert videos.settle_video(s, video_id).state == "ready"


def test_a_lease_that_holds_is_not_taken(catalog: Catalog):
    support.add_video(catalog, "a.mp4", chunks=1)
    take(catalog)
    with catalog.begin() as s:
        assert chunk_tasks.claim(s, "other", 60, PICTURE) is None


def test_work_of_a_removed_video_is_lost(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4")
    item = take(catalog)
    with catalog.begin() as s:
        videos.remove_video(s, video_id)
    with catalog.begin() as s:
        assert not support.commit(s, item, np.random.default_rng(0), owner="me")
        assert videos.settle_video(s, video_id).state is None


def test_failing_work_is_parked_with_its_reason_while_the_rest_is_searchable(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=2)
    support.do_one(catalog, video_id, rng)
    for attempt in (1, 2):
        item = take(catalog)
        assert item.attempts == attempt
        with catalog.begin() as s:
            assert chunk_tasks.fail_work(
                s, item.work_id, "me", "the decoder hung\x00", max_attempts=2
            )
            assert videos.settle_video(s, video_id).state == (
                "failed" if attempt == 2 else "ingesting"
            )
    with catalog.begin() as s:
        assert videos.get_video(s, video_id).error == "the decoder hung"
        assert rows.live_state(s, "k1").chunks == 1
        assert chunk_tasks.claim(s, "me", 60, PICTURE) is None
        assert chunk_tasks.progress(s).errors == ((video_id, "the decoder hung"),)
        assert chunk_tasks.retry(s, [video_id]) == 1
        assert videos.get_video(s, video_id).state == "ingesting"
    support.do_all(catalog, video_id, rng)
    with catalog.read() as s:
        assert (videos.get_video(s, video_id).state, videos.get_video(s, video_id).error) == (
            "ready",
            None,
        )


def test_releasing_hands_back_what_an_owner_holds(catalog: Catalog):
    support.add_video(catalog, "a.mp4", chunks=3)
    first, second = take(catalog, "dead"), take(catalog, "alive")
    with catalog.begin() as s:
        assert sorted(chunk_tasks.owners(s)) == ["alive", "dead"]
        assert chunk_tasks.release(s, ["dead", "unknown"]) == 1
        assert chunk_tasks.release(s, []) == 0
        assert chunk_tasks.owners(s) == ["alive"]
        assert chunk_tasks.release_work(s, second.work_id, "alive")
    again = take(catalog)
    assert (again.work_id, again.attempts) == (first.work_id, 1), "handing back costs no attempt"


def test_the_sweep_requeues_and_at_last_parks(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    item = take(catalog, lease_s=-1)
    with catalog.begin() as s:
        assert chunk_tasks.expire(s, max_attempts=2) == (item.work_id,)
        assert chunk_tasks.expire(s, max_attempts=2) == ()
    take(catalog, lease_s=-1)
    with catalog.begin() as s:
        assert chunk_tasks.expire(s, max_attempts=2) == ()
        assert "lost 2 times" in (videos.get_video(s, video_id).error or "")


def test_cancelling_keeps_what_is_done_and_planning_goes_on(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=3)
    support.do_one(catalog, video_id, rng)
    running = take(catalog)
    with catalog.begin() as s:
        assert chunk_tasks.cancel(s, [video_id]) == 2
        assert not support.commit(s, running, rng, owner="me")
        assert videos.settle_video(s, video_id).state == "failed"
        assert rows.live_state(s, "k1").chunks == 1
        assert chunk_tasks.plan(s, video_id, [], {"picture": "k1"}) == 2
    support.do_all(catalog, video_id, rng)
    with catalog.read() as s:
        assert videos.get_video(s, video_id).state == "ready"


def test_of_two_last_chunks_that_finish_at_once_one_makes_the_video_ready(catalog: Catalog):
    """Each transaction would see the other's chunk unfinished if they did not take turns."""
    for attempt in range(5):
        video_id = support.add_video(catalog, f"{attempt}.mp4", chunks=2)
        items = [take(catalog, video_id=video_id) for _ in range(2)]
        start = Barrier(2)

        def finish(
            item: chunk_tasks.WorkItem, start: Barrier = start, video_id: int = video_id
        ) -> None:
            start.wait()
            with catalog.begin() as s:
                assert support.commit(s, item, np.random.default_rng(item.number), owner="me")
                videos.settle_video(s, video_id)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(finish, items))
        with catalog.read() as s:
            assert videos.get_video(s, video_id).state == "ready"


def test_progress_counts_works_and_seconds(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=4)
    support.do_one(catalog, video_id, rng)
    take(catalog)
    with catalog.read() as s:
        progress = chunk_tasks.progress(s, video_ids=[video_id])
        assert progress.stages["picture"] == chunk_tasks.StageProgress(
            pending=2, running=1, done=1, done_s=90.0, total_s=360.0, seconds=1.0
        )
        assert progress.videos == {"ingesting": 1}
        assert progress.unfinished == 3
        assert progress.oldest_waiting is not None
        assert chunk_tasks.progress(s, collection_ids=[]).stages == {}


@pytest.mark.parametrize("stage", ["picture", "speech"])
def test_pending_lists_a_stage(catalog: Catalog, stage: str):
    video_id = support.add_video(catalog, "a.mp4", chunks=2)
    with catalog.read() as s:
        assert len(chunk_tasks.pending(s, video_id, stage)) == (2 if stage == "picture" else 0)


def test_claiming_does_not_sort_all_that_waits(sqlite_catalog: Catalog):
    support.add_video(sqlite_catalog, "a.mp4")
    seen: list[tuple[str, object]] = []
    event.listen(
        sqlite_catalog.engine,
        "before_cursor_execute",
        lambda *call: seen.append((call[2], call[3])),
    )
    take(sqlite_catalog)
    statement, parameters = next(pair for pair in seen if pair[0].startswith("UPDATE work"))
    with sqlite_catalog.engine.connect() as connection:
        plan = [
            row[3]
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert any("ix_work_open" in line for line in plan), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan
