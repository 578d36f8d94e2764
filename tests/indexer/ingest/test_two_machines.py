"""Two machines that see the same files at different places, on one PostgreSQL and one artefact
root: what one makes, the other uses.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.catalog.database import migrate
from indexer.catalog.leasing.progress import get_progress
from indexer.errors import MediaError
from indexer.ingest.run import Observer
from indexer.library import Library
from indexer.media.decode.reader_process import probe_in_process
from tests.support import colour_video, demo_environment, demo_settings


@dataclass(frozen=True, slots=True)
class Machine:
    """`media`: where it sees the files; `library`: in this process; `run`: the command line in a
    process of its own.
    """

    media: Path
    library: Library
    environment: dict[str, str]

    def run(self, *words: str) -> dict:
        done = subprocess.run(
            [sys.executable, "-m", "indexer", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in words else {}


@pytest.fixture
def machines(tmp_path: Path, new_postgres_url: str) -> Iterator[tuple[Machine, Machine]]:
    """The files and artefacts lie on a shared disk; each machine has mounted it somewhere else."""
    shared = tmp_path / "disk"
    (shared / "films").mkdir(parents=True)
    (shared / "artefacts").mkdir()
    migrate.upgrade(new_postgres_url)
    made = []
    for name, mount in (("one", "srv/video"), ("two", "mnt/nas/archive")):
        place = tmp_path / name / mount
        place.parent.mkdir(parents=True)
        place.symlink_to(shared)
        roots = {"archive": place / "films"}
        settings = demo_settings(
            tmp_path / name / "home",
            database_url=new_postgres_url,
            roots=roots,
            artefact_root=place / "artefacts",
            vectors="pgvector",
        )
        own = demo_environment(
            settings.home,
            DATABASE_URL=new_postgres_url,
            ROOTS=json.dumps({"archive": str(place / "films")}),
            ARTEFACT_ROOT=str(place / "artefacts"),
            VECTORS="pgvector",
        )
        made.append(Machine(place / "films", Library(settings), own))
    yield made[0], made[1]
    for machine in made:
        machine.library.catalog.close()


def test_what_one_machine_ingests_the_other_finds_shows_and_cuts(
    machines: tuple[Machine, Machine], tmp_path: Path
):
    one, two = machines
    colour_video(one.media / "holiday" / "colours.mp4", [("red", 4), ("green", 5), ("blue", 4)])
    one.run("ingest", str(one.media), "--collection", "films", "--json")
    answer = two.run("search", "something green", "--json")
    best = answer["moments"][0]
    assert best["path"] == str(two.media / "holiday" / "colours.mp4")
    assert best["start_s"] == pytest.approx(4, abs=0.6)
    assert Path(best["thumbnail"]).is_relative_to(two.media.parent / "artefacts")
    assert Path(best["thumbnail"]).read_bytes()[:2] == b"\xff\xd8"
    video_id = best["video_id"]
    clip = tmp_path / "clip.mp4"
    two.run("clip", str(video_id), "4", "6", "-o", str(clip))
    assert probe_in_process(clip, max_pixels=10**6, timeout_s=60).duration_s == pytest.approx(
        2, abs=0.1
    )
    played = two.library.playback(video_id)
    assert played.path is not None
    assert played.path.is_relative_to(two.media) or played.path.is_relative_to(
        two.library.settings.artefacts
    )
    again = two.library.ingest([two.media], "films")
    assert [file.state for file in again.files] == ["unchanged"], (
        "the same file, wherever it is mounted"
    )
    assert again.offline == ()
    assert [len(video.paths) for video in two.library.videos()] == [1]
    (check,) = [check for check in two.library.doctor() if check.name.startswith("vectors")]
    assert check.ok
    assert re.match(r"\d+ vectors, recall@10 1\.000 of all.*\(exact\)", check.found)


class Stopped(Exception):
    pass


class StopsAfter(Observer):
    def __init__(self, chunks: int) -> None:
        self.left = chunks

    def on_advance(self, size_bytes: float, video_s: float) -> None:
        self.left -= video_s > 0
        if self.left <= 0:
            raise Stopped


def test_one_machine_writes_half_and_the_other_goes_on(machines: tuple[Machine, Machine]):
    one, two = machines
    colours = ("red", "green", "blue", "yellow")
    path = colour_video(
        one.media / "long.mp4", [*((colours[n % 4], 13) for n in range(19)), ("purple", 13)]
    )
    with pytest.raises(Stopped):
        one.library.ingest([path], "films", observer=StopsAfter(2))
    with two.library.catalog.read() as session:
        half = get_progress(session)
    assert 0 < half.stages["picture"].done < 3
    assert half.unfinished > 0
    found = two.library.search("something red", collections=["films"]).moments
    assert found, "what is committed is searchable before the rest is there"
    report = two.library.ingest([two.media / "long.mp4"], "films")
    assert [file.state for file in report.files] == ["indexed"]
    with one.library.catalog.read() as session:
        whole = get_progress(session)
    assert whole.unfinished == 0
    assert whole.stages["picture"].done == 3, "nothing was done twice"
    assert report.video_s < 260, "the first half was not done again"
    best = one.library.search("something purple", collections=["films"]).moments[0]
    assert best.path == str(one.media / "long.mp4")
    assert best.span.start_s == pytest.approx(19 * 13, abs=0.6)


def test_a_machine_that_does_not_know_the_root_says_how_to_map_it(
    machines: tuple[Machine, Machine], tmp_path: Path
):
    one, two = machines
    colour_video(one.media / "a.mp4", [("red", 4), ("green", 4)])
    one.library.ingest([one.media], "films")
    stranger = Library(
        two.library.settings.model_copy(update={"home": tmp_path / "third", "roots": {}})
    )
    (video,) = stranger.videos()
    assert video.paths[0].path == "archive:a.mp4"
    assert stranger.search("something red").moments[0].path == "archive:a.mp4"
    with pytest.raises(MediaError, match=r"archive:a\.mp4"):
        stranger.clip(str(video.video_id), 0, 1, tmp_path / "clip.mp4")
    with pytest.raises(MediaError, match=r"SEEKPOINT_ROOTS"):
        stranger.roots.join("archive", "a.mp4")
    stranger.catalog.close()


def test_removing_on_one_machine_removes_what_the_other_made(machines: tuple[Machine, Machine]):
    one, two = machines
    colour_video(one.media / "a.mp4", [("red", 4), ("green", 4)])
    one.library.ingest([one.media], "films")
    (video,) = two.library.videos()
    folder = two.library.artefacts.video_folder(video.video_id)
    assert list(folder.rglob("*.jpg"))
    two.library.remove(video_ids=[video.video_id])
    assert not folder.exists()
    assert one.library.search("something red").moments == ()
    assert (one.media / "a.mp4").exists()
