from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.settings import Settings, load_settings
from tests.indexer.media import golden


@pytest.fixture(scope="session")
def make_golden(tmp_path_factory) -> Callable[[str], golden.Golden]:
    """A golden video by name, made once."""
    folder: Path = tmp_path_factory.mktemp("golden")
    made: dict[str, golden.Golden] = {}

    def make(name: str) -> golden.Golden:
        if name not in made:
            (folder / name).mkdir()
            made[name] = {**golden.SOUND, **golden.BROKEN}[name](folder / name)
        return made[name]

    return make


@pytest.fixture
def settings(tmp_path) -> Settings:
    return load_settings(home=tmp_path / "home")
