"""Nearest vectors inside PostgreSQL, by pgvector: exactly over the rows of a selection, or along an
HNSW graph per key.

Malkov, Yashunin: Efficient and robust approximate nearest neighbor search using hierarchical
navigable small world graphs (2016). A graph is a partial index over the rows of one key, so vectors
of two embedders never meet in it. What is live is asked of `work` and `video` in the statement
itself: a row answers from the moment its chunk is committed, and not any more when its video is
gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, String, and_, bindparam, cast, func, literal, select, text
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import among
from indexer.catalog.database.half_vector import FullVec, HalfVec, as_text
from indexer.catalog.tables import SEGMENT_STAGES, SERVED_KEY, Passage, Segment, Video, Work
from indexer.errors import CatalogError

PGVECTOR_NEEDED = (0, 8)
"""halfvec came with 0.7, scans that go on until enough rows passed the filters (iterative scan)
with 0.8.
"""
INDEX_PREFIX = {"segment": "ix_segment_vector_", "passage": "ix_passage_vector_"}
MOST_SCANNED = 2_000_000
# Rows that a scan looks at (hnsw.ef_search) lie between these; pgvector takes no more than 1,000
# and then goes on in further scans.
EF_SEARCH = 200, 1000
SCANNED_ROWS = 20_000
# Rounding a query to 16 bits moves scores by some 2e-5: so many more rows are compared again, so
# that none is lost at the edge.
SPARE = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched: rows under `key` of a stage, in these collections and videos (None: any),
    `dimension` numbers each.
    """

    key: str
    stage: str
    dimension: int
    collection_ids: Sequence[int] | None = None
    video_ids: Sequence[int] | None = None

    @property
    def row(self) -> Any:
        return Segment if self.stage in SEGMENT_STAGES else Passage

    @property
    def table(self) -> str:
        return self.row.__tablename__

    @property
    def index(self) -> str:
        """Name of the HNSW index of the key."""
        return INDEX_PREFIX[self.table] + hashlib.sha256(self.key.encode()).hexdigest()[:16]


def nearest_exactly(
    s: Session, asked: Asked, query: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Ids and inner products of the `k` best live rows, best first, each row compared.

    With the query in 16 bits, which a server compares several times faster, and the best and some
    more again with the whole of it.
    """
    row = asked.row
    works = _live_works(s, asked).cte("works").prefix_with("MATERIALIZED", dialect="postgresql")
    halves = row.vector.op("<#>")(
        cast(_text(query), HalfVec())
    )  # not the expression of the graph, so the graph is not used
    near = (
        select(row.id, row.vector)
        .where(row.work_id.in_(select(works.c.id)), row.vector.is_not(None))
        .order_by(halves)
        .limit(k + max(SPARE, k // 8))
        .subquery("near")
    )
    found = (
        select(near.c.id, _distance(near.c.vector, query).label("distance"))
        .order_by("distance")
        .limit(k)
    )
    return _ids_and_scores(s.execute(found).all())


def nearest_along_graph(
    s: Session, asked: Asked, query: np.ndarray, k: int, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """The same along the HNSW index; fewer than `k` where the scan found no more. `share`: how much
    of the rows may answer, about.

    The parameters hold for the transaction alone.
    """
    wanted = min(k / max(share, 1e-6), MOST_SCANNED)
    set_locally(
        s,
        {
            "hnsw.ef_search": int(np.clip(wanted, *EF_SEARCH)),
            "hnsw.iterative_scan": "relaxed_order",
            "hnsw.max_scan_tuples": int(max(SCANNED_ROWS, 4 * wanted)),
            "hnsw.scan_mem_multiplier": 16,
            # The planner takes sorting all rows for cheaper than the graph where its estimates of
            # the filters are poor.
            "enable_sort": "off",
            "enable_seqscan": "off",
            "plan_cache_mode": "force_custom_plan",
        },
    )
    row = asked.row
    halves = cast(row.vector, HalfVec(asked.dimension)).op("<#>")(
        cast(_text(query), HalfVec(asked.dimension))
    )
    near = select(row.id, _distance(row.vector, query).label("distance")).where(
        row.key == literal(asked.key, literal_execute=True)
    )
    if asked.collection_ids is not None:
        near = near.where(among(s, row.collection_id, asked.collection_ids))
    if asked.video_ids is not None:
        near = near.where(among(s, row.video_id, asked.video_ids))
    near = (
        near.join(Work, Work.id == row.work_id)
        .join(Video, _live(asked))
        .order_by(halves)
        .limit(k)
        .cte("near")
    )
    found = s.execute(select(near.c.id, near.c.distance)).all()
    return _ids_and_scores(sorted(found, key=lambda it: it.distance))


def _distance(vector: Any, query: np.ndarray) -> Any:
    """The negative inner product, in 32-bit floats: what the 16 bits of the rows say, and the whole
    of the query.
    """
    return cast(vector, FullVec()).op("<#>")(cast(_text(query), FullVec()))


def _text(query: np.ndarray) -> Any:
    return bindparam(None, as_text(query), type_=String, unique=True)


def _live(asked: Asked) -> Any:
    return and_(
        Video.id == Work.video_id,
        SERVED_KEY[asked.stage] == asked.key,
        Work.stage == asked.stage,
        Work.key == asked.key,
        Work.state == "done",
    )


def _live_works(s: Session, asked: Asked) -> Any:
    works = select(Work.id).join(Video, _live(asked))
    if asked.collection_ids is not None:
        works = works.where(among(s, Video.collection_id, asked.collection_ids))
    if asked.video_ids is not None:
        works = works.where(among(s, Video.id, asked.video_ids))
    return works


def _ids_and_scores(found: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([it.id for it in found], np.int64), np.array(
        [-it.distance for it in found], np.float32
    )


# --- how much there is ---


def count_chunks(s: Session, asked: Asked, at_most: int | None = None) -> int:
    """Live chunks of what is asked, counted no further than `at_most`."""
    return (
        s.scalar(select(func.count()).select_from(_live_works(s, asked).limit(at_most).subquery()))
        or 0
    )


def count_rows(s: Session, asked: Asked, at_most: int | None = None) -> int:
    """Rows with a vector under the key, those that are not live yet too."""
    rows = (
        select(asked.row.id)
        .where(asked.row.key == asked.key, asked.row.vector.is_not(None))
        .limit(at_most)
    )
    return s.scalar(select(func.count()).select_from(rows.subquery())) or 0


def stored_dimension(s: Session, asked: Asked) -> int | None:
    """Numbers in a vector under the key; None where there is none."""
    one = (
        select(func.vector_dims(asked.row.vector))
        .where(asked.row.key == asked.key, asked.row.vector.is_not(None))
        .limit(1)
    )
    return s.scalar(one)


# --- the graphs ---


def has_graph(s: Session, asked: Asked) -> bool | None:
    """Whether the HNSW index of the key is there and complete; None: one is there whose building
    was interrupted.
    """
    found = text(
        "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = :name"
    )
    valid = s.execute(found, {"name": asked.index}).scalar()
    return False if valid is None else (True if valid else None)


def graph_bytes(s: Session, asked: Asked) -> int:
    return s.scalar(text("SELECT pg_relation_size(to_regclass(:name))"), {"name": asked.index}) or 0


def build_graph(connection: Connection, asked: Asked, *, memory_mb: int) -> None:
    """Builds the HNSW index of the key, or builds it anew; searches and commits go on meanwhile.
    `connection` is in no transaction.
    """
    connection.execute(
        text("SELECT set_config('maintenance_work_mem', :value, false)"),
        {"value": f"{memory_mb}MB"},
    )
    valid = connection.execute(
        text(
            "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = :name"
        ),
        {"name": asked.index},
    ).scalar()
    if valid:
        connection.exec_driver_sql(f"REINDEX INDEX CONCURRENTLY {asked.index}")
        return
    connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {asked.index}")
    key = str(
        literal(asked.key).compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
    ).replace("%", "%%")
    connection.exec_driver_sql(
        f"CREATE INDEX CONCURRENTLY {asked.index} ON {asked.table} "
        f"USING hnsw ((vector::halfvec({asked.dimension})) halfvec_ip_ops) WHERE key = {key}"
    )


def drop_graph(connection: Connection, name: str) -> None:
    connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def left_over_graphs(s: Session) -> list[str]:
    """Names of HNSW indexes, whole or interrupted, of keys that no work has any more."""
    keys = s.execute(select(Work.stage, Work.key).distinct()).all()
    wanted = {Asked(key, stage, 0).index for stage, key in keys}
    return [
        name
        for name in _graphs(s.connection())
        if name not in wanted and not name.endswith(("_ccnew", "_ccold"))
    ]


def drop_all_indexes(connection: Connection) -> None:
    for name in _graphs(connection):
        connection.exec_driver_sql(f"DROP INDEX {name}")


def _graphs(connection: Connection) -> list[str]:
    there = text(
        "SELECT relname FROM pg_class WHERE relkind = 'i' AND relname ~ :pattern ORDER BY 1"
    )
    return list(
        connection.execute(there, {"pattern": f"^({'|'.join(INDEX_PREFIX.values())})"}).scalars()
    )


def try_lock(connection: Connection, number: int) -> bool:
    """An advisory lock of this connection, if nobody has it."""
    return bool(connection.execute(select(func.pg_try_advisory_lock(number))).scalar())


def unlock(connection: Connection, number: int) -> None:
    connection.execute(select(func.pg_advisory_unlock(number)))


# --- the server ---


def require_pgvector(connection: Connection) -> None:
    """Adds the extension to the database. Raises CatalogError where the server has none, or one
    that is too old.
    """
    there = text(
        "SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'"
    )
    found = connection.execute(there).one_or_none()
    wanted = ".".join(map(str, PGVECTOR_NEEDED))
    if found is None:
        raise CatalogError(
            "The PostgreSQL server has no pgvector ({wanted} or later), which holds the vectors",
            "Install it there (a package of the system, such as postgresql-17-pgvector), "
            "then run: seekpoint db upgrade",
            wanted=wanted,
        )
    version = found.installed_version or found.default_version
    if tuple(int(part) for part in version.split(".")[:2]) < PGVECTOR_NEEDED:
        raise CatalogError(
            "The PostgreSQL server has pgvector {version}, {wanted} is needed",
            "Upgrade it, then: ALTER EXTENSION vector UPDATE",
            version=version,
            wanted=wanted,
        )
    if found.installed_version is None:
        _add_extension(connection)


def _add_extension(connection: Connection) -> None:
    may = connection.execute(
        text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    ).scalar()
    trusted = connection.execute(
        text(
            "SELECT coalesce(bool_or(trusted), false) FROM pg_available_extension_versions WHERE name = 'vector'"
        )
    ).scalar()
    if not may and not trusted:
        raise CatalogError(
            "The user of SEEKPOINT_DATABASE_URL may not add pgvector to the database",
            "Let an administrator run there: CREATE EXTENSION vector; then run: seekpoint db upgrade",
        )
    connection.execute(text("CREATE EXTENSION vector"))


def set_locally(s: Session, values: dict[str, Any]) -> None:
    """SET LOCAL of several parameters in one statement."""
    s.execute(select(*[func.set_config(name, str(value), True) for name, value in values.items()]))
