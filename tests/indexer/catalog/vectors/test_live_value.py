"""What is computed from the live chunks follows them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from indexer.catalog import Catalog, videos
from indexer.catalog.vectors import live_value
from indexer.catalog.vectors.live_chunks import LiveState
from indexer.catalog.vectors.live_value import LiveValue
from indexer.errors import CatalogError
from tests.indexer.catalog import support


@pytest.fixture
def computed(monkeypatch) -> list[LiveState]:
    """Of values that look each time."""
    monkeypatch.setattr(live_value, "PAUSES", 0)
    monkeypatch.setattr(live_value, "PAUSES_OF_LONG", 0)
    return []


def following(catalog: Catalog, computed: list[LiveState], **options) -> LiveValue[int]:
    def compute(state: LiveState) -> int:
        computed.append(state)
        return state.chunks

    return LiveValue(catalog, "k1", "picture", compute, **options)


def test_each_chunk_counts_and_nothing_else(sqlite_catalog: Catalog, computed):
    rng, value = np.random.default_rng(0), following(sqlite_catalog, computed)
    assert value.get() == 0
    (first,) = support.add_ready(sqlite_catalog, ["a.mp4"], rng, chunks=40)
    assert value.get() == 40
    support.add_ready(sqlite_catalog, ["b.mp4"], rng, chunks=1)
    assert value.get() == 41
    support.add_video(sqlite_catalog, "waits.mp4")
    assert value.get() == 41
    assert len(computed) == 3
    with sqlite_catalog.begin() as session:
        videos.remove_video(session, first)
    assert value.get() == 1


def test_of_some_collections(sqlite_catalog: Catalog, computed):
    rng = np.random.default_rng(0)
    support.add_ready(sqlite_catalog, ["a.mp4"], rng, collection="films")
    value = following(sqlite_catalog, computed, collection_ids=(1,))
    assert value.get() == 2
    support.add_ready(sqlite_catalog, ["b.mp4"], rng, collection="others")
    assert (value.get(), len(computed)) == (2, 1)


def test_what_takes_long_is_not_made_anew_at_once(sqlite_catalog: Catalog, monkeypatch):
    slow: list[LiveState] = []

    def compute(state: LiveState) -> int:
        slow.append(state)
        time.sleep(0.05)
        return state.chunks

    monkeypatch.setattr(live_value, "PAUSES", 1000)
    value = LiveValue(sqlite_catalog, "k1", "picture", compute)
    assert value.get() == 0
    support.add_ready(sqlite_catalog, ["a.mp4"], np.random.default_rng(0))
    assert (value.get(), len(slow)) == (0, 1)


def test_an_error_does_not_lose_what_has_changed(sqlite_catalog: Catalog, computed):
    fails = [False]

    def compute(state: LiveState) -> int:
        computed.append(state)
        if fails[0]:
            raise CatalogError("away")
        return state.chunks

    value = LiveValue(sqlite_catalog, "k1", "picture", compute)
    assert value.get() == 0
    support.add_ready(sqlite_catalog, ["a.mp4"], np.random.default_rng(0))
    fails[0] = True
    with pytest.raises(CatalogError):
        value.get()
    fails[0] = False
    assert value.get() == 2
