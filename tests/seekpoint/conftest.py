import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from indexer.catalog.audit import Actor
from indexer.catalog.people.tokens import add_token
from search_ui.app_state import AppState, open_app_state
from search_ui.routes import all_routes
from search_ui.server import middleware
from tests.support import colour_video, demo_library, demo_settings, free_port


@dataclass(frozen=True)
class Served:
    """A server of the API over a library with a traffic light, its words and a sunset."""

    url: str
    shared: AppState
    folder: Path
    app: Starlette

    def token(self, name: str, role: str) -> str:
        with self.shared.library.catalog.begin() as session:
            return add_token(session, f"{name} {uuid.uuid4().hex}", role, None, 1, Actor())


@pytest.fixture(scope="session")
def served_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    library = demo_library(folder / "home", speech=True)
    light = folder / "videos" / "traffic light.mp4"
    colour_video(light, [("red", 4), ("green", 6), ("blue", 12)])
    light.with_suffix(".srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nthe first words\n")
    colour_video(folder / "videos" / "sunset.mp4", [("orange", 2), ("purple", 2)])
    library.ingest([folder / "videos"], "colours")
    return folder


@pytest.fixture(scope="module")
def served(served_folder) -> Iterator[Served]:
    settings = demo_settings(served_folder / "home", speech=True, api_requests_per_minute=0)
    shared = open_app_state(settings, sign_in=True)
    routes = all_routes()
    app = Starlette(routes=routes, middleware=middleware(shared, routes, has_oidc=False))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield Served(f"http://127.0.0.1:{port}", shared, served_folder, app)
    server.should_exit = True
    thread.join(20)
    shared.jobs.stop(10)
