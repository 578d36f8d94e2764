from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from indexer.admin.accounts import add_user
from tests.search_ui.browser import PASSWORD, serving
from tests.support import colour_video, demo_library


@dataclass(frozen=True, slots=True)
class Pair:
    """Address of a page of two processes, and the number of the process that started them."""

    url: str
    pid: int


@pytest.fixture(scope="package")
def pair(tmp_path_factory) -> Iterator[Pair]:
    """With `vera`, one video, and trust in a proxy on this machine."""
    folder = tmp_path_factory.mktemp("processes")
    library = demo_library(folder / "home")
    library.ingest([colour_video(folder / "a.mp4", [("green", 2)])], "c")
    add_user(library.catalog, "vera", PASSWORD, "editor")
    with serving(
        folder / "home",
        "--sign-in",
        "--processes",
        "2",
        log_format="json",
        metrics_token="token",
        ui_trusted_proxies='["127.0.0.1"]',
    ) as url:
        yield Pair(url, int((folder / "server.pid").read_text()))
