"""What every vector index must do, whatever it is made of. A test module gives the fixture
`make_index` and imports these tests.

`make_index(catalog, key, **options)` -> VectorIndex; the truth is what the catalog holds, compared
number by number.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from indexer.catalog import Catalog, collections, videos
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import invalidate_tasks, plan_tasks
from indexer.catalog.segments import SegmentRow, get_segments
from indexer.catalog.vectors.vector_rows import VectorRows, iterate_vectors
from indexer.errors import CatalogError
from indexer.vectors.base import Hits, Selection, VectorIndex
from tests.indexer.catalog import support

MakeIndex = Callable[..., VectorIndex]
EVERYTHING = Selection()


def truth(
    catalog: Catalog, query: np.ndarray, k: int, selection: Selection = EVERYTHING, key: str = "k1"
) -> list[tuple[int, float]]:
    """(segment id, score) of the best k by comparing the query with every stored vector."""
    with catalog.read() as s:
        lots = list(iterate_vectors(s, key))
    return best_of(lots, query, k, selection)


def best_of(
    lots: list[VectorRows], query: np.ndarray, k: int, selection: Selection = EVERYTHING
) -> list[tuple[int, float]]:
    found = []
    for lot in lots:
        keep = np.ones(len(lot), bool)
        if selection.collection_ids is not None:
            keep &= np.isin(lot.collection_ids, selection.collection_ids)
        if selection.video_ids is not None:
            keep &= np.isin(lot.video_ids, selection.video_ids)
        found += zip(lot.ids[keep].tolist(), (lot.vectors[keep] @ query).tolist())
    return sorted(found, key=lambda pair: -pair[1])[:k]


def assert_exact(hits: Hits, expected: list[tuple[int, float]]) -> None:
    assert hits.ids.tolist() == [id for id, _ in expected]
    np.testing.assert_allclose(hits.scores, [score for _, score in expected], atol=1e-5)
    assert len(set(hits.ids.tolist())) == len(hits)


def query_of(rng: np.random.Generator) -> np.ndarray:
    return support.unit_vectors(rng, 1)[0]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("published", [False, True])
def test_search_finds_what_the_catalog_holds(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator, published: bool
):
    support.add_ready(catalog, ["a.mp4", "b.mp4", "c.mp4"], rng)
    index = make_index(catalog)
    if published:
        assert index.publish().rows == 24
    for k in (1, 5, 24, 1000):
        query = query_of(rng)
        assert_exact(index.search(query, k), truth(catalog, query, k))


def test_an_empty_catalog_answers_nothing(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator
):
    index = make_index(catalog)
    assert len(index.search(query_of(rng), 10)) == 0
    assert index.publish().rows == 0
    assert len(index.search(query_of(rng), 10)) == 0
    assert index.self_check().ok


def test_wrong_queries_are_refused(catalog: Catalog, make_index: MakeIndex):
    index = make_index(catalog)
    with pytest.raises(ValueError, match="16 finite numbers"):
        index.search(np.ones(8, np.float32), 5)
    with pytest.raises(ValueError, match="16 finite numbers"):
        index.search(np.full(16, np.nan, np.float32), 5)
    with pytest.raises(ValueError, match="k=0"):
        index.search(np.ones(16, np.float32), 0)


@pytest.mark.parametrize("published", [False, True])
def test_selections_are_exact(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator, published: bool
):
    films = support.add_ready(catalog, ["a.mp4", "b.mp4", "c.mp4"], rng, collection="films")
    clips = support.add_ready(catalog, ["d.mp4", "e.mp4"], rng, collection="clips")
    with catalog.read() as s:
        film_id, clip_id = collections.find_collections(s, ["films", "clips"])
    index = make_index(catalog)
    if published:
        index.publish()
    selections = [
        Selection((film_id,)),
        Selection((clip_id, film_id)),
        Selection(video_ids=(clips[0],)),
        Selection(video_ids=(films[2], clips[1])),
        Selection((film_id,), (clips[0], films[0])),
        Selection((10**9,)),
        Selection(()),
        Selection(video_ids=()),
    ]
    for selection in selections:
        query = query_of(rng)
        assert_exact(index.search(query, 6, selection), truth(catalog, query, 6, selection))


def test_a_committed_chunk_is_found_without_a_restart(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator
):
    support.add_ready(catalog, ["a.mp4"], rng)
    index = make_index(catalog)
    index.publish()
    query = query_of(rng)
    index.search(query, 5)
    later = support.add_video(catalog, "b.mp4", chunks=2)
    for chunks in (1, 2):
        support.do_one(catalog, later, rng)
        index.refresh(force=True)
        hits = index.search(query, 100)
        assert len(hits) == 8 + 4 * chunks
        assert_exact(hits, truth(catalog, query, 100))


def test_a_removed_video_is_not_found_any_more(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator
):
    stored, gone, tail = support.add_ready(catalog, ["a.mp4", "b.mp4", "c.mp4"], rng)
    index = make_index(catalog)
    index.publish()
    newer, *_ = support.add_ready(catalog, ["d.mp4"], rng)
    index.refresh(force=True)
    with catalog.begin() as s:
        videos.remove_video(s, gone)
        videos.remove_video(s, newer)
    index.refresh(force=True)
    query = query_of(rng)
    assert_exact(index.search(query, 100), truth(catalog, query, 100))
    assert len(index.search(query, 100)) == 16
    assert len(index.search(query, 100, Selection(video_ids=(gone, newer)))) == 0
    assert index.publish().rows == 16
    assert_exact(index.search(query, 100), truth(catalog, query, 100))
    assert {stored, tail} == {row.video_id for row in _segments(catalog, index.search(query, 100))}


def _segments(catalog: Catalog, hits: Hits) -> list[SegmentRow]:
    with catalog.read() as s:
        return get_segments(s, hits.ids)


def test_reindexing_leaves_no_stale_and_no_doubled_vector(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator
):
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    old, new = make_index(catalog), make_index(catalog, key="k2")
    old.publish()
    before = old.search(query_of(rng), 100).ids.tolist()
    for key, source, target in (("k2", old, new), ("k1", new, old)):
        with catalog.begin() as s:
            plan_tasks(s, video_id, [], {"picture": key})
        support.do_one(catalog, video_id, rng)
        source.refresh(force=True)
        target.refresh(force=True)
        assert (len(source.search(query_of(rng), 100)), len(target.search(query_of(rng), 100))) == (
            8,
            0,
        ), "old until complete"
        support.do_all(catalog, video_id, rng)
        source.refresh(force=True)
        target.refresh(force=True)
        assert len(source.search(query_of(rng), 100)) == 0
        query = query_of(rng)
        assert_exact(target.search(query, 100), truth(catalog, query, 100, key=key))
    assert len(old.search(query_of(rng), 100)) == 8
    assert not set(before) & set(old.search(query_of(rng), 100).ids.tolist()), (
        "the first vectors are stale"
    )


def test_a_chunk_that_is_done_again_replaces_its_rows(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator
):
    """A restored backup or a repaired row: same chunk, same key, another revision."""
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    support.do_all(catalog, video_id, rng)
    index = make_index(catalog)
    index.publish()
    with catalog.begin() as s:
        assert invalidate_tasks(s, video_id, ["picture"]) == 1
    support.do_all(catalog, video_id, rng)
    index.refresh(force=True)
    query = query_of(rng)
    assert len(index.search(query, 100)) == 4
    assert_exact(index.search(query, 100), truth(catalog, query, 100))


def test_two_writers_that_commit_in_reverse_order_lose_nothing(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator
):
    """The one that drew the lower ids commits last, after the index has seen and published the
    higher ones.
    """
    if catalog.is_sqlite:
        pytest.skip("one writer at a time")
    first, second = (support.add_video(catalog, name, chunks=1) for name in ("a.mp4", "b.mp4"))
    index = make_index(catalog)
    with catalog.begin() as s:
        early, late = (
            chunk_tasks.claim_task(s, support.OWNER, 60, ["picture"], video_id=video_id)
            for video_id in (first, second)
        )
    assert early is not None
    assert late is not None
    written, may_commit = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with catalog.begin() as s:
            support.commit(s, early, np.random.default_rng(1))
            written.set()
            assert may_commit.wait(30)

    thread = threading.Thread(target=slow_writer)
    thread.start()
    assert written.wait(30)
    with catalog.begin() as s:
        support.commit(s, late, rng)
    assert index.publish().rows == 4
    query = query_of(rng)
    published = index.search(query, 100).ids
    may_commit.set()
    thread.join()
    index.refresh(force=True)
    hits = index.search(query, 100)
    assert len(hits) == 8
    assert hits.ids.min() < published.min(), "the late rows have the lower ids"
    assert_exact(hits, truth(catalog, query, 100))
    assert index.publish().rows == 8
    assert_exact(index.search(query, 100), truth(catalog, query, 100))


def test_two_embedders_never_mix(catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator):
    support.add_ready(catalog, ["a.mp4"], rng, key="k1")
    support.add_ready(catalog, ["b.mp4"], rng, key="k2")
    one, two = make_index(catalog, key="k1"), make_index(catalog, key="k2")
    one.publish()
    two.publish()
    query = query_of(rng)
    assert_exact(one.search(query, 100), truth(catalog, query, 100, key="k1"))
    assert_exact(two.search(query, 100), truth(catalog, query, 100, key="k2"))
    assert len(make_index(catalog, key="k3").search(query, 100)) == 0
    longer = make_index(catalog, key="k1", dimension=32)
    with pytest.raises(CatalogError, match=r"16 numbers.*32"):
        longer.search(np.ones(32, np.float32), 5)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_answer_is_that_of_the_catalog(
    catalog: Catalog, make_index: MakeIndex, seed: int
):
    """Random adds, removals, changes of models, publishing, by one index and seen by another."""
    rng = np.random.default_rng(seed)
    writer, reader = make_index(catalog), make_index(catalog)
    for step in range(25):
        with catalog.read() as s:
            ids = [video.id for video in videos.list_videos(s)]
        action = rng.choice(["add", "work", "work", "remove", "rekey", "publish", "look"])
        if action == "add" or not ids:
            support.add_video(catalog, f"{step}.mp4", collection=str(rng.choice(["x", "y"])))
        elif action == "work":
            support.do_one(catalog, int(rng.choice(ids)), rng, segments=int(rng.integers(0, 6)))
        elif action == "remove":
            with catalog.begin() as s:
                videos.remove_video(s, int(rng.choice(ids)))
        elif action == "rekey":
            with catalog.begin() as s:
                plan_tasks(s, int(rng.choice(ids)), [], {"picture": str(rng.choice(["k1", "k2"]))})
        elif action == "publish":
            writer.publish(keep_previous=bool(rng.integers(2)))
        for index in (writer, reader):
            index.refresh(force=True)
            query = query_of(rng)
            selection = (
                EVERYTHING
                if rng.integers(2) or not ids
                else Selection(video_ids=tuple(rng.choice(ids, 2).tolist()))
            )
            assert_exact(index.search(query, 7, selection), truth(catalog, query, 7, selection))


def test_searches_go_on_while_others_commit_and_publish(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator
):
    support.add_ready(catalog, ["a.mp4", "b.mp4"], rng)
    index = make_index(catalog)
    index.publish()
    stop, errors, searches = threading.Event(), [], []

    def searcher(seed: int) -> None:
        own = np.random.default_rng(seed)
        while not stop.is_set():
            try:
                hits = index.search(query_of(own), 50)
                assert len(set(hits.ids.tolist())) == len(hits) >= 16
                assert (np.diff(hits.scores) <= 1e-6).all()
                searches.append(1)
            except Exception as error:  # noqa: BLE001 handed to the test
                errors.append(error)
                return

    threads = [threading.Thread(target=searcher, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for number in range(4):
        support.add_ready(catalog, [f"new {number}.mp4"], rng)
        make_index(catalog).publish(keep_previous=False)
        index.refresh(force=True)
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert searches
    query = query_of(rng)
    assert_exact(index.search(query, 100), truth(catalog, query, 100))


def test_the_self_check_passes_and_says_so(
    catalog: Catalog, make_index: MakeIndex, rng: np.random.Generator
):
    support.add_ready(catalog, [f"{n}.mp4" for n in range(6)], rng)
    index = make_index(catalog)
    index.publish()
    report = index.self_check(20)
    assert report.ok
    assert report.rows == 48
    assert "recall@10 1.000 of all" in report.text
