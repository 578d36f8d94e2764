"""Vectors of one key have one length."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.catalog import Catalog
from indexer.catalog.frames import FrameBlock
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.segments import commit_picture
from indexer.catalog.vectors.vector_rows import iterate_vectors
from indexer.errors import CatalogError
from tests.indexer.catalog import support


def claimed(catalog: Catalog, video_id: int) -> chunk_tasks.ClaimedTask:
    with catalog.begin() as s:
        item = chunk_tasks.claim_task(s, support.OWNER, 60, ["picture"], video_id=video_id)
    assert item is not None
    return item


def test_vectors_of_different_length_under_one_key_are_an_error(catalog: Catalog):
    rng = np.random.default_rng(0)
    for name, dimension in (("a.mp4", 8), ("b.mp4", 12)):
        item = claimed(catalog, support.add_video(catalog, name, chunks=1))
        vectors = support.unit_vectors(rng, 2, dimension)
        with catalog.begin() as s:
            frames = FrameBlock(np.arange(2.0), vectors, np.empty(0))
            commit_picture(
                s, item.task_id, support.OWNER, frames, support.new_segments(item, vectors), 0.1
            )
    with catalog.read() as s, pytest.raises(CatalogError, match=r"\[8, 12\] numbers"):
        list(iterate_vectors(s, "k1"))
