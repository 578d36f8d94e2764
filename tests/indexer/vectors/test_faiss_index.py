"""How often what is live is asked for."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from indexer.catalog import Catalog
from indexer.catalog.vectors.live_chunks import LiveState, get_live_state
from indexer.settings import Settings
from indexer.vectors import faiss_index
from indexer.vectors.faiss_index import REFRESH_S, FaissIndex
from tests.indexer.catalog import support
from tests.indexer.vectors.contract import query_of


def test_where_asking_what_is_live_takes_long_it_is_asked_more_seldom(
    sqlite_catalog: Catalog, tmp_path: Path, monkeypatch
):
    asked: list[LiveState] = []

    def slow(*arguments) -> LiveState:
        time.sleep(REFRESH_S)
        asked.append(get_live_state(*arguments))
        return asked[-1]

    rng = np.random.default_rng(0)
    video_id = support.add_video(sqlite_catalog, "a.mp4", chunks=1)
    support.do_all(sqlite_catalog, video_id, rng, segments=4)
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, Settings(home=tmp_path / "home"))
    monkeypatch.setattr(faiss_index, "get_live_state", slow)
    query = query_of(rng)
    assert len(index.search(query, 3)) == 3
    later = support.add_video(sqlite_catalog, "b.mp4", chunks=1)
    support.do_all(sqlite_catalog, later, rng, segments=4)
    time.sleep(1.2 * REFRESH_S)
    assert len(index.search(query, 8)) == 4
    assert len(asked) == 1
    index.refresh(force=True)
    assert len(index.search(query, 8)) == 8
