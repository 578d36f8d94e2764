from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from starlette.applications import Starlette
from starlette.testclient import TestClient

from indexer.admin import accounts
from indexer.admin.accounts import add_user
from indexer.library import Library
from indexer.media.output.encode import write_video
from search_ui.app_state import AppState, open_app_state
from search_ui.routes import all_routes
from search_ui.server import middleware
from tests.indexer.media.golden import draw, ffmpeg
from tests.search_ui.browser import PASSWORD, chromium, fresh_context, opened, serving
from tests.support import colour_video, demo_library, demo_settings

SHOTS = {
    "traffic light.mp4": [("red", 4), ("green", 6), ("blue", 5)],
    "sunset.mp4": [("orange", 5), ("purple", 5)],
}


@pytest.fixture(scope="module", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hundreds of passwords are hashed here, each for a hundredth of what one costs: the hash says
    what it cost, so whoever compares it, in any process, spends the same.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "COST", 2**8)
        patch.setattr(accounts, "_NOBODY", accounts.hash_password("nobody's"))
        yield


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
    with client_of(open_app_state(demo_settings(filled_home), sign_in=False)) as client:
        yield client


@pytest.fixture
def signed(filled_home) -> Iterator[Callable[[str], TestClient]]:
    """`signed("viewer")`: a client of a site where people sign in; `""` is nobody. `limited` sees
    the collection `colours` only.
    """
    shared = open_app_state(demo_settings(filled_home), sign_in=True)
    made: list[TestClient] = []

    def client(name: str) -> TestClient:
        made.append(client_of(shared))
        if name:
            answer = made[-1].post(
                "/sign-in", data={"name": name, "password": PASSWORD}, follow_redirects=False
            )
            assert answer.status_code == 303
        return made[-1]

    yield client
    for client_made in made:
        client_made.close()


def client_of(shared: AppState) -> TestClient:
    routes = all_routes()
    app = Starlette(routes=routes, middleware=middleware(shared, routes, has_oidc=False))
    return TestClient(app, base_url="http://127.0.0.1:8501")


# --- a browser ---


# Not of the session: while it is open, other tests could run no event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    """A library for the browser: a traffic light, numbers burnt in, and a name full of markup."""
    folder = tmp_path_factory.mktemp("browser")
    videos, size = folder / "videos", (180, 320)
    colour_video(videos / "traffic light.mp4", [("red", 4), ("green", 6), ("blue", 5)], size)
    name = "<img src=x onerror=alert(1)> *bold*.mp4"
    colour_video(videos / name, [("purple", 4), ("yellow", 4)], size)
    write_video(videos / "numbers.mp4", (draw(number) for number in range(500)), 25)
    library = demo_library(folder / "home")
    library.ingest([videos], "colours")
    add_user(library.catalog, "vera", PASSWORD, "viewer")
    return folder / "home"


@pytest.fixture(scope="session")
def url(home) -> Iterator[str]:
    with serving(home) as url:
        yield url


# Pages of a module find the scripts that the first one loaded.
@pytest.fixture(scope="module")
def context(browser, url) -> Iterator[BrowserContext]:
    with fresh_context(browser, url) as context:
        yield context


@pytest.fixture
def page(context, url) -> Iterator[Page]:
    with opened(context, url) as page:
        yield page


@dataclass(frozen=True, slots=True)
class Studio:
    """A server of a library for watching; `ids`: numbers of its videos by their names."""

    home: Path
    url: str
    ids: dict[str, int]

    def watch(self, name: str, start_s: float, end_s: float) -> str:
        return f"/?v={self.ids[name]}&t={start_s:g}&e={end_s:g}"


MINUTE = [("red", 20), ("green", 20), ("blue", 20)]
TALK = [*MINUTE, ("yellow", 20), ("purple", 20)]


@pytest.fixture(scope="session")
def studio(tmp_path_factory) -> Iterator[Studio]:
    """A minute and a talk in which something is said, a sound alone, a tone below a picture, and a
    file that browsers cannot play.
    """
    folder = tmp_path_factory.mktemp("studio")
    videos = folder / "videos"
    colour_video(videos / "minute.mp4", MINUTE, (90, 160))
    colour_video(videos / "talk.mp4", TALK, (90, 160))
    red = colour_video(folder / "red.mp4", [("red", 4)], (180, 320))
    hum = ("-f", "lavfi", "-i", "sine=frequency=300:duration=8")
    ffmpeg(*hum, videos / "hum.mp3")
    ffmpeg("-i", red, *hum, "-c:v", "copy", "-shortest", videos / "tone.mp4")
    ffmpeg("-i", red, "-c:v", "mpeg4", videos / "old.avi")
    for name, lines in SAID.items():
        cues = [
            f"{number}\n{_clock(start)} --> {_clock(end)}\n{text}\n"
            for number, (start, end, text) in enumerate(lines, 1)
        ]
        (videos / f"{name}.srt").write_text("\n".join(cues))
    library = demo_library(folder / "home", speech=True)
    library.ingest([videos / name for name in ("minute.mp4", "talk.mp4", "hum.mp3")], "studio")
    demo_library(folder / "home").ingest([videos], "studio")  # nothing is said in the others
    ids = {Path(video.paths[0].path).stem: video.video_id for video in library.videos()}
    with serving(folder / "home", speech="1") as url:
        yield Studio(folder / "home", url, ids)


def _clock(time_s: int) -> str:
    return f"00:{time_s // 60:02d}:{time_s % 60:02d},000"


# Seconds from, to, and what is said, by file.
SAID = {
    "minute": [(5, 15, "Stop, it is red.")],
    "hum": [(5, 7, "The lemons are ripe.")],
    "talk": [
        (2, 6, "Stop <b>now</b>, says Zoë."),
        (22, 26, "You may go."),
        (42, 46, "The kettle is humming."),
        (62, 66, "Nothing happens here."),
        (82, 86, "Go home."),
    ],
}
