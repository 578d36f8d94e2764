from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.workers.fleet import Fleet


def needs_redis() -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (tests/install_tools.sh)")


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Servers and a library of its own; prints what the workers said when the test fails."""
    needs_redis()
    with Fleet() as made:
        yield made
        print(made.logs())
