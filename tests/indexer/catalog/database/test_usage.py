"""What a library takes on disk."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.catalog import Catalog
from indexer.catalog.database.usage import measure_usage
from tests.indexer.catalog import support


def test_usage_says_what_an_hour_of_video_costs(catalog: Catalog):
    support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0), chunks=4)
    with catalog.read() as s:
        usage = measure_usage(s)
    assert (usage.segments, usage.frames, usage.video_s) == (16, 24, 360.0)
    assert usage.kinds == {"segments": 16 * 32, "frames": 24 * 32 + 24 * 8 + 4 * 8, "passages": 0}
    assert usage.mb_per_hour == pytest.approx(usage.database_bytes / 1e6 * 10)
