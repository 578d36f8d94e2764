"""Jobs are done once, in a fair order; and so is the work of collections that share workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

from indexer.catalog import Catalog, collections, videos
from indexer.catalog.leasing import chunk_tasks, jobs
from indexer.catalog.leasing.lease_queue import Expired
from indexer.catalog.leasing.progress import count_waiting, video_seconds_since
from indexer.vocabulary import TaskState
from tests.indexer.catalog import support

DETAILS = {"relative_path": "a.mp4"}


def add(
    catalog: Catalog,
    name: str,
    collection: str = "films",
    size: float = 1.0,
    details: dict | None = None,
) -> int:
    with catalog.begin() as s:
        return jobs.add_job(
            s,
            "plan",
            collections.ensure_collection(s, collection),
            name,
            details or DETAILS,
            size=size,
        )


def take(
    catalog: Catalog, owner: str = "me", lease_s: float = 60.0, max_attempts: int = 3, **options
) -> jobs.ClaimedJob | None:
    with catalog.begin() as s:
        return jobs.claim_job(s, owner, lease_s, "plan", max_attempts, **options)


def taken(catalog: Catalog, **options) -> jobs.ClaimedJob:
    item = take(catalog, **options)
    assert item is not None
    return item


def test_what_is_asked_for_twice_waits_once(catalog: Catalog):
    first = add(catalog, "a")
    assert add(catalog, "a") == first
    item = taken(catalog)
    assert (item.id, item.details, item.attempts) == (first, DETAILS, 1)
    assert take(catalog) is None


def test_asked_again_with_other_details_it_is_done_again(catalog: Catalog):
    add(catalog, "a")
    item = taken(catalog)
    add(catalog, "a", details={"relative_path": "a.mp4", "mtime_ns": 2})
    with catalog.begin() as s:
        assert not jobs.finish_job(s, item, "me")
    assert taken(catalog).details["mtime_ns"] == 2


def test_every_job_is_claimed_by_one_of_many_workers(catalog: Catalog):
    for number in range(24):
        add(catalog, str(number))
    start = Barrier(4)

    def worker(name: int) -> list[int]:
        start.wait()
        found = []
        while (item := take(catalog, owner=f"worker {name}")) is not None:
            found.append(item.id)
        return found

    with ThreadPoolExecutor(4) as pool:
        ids = [job_id for found in pool.map(worker, range(4)) for job_id in found]
    assert len(ids) == len(set(ids)) == 24


def test_small_before_large_and_collections_in_turn(catalog: Catalog):
    for number in range(3):
        add(catalog, f"a{number}", "many", size=10 - number)
    add(catalog, "b", "few", size=1000)
    assert [taken(catalog).name for _ in range(4)] == ["a2", "b", "a1", "a0"]


def test_lost_jobs_wait_again_and_at_last_are_dead_lettered(catalog: Catalog):
    add(catalog, "a")
    lost = taken(catalog, owner="slow", lease_s=-1)
    again = taken(catalog, owner="fast")
    assert (again.id, again.attempts) == (lost.id, 2)
    with catalog.begin() as s:
        assert not jobs.finish_job(s, lost, "slow")
        assert jobs.queue.expire(s, 3) == Expired()
        assert jobs.queue.expire(s, 3, dead=["fast"]) == Expired(requeued=(lost.id,))
    last = taken(catalog, owner="third", lease_s=-1)
    assert last.attempts == 3
    assert take(catalog) is None, "tried often enough"
    with catalog.begin() as s:
        assert jobs.queue.expire(s, 3) == Expired(failed=(lost.id,))
        ((name, error),) = jobs.list_errors(s)
        assert name == "a"
        assert str(error) == "its worker (third) was lost 3 times while doing it"
        assert jobs.count_jobs(s)["plan"].failed == 1
        assert jobs.retry_jobs(s) == 1
    assert taken(catalog).attempts == 1


def test_releasing_costs_no_attempt_and_renewing_holds(catalog: Catalog):
    add(catalog, "a")
    taken(catalog, lease_s=-1)
    with catalog.begin() as s:
        assert jobs.queue.renew(s, "me", 60) == 1
    assert take(catalog) is None
    with catalog.begin() as s:
        assert jobs.queue.release(s, ["me"]) == 1
    assert taken(catalog).attempts == 1


def test_a_result_is_taken_once(catalog: Catalog):
    job_id = add(catalog, "a")
    item = taken(catalog)
    with catalog.begin() as s:
        assert jobs.take_result(s, job_id) == jobs.JobResult(TaskState.RUNNING)
        assert jobs.finish_job(s, item, "me", {"answer": 1})
        assert jobs.take_result(s, job_id) == jobs.JobResult(TaskState.DONE, {"answer": 1})
        assert jobs.take_result(s, job_id).state == "gone"


def test_chunks_of_collections_are_taken_in_turn_small_videos_first(catalog: Catalog):
    large = support.add_video(catalog, "large.mp4", chunks=3, collection="a")
    small = support.add_video(catalog, "small.mp4", chunks=1, collection="a")
    other = support.add_video(catalog, "other.mp4", chunks=4, collection="b")
    order = []
    for _ in range(4):
        with catalog.begin() as s:
            item = chunk_tasks.claim_fairly(s, "me", 60, "picture", ["k1"], 3)
        assert item is not None
        order.append(item.video_id)
    assert order == [small, other, large, other]


def test_chunks_of_other_models_and_videos_elsewhere_are_left(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4")
    with catalog.begin() as s:
        assert chunk_tasks.claim_fairly(s, "me", 60, "picture", ["k2"], 3) is None
        assert chunk_tasks.claim_fairly(s, "me", 60, "speech", ["k1"], 3) is None
        assert (
            chunk_tasks.claim_fairly(s, "me", 60, "picture", ["k1"], 3, without=[video_id]) is None
        )


def test_tasks_of_a_dead_owner_waits_at_once_and_is_dead_lettered_at_last(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    for attempt in (1, 2):
        with catalog.begin() as s:
            assert chunk_tasks.claim_fairly(s, "dead", 60, "picture", ["k1"], 2) is not None
        with catalog.begin() as s:
            expired = chunk_tasks.queue.expire(s, 2, dead=["dead"])
            assert (len(expired.requeued), len(expired.failed)) == ((1, 0), (0, 1))[attempt - 1]
    with catalog.read() as s:
        assert videos.get_video(s, video_id).state == "failed"
        assert "lost 2 times" in str(videos.get_video(s, video_id).error)


def test_speed_and_holders(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", chunks=3)
    support.do_one(catalog, video_id, np.random.default_rng(0))
    with catalog.begin() as s:
        chunk_tasks.claim_fairly(s, "me", 60, "picture", ["k1"], 3)
    with catalog.read() as s:
        assert video_seconds_since(s, 60) == 90.0
        assert chunk_tasks.queue.owners(s) == {"me": 1}
        assert count_waiting(s) == {"picture": 1}


def test_who_runs_a_job_is_at_work(catalog: Catalog):
    for name in ("a", "b", "c"):
        add(catalog, name)
    first = taken(catalog)
    taken(catalog)
    taken(catalog, owner="other")
    with catalog.begin() as s:
        assert jobs.queue.owners(s) == {"me": 2, "other": 1}
        jobs.queue.release(s, ["me"], first.id)
    with catalog.read() as s:
        assert jobs.queue.owners(s) == {"me": 1, "other": 1}


def test_jobs_go_with_their_collection(catalog: Catalog):
    add(catalog, "a", "gone")
    with catalog.begin() as s:
        collections.remove_collection(s, collections.find_collections(s, ["gone"])[0])
    assert take(catalog) is None
