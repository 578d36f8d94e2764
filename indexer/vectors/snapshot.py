"""A snapshot: what was live under one key at one time, in files that are mapped, never changed, and
checked before they are used.

SNAPSHOTS/KEY/CURRENT               name of the snapshot and checksum of its manifest
SNAPSHOTS/KEY/STAMP/manifest.json   key, dimension, counts, parameters, checksums of the files below
.../exact.faiss                     all vectors as float16 (rowset.py)
.../ivf.faiss                       inverted lists with 8-bit scalars, past `flat_max_rows`
.../rows.npy                        (4, N) int64: ids, chunk, video and collection of each row
.../chunks.npy                      (2, M) int64: chunks by rising id, and the revision that is
contained
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer import vectors
from indexer.errors import SnapshotError
from indexer.vectors.base import NO_HITS, Hits
from indexer.vectors.durable_files import sha256, write_whole
from indexer.vectors.rowset import RowSet

FORMAT = 1
CURRENT = "CURRENT"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`nlist` and `nprobe` are 0 for a flat snapshot. `files`: name -> sha256."""

    key: str
    dimension: int
    rows: int
    chunks: int
    nlist: int
    nprobe: int
    files: dict[str, str]
    format: int = FORMAT

    @property
    def kind(self) -> str:
        """`ivf` where the vectors are in clusters, `flat` where all are compared."""
        return "ivf" if self.nlist else "flat"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`chunk_ids` (M,) int64 rising, `revisions` (M,) int64; `ivf` is None where the exact rows are
    searched themselves.
    """

    folder: Path
    manifest: Manifest
    rows: RowSet
    chunk_ids: np.ndarray
    revisions: np.ndarray
    ivf: Any

    def search(self, query: np.ndarray, k: int, mask: np.ndarray | None, exact_rows: int) -> Hits:
        """Exact up to `exact_rows` rows that the mask lets through; beyond, the inverted lists,
        whose hits are scored exactly.
        """
        if self.ivf is None:
            return self.rows.search(query, k, mask)
        count = len(self.rows) if mask is None else int(np.count_nonzero(mask))
        if not count:
            return NO_HITS
        if mask is not None and count < exact_rows:
            return self.rows.search(query, k, mask)
        return self._search_lists(query, k, mask, count)

    def _search_lists(self, query: np.ndarray, k: int, mask: np.ndarray | None, count: int) -> Hits:
        """A selector hides most of what a list holds: lists are probed in inverse proportion, and
        twice as many until nothing new comes.
        """
        nlist = self.manifest.nlist
        wanted = min(
            count, 2 * k
        )  # 8-bit scores misplace neighbours: twice as many candidates are scored exactly
        nprobe = min(nlist, -(-self.manifest.nprobe * len(self.rows) // count))
        hits = self._probe(query, k, mask, wanted, nprobe)
        if mask is None and len(hits) == min(k, count):
            return hits
        while nprobe < nlist:
            nprobe = min(nlist, 2 * nprobe)
            more = self._probe(query, k, mask, wanted, nprobe)
            settled = len(more) == min(k, count) and np.array_equal(more.ids, hits.ids)
            hits = more
            if settled:
                break
        return hits

    def _probe(
        self, query: np.ndarray, k: int, mask: np.ndarray | None, wanted: int, nprobe: int
    ) -> Hits:
        _, rows = vectors.faiss_rows.search_rows(self.ivf, query, wanted, mask, nprobe=nprobe)
        return self.rows.rescore(query, rows, k)


def key_folder(snapshots: Path, key: str) -> Path:
    """Folder of a key: readable, and different for different keys."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")[:40]
    return snapshots / f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """The checksum of the manifest, which CURRENT carries."""
    content = json.dumps(asdict(manifest), indent=1, sort_keys=True).encode()
    (folder / MANIFEST).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def point_to(folder: Path, digest: str) -> None:
    """Makes the snapshot in `folder` the current one, in one step."""
    write_whole(folder.parent / CURRENT, f"{folder.name} {digest}\n".encode())


def read_pointer(parent: Path) -> str | None:
    """What CURRENT says; None: no snapshot was published."""
    try:
        return (parent / CURRENT).read_bytes().decode("ascii", "replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def open_snapshot(parent: Path, pointer: str, key: str, dimension: int) -> Snapshot:
    """The snapshot that CURRENT names, mapped. Raises SnapshotError where anything is not as it was
    written, or is not of this key.
    """
    name, _, digest = pointer.partition(" ")
    folder = parent / name
    if not name or os.sep in name or name.startswith("."):
        raise _broken(folder, "CURRENT is damaged")
    try:
        return _open(folder, digest, key, dimension)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise _broken(
            folder,
            str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__,
        ) from error


def _open(folder: Path, digest: str, key: str, dimension: int) -> Snapshot:
    content = (folder / MANIFEST).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise _broken(folder, "the manifest does not match its checksum")
    manifest = Manifest(**json.loads(content))
    if (manifest.format, manifest.key, manifest.dimension) != (FORMAT, key, dimension):
        raise _broken(
            folder,
            f"it holds {manifest.dimension} numbers of {manifest.key!r}, "
            f"wanted {dimension} of {key!r}",
        )
    _verify(folder, manifest)
    columns = np.load(folder / "rows.npy", mmap_mode="r")
    chunks = np.load(folder / "chunks.npy", mmap_mode="r")
    exact = vectors.faiss_rows.read_index(folder / "exact.faiss")
    ivf = vectors.faiss_rows.read_index(folder / "ivf.faiss") if manifest.nlist else None
    if {len(columns[0]), exact.ntotal, manifest.rows if ivf is None else ivf.ntotal} != {
        manifest.rows
    }:
        raise _broken(folder, "its files hold different numbers of rows")
    rows = RowSet.of_columns(columns, exact)
    return Snapshot(folder, manifest, rows, np.asarray(chunks[0]), np.asarray(chunks[1]), ivf)


def _verify(folder: Path, manifest: Manifest) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = dict(
            zip(manifest.files, pool.map(lambda name: sha256(folder / name), manifest.files))
        )
    wrong = [name for name, digest in manifest.files.items() if found[name] != digest]
    if wrong:
        raise _broken(folder, f"{', '.join(wrong)} does not match its checksum")


def remove_others(parent: Path, keep: set[str]) -> None:
    """Deletes what is no longer pointed to; processes that have it mapped keep it until they let
    go.
    """
    for entry in parent.iterdir():
        if entry.is_dir() and entry.name not in keep:
            shutil.rmtree(entry, ignore_errors=True)


def _broken(folder: Path, reason: str) -> SnapshotError:
    return SnapshotError(
        "the vector snapshot {folder} cannot be used: {reason}",
        "it is built again from the catalog",
        folder=folder,
        reason=reason,
    )
