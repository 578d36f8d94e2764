"""What pgvector does by itself: which way a search goes, what becomes of graphs, and who may use
it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from indexer.catalog import Catalog, videos
from indexer.catalog.database import migrate
from indexer.catalog.frames import FrameBlock
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.segments import commit_picture
from indexer.catalog.vectors import pgvector
from indexer.catalog.vectors.hnsw import list_graphs
from indexer.catalog.vectors.vector_query import VectorQuery
from indexer.catalog.vectors.vector_rows import iterate_vectors
from indexer.errors import CatalogError, UsageError
from indexer.library import Library
from indexer.vectors.base import Selection
from indexer.vectors.pgvector_index import PgVectorIndex
from tests.indexer.catalog import support
from tests.indexer.vectors.contract import assert_exact, query_of, truth
from tests.support import demo_settings


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def graph_index(catalog: Catalog, key: str = "k1", exact_rows: int = 0) -> PgVectorIndex:
    return PgVectorIndex(catalog, key, support.DIMENSION, exact_rows=exact_rows, graph_rows=0)


def plans(
    catalog: Catalog, index: PgVectorIndex, query: np.ndarray, k: int, selection: Selection
) -> str:
    """What the server says of how it runs the statements of a search."""
    found: list[str] = []

    def explain(connection, cursor, statement, parameters, context, executemany) -> None:
        if "<#>" in statement and not statement.startswith("EXPLAIN"):
            found.extend(
                line for (line,) in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            )

    event.listen(catalog.engine, "before_cursor_execute", explain)
    try:
        index.search(query, k, selection)
    finally:
        event.remove(catalog.engine, "before_cursor_execute", explain)
    return "\n".join(found)


def test_small_selections_are_compared_row_by_row_and_large_ones_go_along_the_graph(
    server_catalog: Catalog, rng: np.random.Generator
):
    many = support.add_ready(server_catalog, [f"{n}.mp4" for n in range(12)], rng)
    index = graph_index(server_catalog, exact_rows=18 * 10)
    index.publish()
    query = query_of(rng)
    graph = VectorQuery("k1", "picture", support.DIMENSION).graph_name
    everything, large, small = (
        Selection(),
        Selection(video_ids=tuple(many[:6])),
        Selection(video_ids=tuple(many[:2])),
    )
    for selection, along in ((everything, True), (large, True), (small, False)):
        assert (
            f"Index Scan using {graph}" in plans(server_catalog, index, query, 5, selection)
        ) == along, selection
        assert_exact(index.search(query, 5, selection), truth(server_catalog, query, 5, selection))


def test_a_scan_goes_on_until_enough_rows_passed_the_filter(
    server_catalog: Catalog, rng: np.random.Generator
):
    """One video in forty: the first lot of the graph (200 rows) holds some five of its rows."""
    many = [support.add_video(server_catalog, f"{n}.mp4", chunks=1) for n in range(40)]
    for video_id in many:
        support.do_all(server_catalog, video_id, rng, segments=16)
    index = graph_index(server_catalog)
    index.publish()
    for video_id in many[:3]:
        query = query_of(rng)
        selection = Selection(video_ids=(video_id,))
        assert_exact(
            index.search(query, 16, selection), truth(server_catalog, query, 16, selection)
        )
        assert_exact(
            index.search(query, 100, selection), truth(server_catalog, query, 100, selection)
        )


def test_parameters_of_one_search_do_not_outlive_it(
    server_catalog: Catalog, rng: np.random.Generator
):
    support.add_ready(server_catalog, ["a.mp4"], rng)
    index = graph_index(server_catalog)
    index.publish()
    index.search(query_of(rng), 5)
    with server_catalog.read() as s:
        assert s.scalar(text("SHOW enable_sort")) == "on"
        assert s.scalar(text("SHOW hnsw.ef_search")) == "40"


def test_a_graph_is_due_once_and_an_interrupted_one_is_built_again(
    server_catalog: Catalog, rng: np.random.Generator
):
    support.add_ready(server_catalog, ["a.mp4", "b.mp4"], rng)
    index = graph_index(server_catalog)
    assert index.publish_due()
    assert index.publish().kind == "hnsw"
    assert not index.publish_due()
    assert index.state_text() == "HNSW"
    interrupt_the_building(
        server_catalog, VectorQuery("k1", "picture", support.DIMENSION).graph_name
    )
    with pytest.raises(CatalogError, match="was not finished"):
        index.state_text()
    assert index.publish_due()
    query = query_of(rng)
    index.refresh(force=True)
    assert_exact(index.search(query, 5), truth(server_catalog, query, 5))
    index.publish()
    assert index.state_text() == "HNSW"


def interrupt_the_building(catalog: Catalog, name: str) -> None:
    with catalog.outside_transactions() as connection:
        connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"),
            {"name": name},
        )


def test_graphs_of_keys_that_are_gone_are_dropped(
    server_catalog: Catalog, rng: np.random.Generator
):
    (video_id,) = support.add_ready(server_catalog, ["a.mp4"], rng, key="k1")
    graph_index(server_catalog, "k1").publish()
    with server_catalog.begin() as s:
        plan_tasks(s, video_id, [], {"picture": "k2"})
    support.do_all(server_catalog, video_id, rng)
    graph_index(server_catalog, "k2").publish()
    with server_catalog.read() as s:
        assert list_graphs(s.connection()) == [VectorQuery("k2", "picture", 0).graph_name]


def test_vectors_of_another_length_cannot_get_into_a_graph(
    server_catalog: Catalog, rng: np.random.Generator
):
    support.add_ready(server_catalog, ["a.mp4"], rng)
    graph_index(server_catalog).publish()
    video_id = support.add_video(server_catalog, "b.mp4", chunks=1)
    with server_catalog.begin() as s:
        item = chunk_tasks.claim_task(s, support.OWNER, 60, ["picture"], video_id=video_id)
    assert item is not None
    vectors = support.unit_vectors(rng, 2, 8)
    block = FrameBlock(np.arange(2.0), vectors, np.empty(0))
    with pytest.raises(CatalogError, match="16 dimensions"), server_catalog.begin() as s:
        commit_picture(
            s, item.task_id, support.OWNER, block, support.new_segments(item, vectors), 1.0
        )


def test_half_of_a_video_under_a_new_key_is_not_found(
    server_catalog: Catalog, rng: np.random.Generator
):
    """The graph of the new key holds its rows already; they are not live before the video is
    complete.
    """
    video_id, other = support.add_ready(server_catalog, ["a.mp4", "b.mp4"], rng, key="k1")
    index = graph_index(server_catalog, "k2")
    with server_catalog.begin() as s:
        plan_tasks(s, video_id, [], {"picture": "k2"})
    support.do_one(server_catalog, video_id, rng)
    assert index.publish().rows == 4
    assert len(index.search(query_of(rng), 100)) == 0
    support.do_one(server_catalog, video_id, rng)
    assert len(index.search(query_of(rng), 100)) == 8
    with server_catalog.begin() as s:
        videos.remove_video(s, other)
    assert len(graph_index(server_catalog, "k1").search(query_of(rng), 100)) == 0


def test_a_file_is_refused_with_what_to_do(sqlite_catalog: Catalog):
    with pytest.raises(UsageError, match=r"SQLite.*SEEKPOINT_DATABASE_URL"):
        PgVectorIndex(sqlite_catalog, "k1", 16)


def test_the_library_uses_what_the_setting_names_and_doctor_checks_it(
    server_catalog: Catalog, tmp_path: Path
):
    url = server_catalog.url.render_as_string(hide_password=False)
    library = Library(demo_settings(tmp_path / "home", database_url=url, vectors="pgvector"))
    assert isinstance(library.context.index_for("demo"), PgVectorIndex)
    with pytest.raises(UsageError, match="SEEKPOINT_VECTORS=faiss"):
        Library(demo_settings(tmp_path / "other", vectors="pgvector")).context.index_for("demo")


def test_a_server_without_pgvector_is_told_to_install_it(
    new_postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pgvector, "PGVECTOR_NEEDED", (99, 0))
    with pytest.raises(CatalogError, match=r"has pgvector 0\.\d.*99\.0 is needed"):
        migrate.upgrade(new_postgres_url)
    assert migrate.revision(new_postgres_url) is None, "nothing was half done"


def test_vectors_keep_every_bit_on_the_way_from_bytes_and_back(new_postgres_url: str):
    """Upgrade and downgrade convert the stored vectors inside the server: subnormal numbers, zeros
    of both signs, the largest.
    """
    bits = np.random.default_rng(0).integers(0, 2**16, 4096).astype("<u2")
    bits = bits[(bits >> 10) & 31 != 31]  # neither infinite nor not a number
    bits[:6] = (0x0000, 0x8000, 0x0001, 0x8001, 0x7BFF, 0xFBFF)
    stored = bits[: len(bits) // 16 * 16].reshape(-1, 16)
    migrate.upgrade(new_postgres_url)
    migrate.downgrade(new_postgres_url, "0002")
    with Catalog(new_postgres_url) as catalog, catalog.begin() as s:
        add_old_segments(s, stored)
    migrate.upgrade(new_postgres_url)
    with Catalog(new_postgres_url).open() as catalog, catalog.read() as s:
        (found,) = iterate_vectors(s, "k1")
        assert s.scalar(text("SELECT count(*) FROM segment WHERE key <> 'k1'")) == 0
    np.testing.assert_array_equal(found.vectors, stored.view("<f2").astype(np.float32))
    migrate.downgrade(new_postgres_url, "0002")
    with Catalog(new_postgres_url) as catalog, catalog.read() as s:
        back = s.execute(text("SELECT vector FROM segment ORDER BY id")).scalars().all()
    np.testing.assert_array_equal(np.frombuffer(b"".join(back), "<u2").reshape(-1, 16), stored)


def add_old_segments(s: Session, stored: np.ndarray) -> None:
    """Segments as revision 0002 held them: no key, vectors as bytes."""
    s.execute(text("INSERT INTO collection (name, created_at) VALUES ('films', now())"))
    columns = (
        "collection_id, content_hash, size_bytes, duration_s, width, height, codec, "
        "container, audio_tracks, rotation"
    )
    columns += ", state, picture_key, created_at"
    values = "id, 'x', 1, 90, 1, 1, 'h264', 'mp4', 0, 0, 'ready', 'k1', now()"
    s.execute(text(f"INSERT INTO video ({columns}) SELECT {values} FROM collection"))
    s.execute(
        text("INSERT INTO chunk (video_id, number, start_s, end_s) SELECT id, 0, 0, 90 FROM video")
    )
    s.execute(
        text(
            "INSERT INTO work (chunk_id, video_id, stage, key, state, attempts, "
            "priority, video_s, revision, created_at) "
            "SELECT id, video_id, 'picture', 'k1', 'done', 1, 0, 90, 7, now() FROM chunk"
        )
    )
    s.execute(
        text(
            "INSERT INTO segment (work_id, chunk_id, video_id, collection_id, start_s, "
            "end_s, thumbnail_s, vector) "
            "SELECT work.id, chunk_id, work.video_id, collection_id, 0, 5, 1, :vector "
            "FROM work JOIN video ON video.id = work.video_id"
        ),
        [{"vector": vector.tobytes()} for vector in stored],
    )
