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


@pytest.mark.parametrize(
    "name",
    [
        "a\x00",
        "a\nb",
        "a\x1b[2J",
        "a\u202eb",
        "a\u200bb",
        "\udcff",
        "x" * 101,
        "a\u2028b",
        "\x9b31m",
    ],
)
def test_names_are_one_short_printable_line(catalog: Catalog, name: str):
    with catalog.begin() as s, pytest.raises(UsageError, match="cannot be the name"):
        collections.ensure_collection(s, name)


def test_names_that_look_the_same_are_the_same(catalog: Catalog):
    with catalog.begin() as s:
        made = collections.ensure_collection(s, "Zu\u0308rich")
        assert collections.ensure_collection(s, "Z\u00fcrich ") == made
        assert collections.find_collections(s, ["Zu\u0308rich", "Z\u00fcrich"]) == [made, made]
        assert [found.name for found in collections.list_collections(s)] == ["Z\u00fcrich"]
