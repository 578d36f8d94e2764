from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from indexer.catalog import Catalog
from indexer.catalog.database.migrate import upgrade
from tests.indexer.catalog import support


@pytest.fixture(scope="session")
def postgres_catalog_url(postgres_url: str) -> str:
    """A database with tables, which the tests of this run take in turn."""
    name = f"catalog_{uuid.uuid4().hex}"
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    upgrade(url)
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty catalog on each kind of database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/catalog.sqlite"
        upgrade(url)
        return url
    url = request.getfixturevalue("postgres_catalog_url")
    engine = create_engine(url)
    with engine.begin() as connection:
        support.empty_server(connection)
    engine.dispose()
    return url


@pytest.fixture
def catalog(catalog_url: str) -> Iterator[Catalog]:
    with Catalog(catalog_url).open() as opened:
        yield opened


@pytest.fixture
def sqlite_catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(f"sqlite:///{tmp_path}/catalog.sqlite").open() as opened:
        yield opened
