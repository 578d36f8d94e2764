"""Building a snapshot from the catalog, in memory that does not grow with the exact vectors: they
go from SQL to the file in batches.

The inverted lists are built in memory, about 400 bytes a row of 384 numbers.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from indexer.catalog.database.session import Catalog
from indexer.catalog.vectors.live_chunks import get_live_chunks
from indexer.catalog.vectors.vector_rows import VectorRows, iterate_vectors
from indexer.errors import CatalogError
from indexer.vectors.durable_files import flush, save_array, sha256
from indexer.vectors.faiss_rows import fp16_index, read_index
from indexer.vectors.recall import calibrate_nprobe
from indexer.vectors.rowset import RowSet
from indexer.vectors.snapshot import Manifest, write_manifest
from indexer.vocabulary import StageName

BATCH_ROWS = 20_000
# k-means: points per list that it learns from (FAISS warns below 39), and rounds; more of either
# did not raise recall.
TRAIN_POINTS = 40
TRAIN_ROUNDS = 6


# Each row is compared with the centre of each list: for ten million rows that is most of the work.
MAX_LISTS = 4096


def list_count(row_count: int) -> int:
    """Inverted lists for so many rows: the power of two next to 2 sqrt(N), so that lists and rows
    per probe grow alike, and at most MAX_LISTS.

    250,000 rows: 1,024 lists; 1,000,000: 2,048; 4,000,000 and more: 4,096.
    """
    return min(MAX_LISTS, 2 ** max(0, round(np.log2(2 * max(row_count, 1) ** 0.5))))


def build_snapshot(
    catalog: Catalog,
    key: str,
    dimension: int,
    parent: Path,
    flat_max_rows: int,
    stage: str = StageName.PICTURE,
) -> tuple[Path, str, Manifest]:
    """A new folder below `parent`, complete and flushed, the checksum of its manifest, and the
    manifest. Nothing points to it yet.
    """
    aside = parent / f".building-{os.getpid()}-{secrets.token_hex(4)}"
    aside.mkdir()
    try:
        with catalog.read() as session:
            chunks = np.stack(get_live_chunks(session, key, stage))
            columns = _write_exact(
                aside / "exact.faiss",
                iterate_vectors(session, key, BATCH_ROWS, stage),
                dimension,
                key,
            )
        save_array(aside / "rows.npy", columns)
        save_array(aside / "chunks.npy", chunks)
        nlist = list_count(columns.shape[1]) if columns.shape[1] > flat_max_rows else 0
        nprobe = _write_lists(aside, columns, nlist) if nlist else 0
        names = sorted(entry.name for entry in aside.iterdir())
        files = {name: sha256(aside / name) for name in names}
        manifest = Manifest(key, dimension, columns.shape[1], chunks.shape[1], nlist, nprobe, files)
        digest = write_manifest(aside, manifest)
        for entry in aside.iterdir():
            flush(entry)
        flush(aside)
        folder = parent / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return folder, digest, manifest


def _write_exact(path: Path, batches: Iterator[VectorRows], dimension: int, key: str) -> np.ndarray:
    """Streams the vectors into the file that faiss.write_index would write; (4, N) int64: ids,
    chunks, videos, collections.

    That file ends with the codes: their length in 8 bytes, then the float16 numbers themselves.
    What stands before differs by the number of rows alone.
    """
    columns: list[np.ndarray] = []
    with path.open("wb") as file:
        file.write(_header(dimension, 0))
        for batch in batches:
            if batch.vectors.shape[1] != dimension:
                raise CatalogError(
                    "vectors of {key} have {found} numbers, its embedder makes {dimension}",
                    "run: seekpoint reindex",
                    key=key,
                    found=batch.vectors.shape[1],
                    dimension=dimension,
                )
            file.write(batch.vectors.astype("<f2").tobytes())
            columns.append(
                np.stack([batch.ids, batch.chunk_ids, batch.video_ids, batch.collection_ids])
            )
        stacked = np.concatenate(columns, axis=1) if columns else np.empty((4, 0), np.int64)
        file.seek(0)
        file.write(_header(dimension, stacked.shape[1]))
    return stacked


def _header(dimension: int, count: int) -> bytes:
    empty = fp16_index(dimension)
    empty.ntotal = count
    written = faiss.serialize_index(empty).tobytes()
    return written[:-8] + (count * empty.code_size).to_bytes(8, "little")


def _write_lists(folder: Path, columns: np.ndarray, nlist: int) -> int:
    """Writes the inverted lists over the rows of exact.faiss; how many of them a search shall
    probe.
    """
    exact = RowSet.of_columns(columns, read_index(folder / "exact.faiss"))
    ivf = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(exact.index.d),
        exact.index.d,
        nlist,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )
    ivf.cp.niter = TRAIN_ROUNDS
    ivf.cp.spherical = True
    ivf.cp.min_points_per_centroid = 1
    ivf.train(exact.vectors(_sample(len(exact), TRAIN_POINTS * nlist)))
    for start in range(0, len(exact), BATCH_ROWS):
        ivf.add(exact.vectors(slice(start, start + BATCH_ROWS)))
    faiss.write_index(ivf, str(folder / "ivf.faiss"))
    return calibrate_nprobe(exact, ivf)


def _sample(count: int, wanted: int) -> Any:
    if wanted >= count:
        return slice(None)
    return np.sort(np.random.default_rng(0).choice(count, wanted, replace=False))
