"""The page is killed with SIGKILL at any moment: what it acknowledged is in the library after the
next start.
"""

import contextlib
import json
import os
import random
import signal
import threading
import urllib.request
from pathlib import Path

import pytest

from indexer.catalog.leasing import page_jobs
from tests.search_ui.browser import serving
from tests.support import colour_video, demo_library, free_port
from tests.workers.servers import wait_until

WAIT_S = 120
SEED = 4711
COLOURS = ("red", "green", "blue", "purple")


def upload(url: str, name: str, content: bytes) -> int | None:
    """The number of the job that was acknowledged; None: nothing was."""
    request = urllib.request.Request(
        f"{url}/upload?collection=new", content, {"X-File-Name": name}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            return int(json.load(answer)["job"])
    except OSError:  # it was killed meanwhile
        return None


def kill(home: Path) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was killed before
        os.kill(int((home.parent / "server.pid").read_text()), signal.SIGKILL)


def names(home: Path) -> set[str]:
    library = demo_library(home)
    return {Path(video.paths[0].path).name for video in library.videos() if video.state == "ready"}


def await_names(home: Path, wanted: set[str]) -> None:
    wait_until(lambda: wanted <= names(home), WAIT_S, f"{wanted} are in the library")


def has_open_jobs(home: Path) -> bool:
    with demo_library(home).catalog.read() as session:
        return bool(page_jobs.list_page_jobs(session, only_open=True))


@pytest.fixture(scope="module")
def contents(tmp_path_factory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("contents")
    return [
        colour_video(folder / f"{number}.mp4", [(colour, 3), ("black", 3)]).read_bytes()
        for number, colour in enumerate(COLOURS)
    ]


def test_kills_at_any_moment(tmp_path, contents):
    """First when all that was sent is acknowledged and the work is under way; then while two files
    are sent, before one of two answers.
    """
    home, port = tmp_path / "home", free_port()
    with serving(home, port=port) as url:
        acknowledged = {f"{n}.mp4" for n in range(2) if upload(url, f"{n}.mp4", contents[n])}
        kill(home)
    assert len(acknowledged) == 2
    chance = random.Random(SEED)
    with serving(home, port=port) as url:
        killer = threading.Timer(chance.uniform(0.0, 0.3), kill, [home])
        hit = chance.randrange(2)
        for number in range(2):
            if number == hit:
                killer.start()
            if upload(url, f"{number + 2}.mp4", contents[number + 2]) is not None:
                acknowledged.add(f"{number + 2}.mp4")
        killer.join()  # or it would kill the next server
    with serving(home, port=port):
        await_names(home, acknowledged)
        # A kill after the commit and before the answer leaves a job that nobody was told of.
        wait_until(lambda: not has_open_jobs(home), WAIT_S, "all jobs are done")
    kept = {path.name for path in (home / "uploads").glob("[!.]*.mp4")}
    strays = {path.name for path in demo_library(home).stray_uploads()}
    assert not strays & acknowledged
    assert names(home) | strays == kept, "files without a row are found"
