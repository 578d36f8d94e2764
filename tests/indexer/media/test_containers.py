"""Index, clip, copy and player agree with ffmpeg's own decoding over generated containers.
`python -m benchmarks.containers` tries thousands more.
"""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.settings import load_settings
from tests.indexer.media.containers import (
    CONTAINERS,
    check,
    check_clip,
    check_copy,
    make,
    recipes,
)

EACH = 38  # of 8 containers
CLIP_EVERY, COPY_EVERY = 3, 12  # one in so many is cut, copied


@pytest.fixture(scope="session")
def sources(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.mark.parametrize("container", CONTAINERS)
def test_generated_containers_show_what_ffmpeg_shows(sources, container):
    @settings(max_examples=EACH, derandomize=True)
    @given(recipes(container), st.integers(0, 2**32 - 1))
    def generated(recipe, seed):
        with tempfile.TemporaryDirectory() as name:
            folder, rng = Path(name), np.random.default_rng(seed)
            path = make(recipe, folder, sources)
            check(recipe, path, rng)
            outputs = load_settings(home=folder / "home")
            if seed % CLIP_EVERY == 0:
                check_clip(recipe, path, rng, outputs)
            if seed % COPY_EVERY == 1:
                check_copy(recipe, path, rng, outputs)

    generated()
