"""`FaissIndex`: the vectors of one stage key, from a mapped snapshot and a tail of what was
committed since.

A search works on a `_View`, a value that `refresh` replaces: no search waits for another, for a
refresh or for a new snapshot.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.orm import Session

from indexer.catalog.database.session import Catalog
from indexer.catalog.vectors.live_chunks import LiveState, get_live_chunks, get_live_state
from indexer.catalog.vectors.vector_rows import VectorRows, chunk_vectors, count_vectors
from indexer.errors import CatalogError, SnapshotError, StorageError
from indexer.settings import Settings
from indexer.vectors.base import Hits, Published, RecallReport, Selection, check_query, merge_hits
from indexer.vectors.recall import check_recall
from indexer.vectors.snapshot import Snapshot
from indexer.vectors.snapshot_store import SnapshotStore, remove_snapshots_except
from indexer.vectors.tail import Tail
from indexer.vocabulary import StageName

__all__ = ["FaissIndex", "remove_snapshots_except"]

log = logging.getLogger(__name__)

REFRESH_S = 0.5
# With many chunks asking what is live takes long: so long after it, times what it took, it is not
# asked again, but no longer than this.
PAUSES, LONGEST_PAUSE_S = 5, 5.0
# A restricted search is exact below so many rows.
EXACT_ROWS = 100_000
# A snapshot is due when the tail, or what is dead in the snapshot, exceeds the larger of this and a
# tenth of the snapshot.
TAIL_ROWS = 20_000
LOAD_CHUNKS = 500


@dataclass(frozen=True, slots=True)
class _View:
    """What is searched now. `alive` (N,) bool over the rows of the snapshot, None: all; `state`:
    the fingerprint that it shows.
    """

    pointer: str | None = None
    snapshot: Snapshot | None = None
    alive: np.ndarray | None = None
    tail: Tail = field(default_factory=Tail)
    state: LiveState | None = None

    @property
    def dead_rows(self) -> int:
        return 0 if self.alive is None else int(np.count_nonzero(~self.alive))

    def due(self, tail_rows: int) -> bool:
        stored = len(self.snapshot.rows) if self.snapshot else 0
        return max(len(self.tail), self.dead_rows) > max(tail_rows, stored // 10)

    def search(self, query: np.ndarray, k: int, selection: Selection, exact_rows: int) -> Hits:
        parts = self.tail.search(query, k, selection)
        if self.snapshot is not None:
            mask = self.snapshot.rows.mask(selection)
            if self.alive is not None:
                mask = self.alive if mask is None else mask & self.alive
            parts.append(self.snapshot.search(query, k, mask, exact_rows))
        return merge_hits(parts, k)


class FaissIndex:
    """Vectors (D,) of the segments (of the passages, where `stage` is not picture) under `key`;
    snapshots lie below `settings.snapshots`.

    Safe to share between threads.

    `exact_rows` and `tail_rows` are for tests that shall not need a hundred thousand rows.
    """

    def __init__(
        self,
        catalog: Catalog,
        key: str,
        dimension: int,
        settings: Settings,
        *,
        stage: str = StageName.PICTURE,
        exact_rows: int = EXACT_ROWS,
        tail_rows: int = TAIL_ROWS,
    ) -> None:
        self.key = key
        self.dimension = dimension
        self.stage = stage
        self._catalog = catalog
        self._store = SnapshotStore(catalog, key, dimension, settings, stage)
        self._exact_rows = exact_rows
        self._tail_rows = tail_rows
        self._watch = catalog.watch()
        self._lock = threading.RLock()
        self._view: _View | None = None
        self._checked_at = -np.inf
        self._pause_s = REFRESH_S
        self._outdated = True
        self._ahead: _OpenAhead | None = None

    def search(self, query: np.ndarray, k: int, selection: Selection = Selection()) -> Hits:  # noqa: B008 (frozen)
        """The `k` live segments of the selection with the largest inner product with `query` (D,)
        float32, best first.
        """
        query = check_query(query, k, self.dimension)
        return self._fresh().search(query, k, selection, self._exact_rows)

    def refresh(self, *, force: bool = False) -> None:
        """Takes up what was committed and published since; unless forced, or for the first time, at
        most every half second, and more seldom where asking takes long.
        """
        view = self._view
        if not force and view is not None and time.monotonic() - self._checked_at < self._pause_s:
            return
        if not self._lock.acquire(blocking=force or view is None):
            return  # another thread is at it; this search shows what is there
        try:
            if not force and self._view is not view:
                return  # another thread was faster
            self._view = self._newer(self._view, force)
            self._checked_at = time.monotonic()
        finally:
            self._lock.release()

    def publish(self, *, keep_previous: bool = True) -> Published:
        """Writes what is live as a new snapshot and searches it. Raises StorageError; the old
        snapshot then goes on.
        """
        published = self._store.publish(keep_previous=keep_previous)
        self.refresh(force=True)
        return published

    def publish_due(self) -> bool:
        """Whether the tail, or the dead rows of the snapshot, have grown so much that a new
        snapshot pays.
        """
        self.refresh(force=True)
        view = self._view
        return view is not None and view.due(self._tail_rows)

    def self_check(self, queries: int = 50) -> RecallReport:
        """Recall of this index, as it is searched, against all rows of its snapshot, computed by
        another route.
        """
        view = self._fresh()
        if view.snapshot is None or not len(view.snapshot.rows):
            return RecallReport(
                len(view.tail), 0, 1.0, 1.0, 1.0
            )  # nothing but the tail, which is searched exactly

        def search(query: np.ndarray, k: int, selection: Selection) -> Hits:
            return view.search(query, k, selection, self._exact_rows)

        exact = (
            view.snapshot.rows
            if view.alive is None
            else view.snapshot.rows.take(np.flatnonzero(view.alive))
        )
        return check_recall(exact, search, queries)

    @property
    def memory_bytes(self) -> int:
        """Bytes in main memory: the tail and the mask of live rows; the snapshot is mapped."""
        view = self._view
        if view is None:
            return 0
        return view.tail.memory_bytes + (0 if view.alive is None else view.alive.nbytes)

    # --- keeping up ---

    def _fresh(self) -> _View:
        self.refresh()
        view = self._view
        if view is None:
            raise SnapshotError("the vectors of {key} were not loaded", "ask again", key=self.key)
        return view

    def _newer(self, view: _View | None, force: bool) -> _View:
        base = self._open_view() if view is None else self._on_current_snapshot(view, force)
        if self._watch.has_changed():
            self._outdated = True  # until it was taken up: an error on the way must not lose it
        if base.state is not None and not (self._outdated or force):
            return base
        newer = self._caught_up(base)
        self._outdated = False
        return newer

    def _open_view(self) -> _View:
        """On first use: a snapshot is written before, where reading the rows into memory would cost
        about as much.
        """
        pointer, snapshot = self._store.open_or_rebuild()
        view = _View(pointer, snapshot)
        with self._catalog.read_replica() as session:
            stored = len(snapshot.rows) if snapshot else 0
            missing = count_vectors(session, self.key, self._lacking(session, view), self.stage)
        if missing <= max(self._tail_rows, stored // 10):
            return view
        try:
            self._store.publish()
        except StorageError as error:
            log.warning("%s; %d vectors are held in memory meanwhile", error, missing)
            return view
        return _View(*self._store.open_or_rebuild())

    def _on_current_snapshot(self, view: _View, wait: bool) -> _View:
        """The view, or one on a newer snapshot; that is checked in the background while the old one
        answers.
        """
        pointer = self._store.pointer()
        if pointer == view.pointer:
            return view
        if pointer is None:
            return self._open_view()
        if wait:
            return _View(*self._store.open_or_rebuild())
        if self._ahead is None or self._ahead.pointer != pointer:
            self._ahead = _OpenAhead(self._store, pointer)
        if self._ahead.is_alive():
            return view
        ahead, self._ahead = self._ahead, None
        return _View(*ahead.opened)

    def _lacking(self, session: Session, view: _View) -> np.ndarray:
        """Live chunks that neither snapshot nor tail hold."""
        return _Difference.of(view, *get_live_chunks(session, self.key, self.stage)).lacking

    def _caught_up(self, view: _View) -> _View:
        with self._catalog.read_replica() as session:
            started = time.monotonic()
            state = get_live_state(session, self.key, self.stage)
            took_s = time.monotonic() - started
            self._pause_s = min(max(REFRESH_S, PAUSES * took_s), LONGEST_PAUSE_S)
            if state == view.state:
                return view
            chunk_ids, revisions = get_live_chunks(session, self.key, self.stage)
            difference = _Difference.of(view, chunk_ids, revisions)
            tail = view.tail.without(difference.dead_in_tail)
            revision_of = dict(zip(chunk_ids.tolist(), revisions.tolist()))
            for start in range(0, len(difference.lacking), LOAD_CHUNKS):
                lot = difference.lacking[start : start + LOAD_CHUNKS].tolist()
                loaded = chunk_vectors(session, lot, self.key, self.stage)
                self._check_dimension(loaded)
                tail = tail.plus(loaded, {chunk: revision_of[chunk] for chunk in lot})
        return _View(
            view.pointer,
            view.snapshot,
            _alive(view.snapshot, difference.dead_in_snapshot),
            tail,
            state,
        )

    def _check_dimension(self, loaded: VectorRows) -> None:
        if len(loaded) and loaded.vectors.shape[1] != self.dimension:
            found = loaded.vectors.shape[1]
            raise CatalogError(
                "vectors of {key} have {found} numbers, its embedder makes {dimension}",
                "run: seekpoint reindex",
                key=self.key,
                found=found,
                dimension=self.dimension,
            )


class _OpenAhead(threading.Thread):
    def __init__(self, store: SnapshotStore, pointer: str) -> None:
        super().__init__(daemon=True, name="open-snapshot")
        self.pointer = pointer
        self.opened: tuple[str | None, Snapshot | None] = (None, None)
        self._store = store
        self.start()

    def run(self) -> None:
        try:
            self.opened = self._store.open_or_rebuild()
        except (CatalogError, SnapshotError) as error:
            log.warning("%s", error)  # (None, None): the tail holds everything until the next look


@dataclass(frozen=True, slots=True)
class _Difference:
    """Chunk ids: live and held nowhere; held by the tail, or by the snapshot, and not live any more
    in that revision.
    """

    lacking: np.ndarray
    dead_in_tail: np.ndarray
    dead_in_snapshot: np.ndarray

    @classmethod
    def of(cls, view: _View, chunk_ids: np.ndarray, revisions: np.ndarray) -> _Difference:
        empty = np.empty(0, np.int64)
        stored = (
            (view.snapshot.chunk_ids, view.snapshot.revisions) if view.snapshot else (empty, empty)
        )
        held = sorted(view.tail.revisions.items())
        recent = tuple(np.array([pair[n] for pair in held], np.int64) for n in (0, 1))
        live = (chunk_ids, revisions)
        lacking = chunk_ids[~_contains(stored, live) & ~_contains(recent, live)]
        return cls(
            lacking, recent[0][~_contains(live, recent)], stored[0][~_contains(live, stored)]
        )


def _contains(pairs: tuple[np.ndarray, ...], wanted: tuple[np.ndarray, ...]) -> np.ndarray:
    """Which of the wanted (chunk, revision) are among the pairs; both by rising chunk."""
    if not len(pairs[0]):
        return np.zeros(len(wanted[0]), bool)
    at = np.minimum(np.searchsorted(pairs[0], wanted[0]), len(pairs[0]) - 1)
    return (pairs[0][at] == wanted[0]) & (pairs[1][at] == wanted[1])


def _alive(snapshot: Snapshot | None, dead_chunks: np.ndarray) -> np.ndarray | None:
    if snapshot is None or not len(dead_chunks):
        return None
    return ~np.isin(snapshot.rows.chunk_ids, dead_chunks)
