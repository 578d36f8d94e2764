"""A chunk task is done once: claims, leases, attempts, and what a lost lease may not do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
from sqlalchemy import event

from indexer.catalog import Catalog, videos
from indexer.catalog.database.usage import measure_usage
from indexer.catalog.finalize import finalize_video
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.leasing.lease_queue import Expired
from indexer.catalog.leasing.progress import get_progress
from indexer.catalog.vectors.live_chunks import get_live_state
from indexer.messages import Message
from tests.indexer.catalog import support

PICTURE = ["picture"]


def take(
    catalog: Catalog, owner: str = "me", lease_s: float = 60, **options
) -> chunk_tasks.ClaimedTask:
    with catalog.begin() as s:
        item = chunk_tasks.claim_task(s, owner, lease_s, PICTURE, **options)
    assert item is not None
    return item


def test_every_task_is_claimed_by_one_of_many_workers(catalog: Catalog):
    for number in range(4):
        support.add_video(catalog, f"{number}.mp4", chunks=10)
    start = Barrier(5)

    def worker(name: int) -> list[int]:
        start.wait()
        taken = []
        while True:
            with catalog.begin() as s:
                item = chunk_tasks.claim_task(s, f"worker {name}", 60, PICTURE)
            if item is None:
                return taken
            taken.append(item.task_id)

    with ThreadPoolExecutor(5) as pool:
        taken = [task_id for ids in pool.map(worker, range(5)) for task_id in ids]
    assert len(taken) == len(set(taken)) == 40


def test_small_videos_come_before_large_and_chunks_in_order(catalog: Catalog):
    large = support.add_video(catalog, "large.mp4", chunks=3)
    small = support.add_video(catalog, "small.mp4", chunks=2)
    order = [take(catalog) for _ in range(3)]
    assert [(item.video_id, item.number) for item in order] == [(small, 0), (small, 1), (large, 0)]


def test_claims_can_be_limited(catalog: Catalog):
    first = support.add_video(catalog, "a.mp4", key="k1")
    second = support.add_video(catalog, "b.mp4", key="k2")
    with catalog.begin() as s:
        assert chunk_tasks.claim_task(s, "me", 60, ["speech"]) is None
        assert chunk_tasks.claim_task(s, "me", 60, PICTURE, keys=["k3"]) is None
    assert take(catalog, keys=["k2", "k3"]).video_id == second
    assert take(catalog, video_id=first).video_id == first


def test_an_expired_lease_can_be_taken_and_the_first_owner_writes_nothing(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    lost = take(catalog, "slow", lease_s=-1)
    again = take(catalog, "fast")
    assert (again.task_id, again.attempts) == (lost.task_id, 2)
    with catalog.begin() as s:
        assert not support.commit(s, lost, rng, owner="slow")
        assert not chunk_tasks.queue.renew(s, "slow", 60)
        assert not chunk_tasks.queue.fail(s, lost.task_id, "slow", Message("late"), 1)
        assert measure_usage(s).segments == 0
    with catalog.begin() as s:
        assert chunk_tasks.queue.renew(s, "fast", 60)
        assert support.commit(s, again, rng, owner="fast")
    with catalog.begin() as s:
        assert not support.commit(s, again, rng, owner="fast"), "a task that is done is done"
        assert measure_usage(s).segments == 4
        assert finalize_video(s, video_id).state == "ready"


def test_a_lease_that_holds_is_not_taken(catalog: Catalog):
    support.add_video(catalog, "a.mp4", chunks=1)
    take(catalog)
    with catalog.begin() as s:
        assert chunk_tasks.claim_task(s, "other", 60, PICTURE) is None


def test_a_task_of_a_removed_video_is_lost(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4")
    item = take(catalog)
    with catalog.begin() as s:
        videos.remove_video(s, video_id)
    with catalog.begin() as s:
        assert not support.commit(s, item, np.random.default_rng(0), owner="me")
        assert finalize_video(s, video_id).state is None


def test_a_failing_task_is_dead_lettered_with_its_reason_while_the_rest_is_searchable(
    catalog: Catalog,
):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=2)
    support.do_one(catalog, video_id, rng)
    reason = Message("{name}: the decoder hung", {"name": "a\x00.mp4"})
    for attempt in (1, 2):
        item = take(catalog)
        assert item.attempts == attempt
        with catalog.begin() as s:
            assert chunk_tasks.queue.fail(s, item.task_id, "me", reason, max_attempts=2)
            assert finalize_video(s, video_id).state == ("failed" if attempt == 2 else "ingesting")
    with catalog.begin() as s:
        error = videos.get_video(s, video_id).error
        assert error == Message("{name}: the decoder hung", {"name": "a.mp4"})
        assert get_live_state(s, "k1").chunks == 1
        assert chunk_tasks.claim_task(s, "me", 60, PICTURE) is None
        assert get_progress(s).errors == ((video_id, error),)
        assert chunk_tasks.retry_tasks(s, [video_id]) == 1
        assert videos.get_video(s, video_id).state == "ingesting"
    support.do_all(catalog, video_id, rng)
    with catalog.read() as s:
        assert (videos.get_video(s, video_id).state, videos.get_video(s, video_id).error) == (
            "ready",
            None,
        )


def test_what_an_owner_holds_is_released(catalog: Catalog):
    support.add_video(catalog, "a.mp4", chunks=3)
    first, second = take(catalog, "dead"), take(catalog, "alive")
    with catalog.begin() as s:
        assert sorted(chunk_tasks.queue.owners(s)) == ["alive", "dead"]
        assert chunk_tasks.queue.release(s, ["dead", "unknown"]) == 1
        assert chunk_tasks.queue.release(s, []) == 0
        assert list(chunk_tasks.queue.owners(s)) == ["alive"]
        assert chunk_tasks.queue.release(s, ["alive"], second.task_id)
    again = take(catalog)
    assert (again.task_id, again.attempts) == (first.task_id, 1), "releasing costs no attempt"


def test_the_reaper_requeues_and_at_last_dead_letters(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    item = take(catalog, lease_s=-1)
    with catalog.begin() as s:
        assert chunk_tasks.queue.expire(s, max_attempts=2) == Expired(requeued=(item.task_id,))
        assert chunk_tasks.queue.expire(s, max_attempts=2) == Expired()
    take(catalog, lease_s=-1)
    with catalog.begin() as s:
        assert chunk_tasks.queue.expire(s, max_attempts=2) == Expired(failed=(item.task_id,))
        assert "lost 2 times" in str(videos.get_video(s, video_id).error)


def test_cancelling_keeps_what_is_done_and_planning_goes_on(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=3)
    support.do_one(catalog, video_id, rng)
    running = take(catalog)
    with catalog.begin() as s:
        assert chunk_tasks.cancel_tasks(s, [video_id]) == 2
        assert not support.commit(s, running, rng, owner="me")
        assert finalize_video(s, video_id).state == "failed"
        assert get_live_state(s, "k1").chunks == 1
        assert plan_tasks(s, video_id, [], {"picture": "k1"}) == 2
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
            item: chunk_tasks.ClaimedTask, start: Barrier = start, video_id: int = video_id
        ) -> None:
            start.wait()
            with catalog.begin() as s:
                assert support.commit(s, item, np.random.default_rng(item.number), owner="me")
                finalize_video(s, video_id)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(finish, items))
        with catalog.read() as s:
            assert videos.get_video(s, video_id).state == "ready"


def test_claiming_does_not_sort_all_that_waits(sqlite_catalog: Catalog):
    support.add_video(sqlite_catalog, "a.mp4")
    seen: list[tuple[str, object]] = []
    event.listen(
        sqlite_catalog.engine,
        "before_cursor_execute",
        lambda *call: seen.append((call[2], call[3])),
    )
    take(sqlite_catalog)
    statement, parameters = next(pair for pair in seen if pair[0].startswith("UPDATE chunk_task"))
    with sqlite_catalog.engine.connect() as connection:
        plan = [
            row[3]
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert any("ix_chunk_task_open" in line for line in plan), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan
