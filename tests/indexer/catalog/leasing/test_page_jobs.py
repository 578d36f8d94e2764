"""What people ask for on the page waits in SQL, is done by one process at a time, and is lost by no
crash.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from indexer.catalog import Catalog, collections
from indexer.catalog.leasing import page_jobs
from indexer.catalog.leasing.page_jobs import PageJobRow, PageProgress
from indexer.messages import Message
from indexer.vocabulary import PageJobKind, TaskState, Wanted

ADDING = (PageJobKind.INGEST, PageJobKind.WATCH)


def add(catalog: Catalog, name: str, kind: PageJobKind = PageJobKind.INGEST) -> int:
    with catalog.begin() as s:
        collection_id = collections.ensure_collection(s, "films")
        return page_jobs.add_page_job(s, kind, collection_id, name, {"paths": [name]})


def claim(catalog: Catalog, owner: str = "me", lease_s: float = 60.0) -> int | None:
    with catalog.begin() as s:
        return page_jobs.claim_page_job(s, owner, lease_s, ADDING)


def job(catalog: Catalog, job_id: int | None) -> PageJobRow:
    assert job_id is not None
    with catalog.read() as s:
        row = page_jobs.get_page_job(s, job_id)
    assert row is not None
    return row


def test_one_at_a_time_people_before_watched_folders(catalog: Catalog):
    watched = add(catalog, "/watched", PageJobKind.WATCH)
    first, second = add(catalog, "a"), add(catalog, "b")
    taken = []
    for _ in range(3):
        taken.append(claim(catalog))
        assert claim(catalog, "other") is None, "one is at work"
        with catalog.begin() as s:
            assert page_jobs.finish_page_job(s, taken[-1] or 0, "me", ())
    assert taken == [first, second, watched]
    assert claim(catalog) is None


def test_of_many_processes_one_begins(catalog: Catalog):
    for number in range(4):
        add(catalog, str(number))
    start = Barrier(4)

    def process(number: int) -> int | None:
        start.wait()
        return claim(catalog, f"process {number}")

    with ThreadPoolExecutor(4) as pool:
        taken = [job_id for job_id in pool.map(process, range(4)) if job_id is not None]
    assert len(taken) == 1


def test_a_lost_one_waits_again_and_at_last_has_failed(catalog: Catalog):
    job_id = add(catalog, "a")
    for attempt in (1, 2):
        assert claim(catalog, "dead") == job_id
        with catalog.begin() as s:
            expired = page_jobs.queue.expire(s, 2, ["dead"])
        assert len(expired.failed) == attempt - 1
    row = job(catalog, job_id)
    assert row.state == TaskState.FAILED
    assert "lost 2 times" in str(row.problems[0])


def test_progress_is_the_owners_to_note_and_is_read_by_all(catalog: Catalog):
    job_id = add(catalog, "a")
    claim(catalog)
    progress = PageProgress(4, 1, 1000, 250.0, 12.0, 3.0)
    with catalog.begin() as s:
        assert page_jobs.note_progress(s, job_id, "other", progress) is None
        assert page_jobs.note_progress(s, job_id, "me", progress) == Wanted.RUN
        assert page_jobs.want(s, job_id, Wanted.PAUSE)
        assert page_jobs.note_progress(s, job_id, "me", progress) == Wanted.PAUSE
    row = job(catalog, job_id)
    assert (row.files, row.files_done, row.done_bytes, row.worked_s) == (4, 1, 250.0, 3.0)


def test_paused_ones_wait_until_they_are_wanted(catalog: Catalog):
    job_id = add(catalog, "a")
    with catalog.begin() as s:
        page_jobs.want(s, job_id, Wanted.PAUSE)
    assert claim(catalog) is None
    with catalog.begin() as s:
        page_jobs.want(s, job_id, Wanted.RUN)
    assert claim(catalog) == job_id


def test_cancelled_before_it_began(catalog: Catalog):
    job_id = add(catalog, "a")
    with catalog.begin() as s:
        page_jobs.want(s, job_id, Wanted.CANCEL)
    assert claim(catalog) is None
    assert (job(catalog, job_id).state, job(catalog, job_id).wanted) == (
        TaskState.DONE,
        Wanted.CANCEL,
    )


def test_problems_are_kept_as_messages(catalog: Catalog):
    job_id = add(catalog, "a")
    claim(catalog)
    problem = Message("{path}: {reason}", {"path": "\udcff\x00.mp4", "reason": Message("empty")})
    with catalog.begin() as s:
        assert page_jobs.finish_page_job(s, job_id, "me", [problem])
    row = job(catalog, job_id)
    assert row.state == TaskState.FAILED
    assert str(row.problems[0]) == "?.mp4: empty"
    assert row.problems[0].template == "{path}: {reason}"


def test_asked_for_twice_while_it_waits_it_is_one(catalog: Catalog):
    first = add(catalog, "a")
    assert add(catalog, "a") == first
    claim(catalog)
    assert add(catalog, "a") != first, "files may have come since it began"


def test_those_that_ended_are_kept_for_a_while(catalog: Catalog):
    for number in range(page_jobs.KEPT + 5):
        job_id = add(catalog, str(number))
        claim(catalog)
        with catalog.begin() as s:
            page_jobs.finish_page_job(s, job_id, "me", ())
    add(catalog, "last")
    with catalog.read() as s:
        listed = page_jobs.list_page_jobs(s)
        assert page_jobs.last_ended(s) is not None
    assert len(listed) == page_jobs.KEPT + 1
    assert listed[-1].subject == "5"


def test_they_go_with_their_collection(catalog: Catalog):
    add(catalog, "a")
    with catalog.begin() as s:
        collections.remove_collection(s, collections.find_collections(s, ["films"])[0])
    with catalog.read() as s:
        assert page_jobs.list_page_jobs(s) == []
