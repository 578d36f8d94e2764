"""Collections are listed with what is in them, and go with all of it."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.catalog import Catalog, collections
from indexer.catalog.database.usage import measure_usage
from indexer.errors import CatalogError, UsageError
from tests.indexer.catalog import support


def test_collections(catalog: Catalog):
    rng = np.random.default_rng(0)
    support.add_ready(catalog, ["a.mp4", "b.mp4"], rng, collection="films")
    support.add_video(catalog, "c.mp4", collection="clips")
    with catalog.begin() as s:
        films = collections.ensure_collection(s, " films ")
        assert [
            (found.name, found.videos, found.ready, found.duration_s)
            for found in collections.list_collections(s)
        ] == [
            ("clips", 1, 0, 180.0),
            ("films", 2, 2, 360.0),
        ]
        assert collections.find_collections(s, ["films"]) == [films]
        with pytest.raises(CatalogError, match=r"no collection 'film'.*clips, films"):
            collections.find_collections(s, ["film"])
        with pytest.raises(UsageError):
            collections.ensure_collection(s, "  ")
        assert len(collections.remove_collection(s, films)) == 2
        assert [found.name for found in collections.list_collections(s)] == ["clips"]
        assert measure_usage(s).segments == 0
