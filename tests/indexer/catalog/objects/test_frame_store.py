"""Vectors of frames in object storage come back as they were; rows and objects never part."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import func, select

from indexer.admin.doctor import check_frames
from indexer.artefacts import Artefacts
from indexer.catalog import Catalog, videos
from indexer.catalog.frames import get_frame_blocks, get_video_frames
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.objects.frame_store import FrameStore
from indexer.catalog.objects.upkeep import find_missing, move_all, sweep_objects
from indexer.catalog.tables.library import ChunkTask, FrameBlockRow
from indexer.context import Context
from indexer.errors import CatalogBusy, CatalogError, StorageError, UsageError
from indexer.ingest.finalize import remove_artefacts
from indexer.settings import Settings
from indexer.vocabulary import TaskState
from tests.indexer.catalog import support


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server of objects."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def client(endpoint: str) -> Any:
    return boto3.client("s3", endpoint_url=endpoint)


@pytest.fixture
def url(client: Any) -> str:
    bucket = f"b{uuid.uuid4().hex}"
    client.create_bucket(Bucket=bucket)
    return f"s3://{bucket}/archive"


@pytest.fixture
def store(url: str, endpoint: str) -> FrameStore:
    return FrameStore(url, endpoint)


@pytest.fixture
def filled(sqlite_catalog: Catalog, store: FrameStore) -> tuple[Catalog, int]:
    """A catalog with one ready video of three chunks whose vectors are objects."""
    catalog = sqlite_catalog
    catalog.frames = store
    (video_id,) = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0), chunks=3)
    return catalog, video_id


def names(store: FrameStore) -> set[str]:
    return {one.name for found in store.list() for one in found}


def rows(catalog: Catalog) -> list[tuple[str | None, int]]:
    with catalog.read() as s:
        columns = (FrameBlockRow.object_name, func.length(FrameBlockRow.vectors))
        return [(name, size) for name, size in s.execute(select(*columns))]


def vectors(catalog: Catalog, video_id: int) -> np.ndarray:
    with catalog.read() as s:
        return get_video_frames(s, video_id, "k1").vectors


def test_vectors_are_objects_and_come_back_as_they_were(catalog, store):
    (inside,) = support.add_ready(catalog, ["in.mp4"], np.random.default_rng(5), chunks=3)
    catalog.frames = store
    (outside,) = support.add_ready(catalog, ["out.mp4"], np.random.default_rng(5), chunks=3)
    np.testing.assert_array_equal(vectors(catalog, outside), vectors(catalog, inside))
    stored = [(name, size) for name, size in rows(catalog) if name]
    assert {name for name, _ in stored} == names(store)
    assert [size for _, size in stored] == [0, 0, 0]
    sizes = [one.size_bytes for found in store.list() for one in found]
    assert sizes == [6 * support.DIMENSION * 2] * 3


def test_another_process_reads_what_was_written(filled, url, endpoint):
    catalog, video_id = filled
    expected = vectors(catalog, video_id)
    catalog.frames = FrameStore(url, endpoint)
    np.testing.assert_array_equal(vectors(catalog, video_id), expected)
    with catalog.read() as s:
        chunk_ids = s.scalars(select(FrameBlockRow.chunk_id)).all()
        assert len(get_frame_blocks(s, chunk_ids, "k1")) == 3


def test_what_was_read_stays_in_memory_up_to_a_limit(filled, url, endpoint, client):
    catalog, video_id = filled
    large = FrameStore(url, endpoint)
    small = FrameStore(url, endpoint, cache_bytes=0)
    for store in (large, small):
        catalog.frames = store
        vectors(catalog, video_id)
    large.delete(sorted(names(large)))
    catalog.frames = large
    assert len(vectors(catalog, video_id)) == 18
    catalog.frames = small
    with pytest.raises(CatalogError, match="are not in s3://"):
        vectors(catalog, video_id)


def test_a_rolled_back_transaction_leaves_an_object_that_is_swept(filled):
    catalog, video_id = filled
    store = catalog.frames
    kept = names(store)
    other = support.add_video(catalog, "b.mp4", chunks=1)
    with catalog.begin() as s:
        item = chunk_tasks.claim_task(s, support.OWNER, 60, ["picture"], video_id=other)
    assert item is not None

    def break_off() -> None:
        with catalog.begin() as s:
            assert support.commit(s, item, np.random.default_rng(1))
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert len(names(store)) == len(kept) + 1
    assert sweep_objects(catalog) == 0, "it may belong to a transaction that goes on"
    assert sweep_objects(catalog, min_age_s=-60) == 0, "somebody has just swept"
    assert sweep_objects(catalog, min_age_s=-60, every_s=0) == 1
    assert names(store) == kept
    assert len(vectors(catalog, video_id)) == 18


def test_a_chunk_that_is_done_again_has_a_new_object(filled):
    catalog, video_id = filled
    before = names(catalog.frames)
    with catalog.begin() as s:
        task_id = s.scalar(select(FrameBlockRow.task_id).limit(1))
        task = s.get(ChunkTask, task_id)
        task.state = TaskState.PENDING
    assert support.do_one(catalog, video_id, np.random.default_rng(9))
    assert len(names(catalog.frames) - before) == 1
    assert {name for name, _ in rows(catalog)} <= names(catalog.frames)
    assert sweep_objects(catalog, min_age_s=-60, every_s=0) == 1


def test_objects_go_with_their_video(filled, tmp_path):
    catalog, video_id = filled
    (other,) = support.add_ready(catalog, ["b.mp4"], np.random.default_rng(2), chunks=1)
    with catalog.begin() as s:
        videos.remove_video(s, video_id)
    remove_artefacts(catalog, Artefacts(tmp_path), [video_id])
    assert all(name.startswith(f"frames/{other}/") for name in names(catalog.frames))
    assert len(vectors(catalog, other)) == 6


def test_moving_out_of_the_database_and_back_changes_nothing(catalog, store, monkeypatch):
    monkeypatch.setattr("indexer.catalog.objects.upkeep.MOVED_AT_ONCE", 2)
    (video_id,) = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(3), chunks=5)
    expected = vectors(catalog, video_id)
    with pytest.raises(UsageError, match="SEEKPOINT_FRAMES_URL"):
        move_all(catalog, to_store=True)
    catalog.frames = store
    told: list[int] = []
    assert move_all(catalog, to_store=True, progress=told.append) == 5
    assert told == [2, 4, 5]
    assert {size for _, size in rows(catalog)} == {0}
    np.testing.assert_array_equal(vectors(catalog, video_id), expected)
    assert move_all(catalog, to_store=True) == 0
    assert move_all(catalog, to_store=False) == 5
    catalog.frames = None
    assert {name for name, _ in rows(catalog)} == {None}
    np.testing.assert_array_equal(vectors(catalog, video_id), expected)


def test_what_is_missing_is_named(filled, tmp_path, url, endpoint):
    catalog, video_id = filled
    assert find_missing(catalog) == (3, [])
    settings = Settings(
        home=tmp_path,
        database_url=catalog.url.render_as_string(hide_password=False),
        frames_url=url,
        s3_endpoint=endpoint,
    )
    context = Context(settings)
    assert check_frames(context).ok
    catalog.frames.delete([min(names(catalog.frames))])
    assert find_missing(catalog) == (3, [video_id])
    check = check_frames(context)
    assert not check.ok
    assert str(video_id) in str(check.found)
    context.catalog.close()


def test_a_catalog_that_does_not_know_the_storage_says_which_setting_is_missing(filled):
    catalog, video_id = filled
    catalog.frames = None
    with pytest.raises(CatalogError, match="SEEKPOINT_FRAMES_URL is not set"):
        vectors(catalog, video_id)


def test_errors_of_the_storage_are_said(endpoint, tmp_path):
    with pytest.raises(StorageError, match="bucket nowhere refused"):
        FrameStore("s3://nowhere", endpoint).write(1, 1, b"content")
    with pytest.raises(CatalogBusy, match="unreachable"):
        FrameStore("s3://away/folder", "http://127.0.0.1:9").write(1, 1, b"content")
    for url in ("", "s3://", "http://host/bucket", "file:///tmp"):
        with pytest.raises(UsageError, match="names no object storage"):
            FrameStore(url, endpoint)
