"""Passages come back as they were committed."""

from __future__ import annotations

import numpy as np

from grounding.spans import Span
from indexer.catalog import Catalog
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.passages import NewPassage, commit_passages, list_passages
from tests.indexer.catalog import support


def test_passages_come_back_with_their_words(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    passage = NewPassage(
        "speech", Span(1, 3), "hi you", "en", np.float32(0.5), [(1.0, 1.5, "hi"), (1.5, 3.0, "you")]
    )  # pyright: ignore[reportArgumentType]
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {"speech": "s1"})
        item = chunk_tasks.claim_task(s, "me", 60, ["speech"])
        assert item is not None
        assert commit_passages(s, item.task_id, "me", [passage], 0.5)
    with catalog.read() as s:
        (stored,) = list_passages(s, video_id)
    assert (stored.kind, stored.span, stored.text, stored.language, stored.confidence) == (
        "speech",
        Span(1, 3),
        "hi you",
        "en",
        0.5,
    )
    assert stored.words == ((1.0, 1.5, "hi"), (1.5, 3.0, "you"))
