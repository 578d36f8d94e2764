import uuid
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from indexer.catalog import collections
from indexer.catalog.audit import Actor
from indexer.catalog.people.tokens import add_token
from search_ui.app_state import app_state

TokenMaker = Callable[..., str]


@pytest.fixture
def token(signed) -> TokenMaker:
    """`token("viewer", ["colours"])`: a new token."""

    def make(role: str = "viewer", names: list[str] | None = None) -> str:
        with app_state().library.catalog.begin() as session:
            ids = None if names is None else collections.find_collections(session, names)
            return add_token(session, uuid.uuid4().hex, role, ids, 1, Actor())

    return make


@pytest.fixture
def program(signed, token) -> Callable[..., TestClient]:
    """`program("viewer", ["colours"])`: a client that shows such a token."""

    def make(role: str = "viewer", names: list[str] | None = None) -> TestClient:
        client = signed("")
        client.headers["Authorization"] = f"Bearer {token(role, names)}"
        return client

    return make
