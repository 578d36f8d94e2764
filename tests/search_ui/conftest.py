from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from indexer.admin.accounts import add_user
from indexer.library import Library
from search_ui.app_state import AppState, open_app_state
from search_ui.auth.auth_middleware import AuthMiddleware
from search_ui.routes import all_routes
from tests.support import colour_video, demo_library, demo_settings

SHOTS = {
    "traffic light.mp4": [("red", 4), ("green", 6), ("blue", 5)],
    "sunset.mp4": [("orange", 5), ("purple", 5)],
}
PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory) -> Path:
    """A library that tests only read: two colour videos in `colours`, one in `private`."""
    folder = tmp_path_factory.mktemp("search_ui")
    library = demo_library(folder / "home")
    for name, shots in SHOTS.items():
        colour_video(folder / "videos" / name, shots)
    colour_video(folder / "secret" / "diary.mp4", [("pink", 4)])
    library.ingest([folder / "videos"], "colours")
    library.ingest([folder / "secret"], "private")
    add_user(library.catalog, "editor", PASSWORD, "editor")
    add_user(library.catalog, "viewer", PASSWORD, "viewer")
    add_user(library.catalog, "limited", PASSWORD, "viewer", ["colours"])
    return folder / "home"


@pytest.fixture
def library(filled_home) -> Library:
    return demo_library(filled_home)


@pytest.fixture
def video_ids(library) -> dict[str, int]:
    return {Path(video.paths[0].path).name: video.video_id for video in library.videos()}


@pytest.fixture
def local(filled_home) -> Iterator[TestClient]:
    """Our routes behind the guard, as somebody at the local machine reaches them."""
    with _client(open_app_state(demo_settings(filled_home), sign_in=False)) as client:
        yield client


@pytest.fixture
def signed(filled_home) -> Iterator[Callable[[str], TestClient]]:
    """`signed("viewer")`: a client of a site where people sign in; `""` is nobody. `limited` sees
    the collection `colours` only.
    """
    shared = open_app_state(demo_settings(filled_home), sign_in=True)
    made: list[TestClient] = []

    def client(name: str) -> TestClient:
        made.append(_client(shared))
        if name:
            answer = made[-1].post(
                "/sign-in", data={"name": name, "password": PASSWORD}, follow_redirects=False
            )
            assert answer.status_code == 303
        return made[-1]

    yield client
    for it in made:
        it.close()


def _client(shared: AppState) -> TestClient:
    app = Starlette(routes=all_routes(), middleware=[Middleware(AuthMiddleware, app_state=shared)])
    return TestClient(app, base_url="http://127.0.0.1:8501")
