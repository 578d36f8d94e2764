"""Nearest vectors inside PostgreSQL, by pgvector: exactly over the rows of a selection, or along
the HNSW graph of a key (hnsw.py).

What is live is asked of `chunk_task` and `video` in the statement itself: a row answers from the
moment its chunk is committed, and not any more when its video is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import String, bindparam, cast, func, literal, select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import in_values
from indexer.catalog.database.half_vector import FullVec, HalfVec, as_text
from indexer.catalog.tables.library import ChunkTask, Video
from indexer.catalog.vectors.live_chunks import is_live
from indexer.catalog.vectors.pgvector import set_locally
from indexer.catalog.vectors.vector_query import VectorQuery

MOST_SCANNED_ROWS = 2_000_000

EF_SEARCH_ROWS = 200, 1000
"""Rows that a scan looks at (hnsw.ef_search) lie between these; pgvector takes no more than 1,000
and then goes on in further scans.
"""

SCANNED_ROWS = 20_000

SPARE_ROWS = 16
"""Rounding a query to 16 bits moves scores by some 2e-5: so many more rows are compared again, so
that none is lost at the edge.
"""


def nearest_exactly(
    s: Session, query: VectorQuery, vector: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Ids (K,) int64 and inner products (K,) float32 of the `k` live rows that are nearest to
    `vector` (D,), best first, each row compared.

    With the vector in 16 bits, which a server compares several times faster, and the best and some
    more again with the whole of it.
    """
    table = query.table
    tasks = _live_tasks(s, query).cte("tasks").prefix_with("MATERIALIZED", dialect="postgresql")
    # Not the expression of the graph, so the graph is not used.
    distance = table.vector.op("<#>")(cast(_as_parameter(vector), HalfVec()))
    near = (
        select(table.id, table.vector)
        .where(table.task_id.in_(select(tasks.c.id)), table.vector.is_not(None))
        .order_by(distance)
        .limit(k + max(SPARE_ROWS, k // 8))
        .subquery("near")
    )
    found = (
        select(near.c.id, _full_distance(near.c.vector, vector).label("distance"))
        .order_by("distance")
        .limit(k)
    )
    return _ids_and_scores(s.execute(found).all())


def nearest_along_graph(
    s: Session, query: VectorQuery, vector: np.ndarray, k: int, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """The same along the HNSW index; fewer than `k` where the scan found no more. `share`: how much
    of the rows may answer, about.

    The parameters hold for the transaction alone.
    """
    _set_scan(s, min(k / max(share, 1e-6), MOST_SCANNED_ROWS))
    table = query.table
    half_vec = HalfVec(query.dimension)
    distance = cast(table.vector, half_vec).op("<#>")(cast(_as_parameter(vector), half_vec))
    near = select(table.id, _full_distance(table.vector, vector).label("distance")).where(
        table.key == literal(query.key, literal_execute=True)
    )
    if query.collection_ids is not None:
        near = near.where(in_values(s, table.collection_id, query.collection_ids))
    if query.video_ids is not None:
        near = near.where(in_values(s, table.video_id, query.video_ids))
    near = (
        near.join(ChunkTask, ChunkTask.id == table.task_id)
        .join(Video, is_live(query.key, query.stage))
        .order_by(distance)
        .limit(k)
        .cte("near")
    )
    found = s.execute(select(near.c.id, near.c.distance)).all()
    return _ids_and_scores(sorted(found, key=lambda row: row.distance))


def _set_scan(s: Session, wanted_rows: float) -> None:
    set_locally(
        s,
        {
            "hnsw.ef_search": int(np.clip(wanted_rows, *EF_SEARCH_ROWS)),
            "hnsw.iterative_scan": "relaxed_order",
            "hnsw.max_scan_tuples": int(max(SCANNED_ROWS, 4 * wanted_rows)),
            "hnsw.scan_mem_multiplier": 16,
            # The planner takes sorting all rows for cheaper than the graph where its estimates of
            # the filters are poor.
            "enable_sort": "off",
            "enable_seqscan": "off",
            "plan_cache_mode": "force_custom_plan",
        },
    )


# --- how much there is ---


def count_chunks(s: Session, query: VectorQuery, at_most: int | None = None) -> int:
    """Live chunks of what is searched, counted no further than `at_most`."""
    tasks = _live_tasks(s, query).limit(at_most).subquery()
    return s.scalar(select(func.count()).select_from(tasks)) or 0


def count_rows(s: Session, query: VectorQuery, at_most: int | None = None) -> int:
    """Rows with a vector under the key, those that are not live yet too."""
    rows = select(query.table.id).where(*_has_vector(query)).limit(at_most)
    return s.scalar(select(func.count()).select_from(rows.subquery())) or 0


def vector_dimension(s: Session, query: VectorQuery) -> int | None:
    """Numbers in a vector under the key; None where there is none."""
    dimension = select(func.vector_dims(query.table.vector))
    return s.scalar(dimension.where(*_has_vector(query)).limit(1))


def _has_vector(query: VectorQuery) -> tuple[Any, Any]:
    return query.table.key == query.key, query.table.vector.is_not(None)


def _live_tasks(s: Session, query: VectorQuery) -> Any:
    tasks = select(ChunkTask.id).join(Video, is_live(query.key, query.stage))
    if query.collection_ids is not None:
        tasks = tasks.where(in_values(s, Video.collection_id, query.collection_ids))
    if query.video_ids is not None:
        tasks = tasks.where(in_values(s, Video.id, query.video_ids))
    return tasks


def _full_distance(column: Any, vector: np.ndarray) -> Any:
    """The negative inner product, in 32-bit floats: what the 16 bits of the rows say, and the whole
    of the vector.
    """
    return cast(column, FullVec()).op("<#>")(cast(_as_parameter(vector), FullVec()))


def _as_parameter(vector: np.ndarray) -> Any:
    return bindparam(None, as_text(vector), type_=String, unique=True)


def _ids_and_scores(found: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    ids = np.array([row.id for row in found], np.int64)
    return ids, np.array([-row.distance for row in found], np.float32)
