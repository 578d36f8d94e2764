"""What is live is told cheaply and truly."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.catalog import Catalog, videos
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.vectors.live_chunks import LiveState, get_live_chunks, get_live_state
from tests.indexer.catalog import support


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(["add", "do", "remove", "rekey", "nothing"]), min_size=3, max_size=8),
    st.integers(0, 99),
)
def test_the_fingerprint_changes_exactly_when_live_chunks_change(
    sqlite_catalog: Catalog, steps: list[str], seed: int
):
    catalog, rng = sqlite_catalog, np.random.default_rng(seed)

    def look() -> tuple[LiveState, list]:
        with catalog.read() as s:
            return get_live_state(s, "k1"), [column.tolist() for column in get_live_chunks(s, "k1")]

    state, live = look()
    for number, step in enumerate(steps):
        with catalog.read() as s:
            ids = [video.id for video in videos.list_videos(s)]
        if step == "add" or not ids:
            support.add_video(catalog, f"{seed}-{number}-{rng.integers(10**9)}.mp4")
        elif step == "do":
            support.do_one(catalog, int(rng.choice(ids)), rng)
        elif step == "remove":
            with catalog.begin() as s:
                videos.remove_video(s, int(rng.choice(ids)))
        elif step == "rekey":
            with catalog.begin() as s:
                plan_tasks(s, int(rng.choice(ids)), [], {"picture": str(rng.choice(["k1", "k2"]))})
        new_state, new_live = look()
        assert (new_state == state) == (new_live == live)
        assert new_state.chunks == len(new_live[0])
        state, live = new_state, new_live
