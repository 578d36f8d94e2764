"""What others on the machine may read: nothing of the home; artefacts that are shared, their
group.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from indexer.library import Library
from search_ui.auth.sessions import kept_secret
from tests.support import colour_video, demo_library, demo_settings


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def open_umask():
    before = os.umask(0o002)
    yield
    os.umask(before)


def test_a_new_home_is_its_owners(tmp_path):
    library = demo_library(tmp_path / "deep" / "home")
    library.ingest([colour_video(tmp_path / "a.mp4", [("green", 2)])], "c")
    home = tmp_path / "deep" / "home"
    assert mode(home) == 0o700
    catalogs = list(home.glob("catalog.sqlite*"))
    assert {mode(path) for path in catalogs if not path.name.endswith(".lock")} == {0o600}
    kept_secret(home)
    assert mode(home / "ui_secret") == 0o600


def test_an_older_home_is_closed(tmp_path):
    demo_library(tmp_path / "home").catalog.close()
    (tmp_path / "home").chmod(0o755)
    (tmp_path / "home" / "catalog.sqlite").chmod(0o644)
    assert demo_library(tmp_path / "home").collections() == []
    assert mode(tmp_path / "home") == 0o700
    assert mode(tmp_path / "home" / "catalog.sqlite") == 0o600


def test_a_folder_of_many_is_left_as_it_is(tmp_path):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    demo_library(tmp_path / "tmp").catalog.close()
    demo_library(tmp_path / "tmp").catalog.close()
    assert mode(tmp_path / "tmp") == 0o1777
    assert mode(tmp_path / "tmp" / "catalog.sqlite") == 0o600


def test_shared_artefacts_are_read_by_their_group(tmp_path):
    settings = demo_settings(tmp_path / "home", artefact_root=tmp_path / "shared")
    library = Library(settings)
    library.ingest([colour_video(tmp_path / "a.mp4", [("green", 2)])], "c")
    library.make_proxy(1, lambda _: None)
    made = [path for path in (tmp_path / "shared").rglob("*") if path.is_file()]
    assert {path.suffix for path in made} == {".jpg", ".mp4"}
    assert all(mode(path) & 0o040 and not mode(path) & 0o002 for path in made), made
    folders = [path for path in (tmp_path / "shared").rglob("*") if path.is_dir()]
    assert all(mode(path) & 0o050 == 0o050 for path in folders)
