"""FAISS keeps the contract of vector indexes, flat and with inverted lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.catalog import Catalog
from indexer.settings import Settings
from indexer.vectors.faiss_index import FaissIndex
from tests.indexer.catalog import support
from tests.indexer.vectors.contract import *  # noqa: F403


@pytest.fixture
def make_index(tmp_path: Path):
    def make(catalog: Catalog, key: str = "k1", dimension: int = support.DIMENSION) -> FaissIndex:
        return FaissIndex(catalog, key, dimension, Settings(home=tmp_path / "home"))

    return make
