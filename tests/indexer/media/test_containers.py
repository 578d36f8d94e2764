"""Index, clip and copy agree with ffmpeg's own decoding over generated containers. `python -m
benchmarks.containers` tries thousands more.
"""

from pathlib import Path

import numpy as np
import pytest

from indexer.settings import load_settings
from tests.indexer.media.containers import check, check_outputs, draw_recipe, make

GROUPS, EACH = 20, 15  # of one group, one is cut and copied too


@pytest.fixture(scope="session")
def sources(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.mark.parametrize("group", range(GROUPS))
def test_generated_containers_show_what_ffmpeg_shows(tmp_path, sources, group):
    settings = load_settings(home=tmp_path / "home")
    for number in range(EACH):
        rng = np.random.default_rng((group, number))
        recipe = draw_recipe(rng)
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            path = make(recipe, folder, sources)
            check(recipe, path, rng)
            if number == 0:
                check_outputs(path, rng, settings)
        except Exception as error:
            error.add_note(f"{recipe} of group {group}, number {number}")
            raise
