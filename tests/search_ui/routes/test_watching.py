"""What the player asks for: lines, chapters, sprites, a part as subtitles or an entry of a list."""

import csv
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from indexer.catalog.tables.library import FrameBlockRow
from search_ui.app_state import app_state
from search_ui.routes import watching
from tests.support import colour_video, demo_library
from tests.workers.servers import wait_until

MANY = 50  # requests are answered by 40 threads


@pytest.fixture
def video_id(video_ids):
    return video_ids["traffic light.mp4"]


def test_playback_says_that_a_file_plays(local, video_id):
    answer = local.get(f"/playback/{video_id}").json()
    assert answer == {"state": "ready", "fraction": 0.0, "problem": ""}


def test_lines_hold_the_shots(local, video_id):
    assert local.get(f"/lines/{video_id}").json()["cuts_s"] == [4.0, 10.0]


def test_lines_name_what_was_not_looked_at(local, library, video_id):
    """As an adaptive ingest leaves it; put back afterwards, for other tests read the same."""
    of_video = update(FrameBlockRow).where(FrameBlockRow.video_id == video_id)
    with library.catalog.begin() as session:
        bits = np.zeros(30, bool)
        bits[4:10] = True
        session.execute(of_video.values(filled=np.packbits(bits).tobytes()))
    try:
        assert local.get(f"/lines/{video_id}").json()["filled_s"] == [[2.0, 5.0]]
    finally:
        with library.catalog.begin() as session:
            session.execute(of_video.values(filled=None))
    assert local.get(f"/lines/{video_id}").json()["filled_s"] == []


def test_sheet_is_made_once_and_served_by_ranges(local, library, video_id):
    address = f"/sprites/{video_id}/0"
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(local.get, [address] * 4))
    path = library.artefacts.sprite_sheet(video_id, 0)
    assert {answer.content for answer in answers} == {path.read_bytes()}
    assert "max-age" in answers[0].headers["cache-control"]
    written = path.stat().st_mtime_ns
    part = local.get(address, headers={"Range": "bytes=0-99"})
    assert (part.status_code, part.content) == (206, path.read_bytes()[:100])
    assert path.stat().st_mtime_ns == written
    assert Image.open(io.BytesIO(answers[0].content)).format == "JPEG"


def test_who_asks_for_many_sheets_holds_up_nobody(local, video_id, monkeypatch):
    """More requests than there are threads, and decoding that does not come to an end."""
    go_on, asked = threading.Event(), []

    def decode(*_: object) -> None:
        asked.append(1)
        go_on.wait(60)

    monkeypatch.setattr(watching, "sheet_of", decode)
    with ThreadPoolExecutor(MANY) as pool:
        stuck = [pool.submit(local.get, f"/sprites/{video_id}/{100 + n}") for n in range(MANY)]
        wait_until(lambda: asked, 60, "one is decoded")
        assert local.get(f"/lines/{video_id}").status_code == 200
        assert len(asked) == 1
        go_on.set()
        assert {one.result().status_code for one in stuck} == {404}


def test_sheets_that_there_are_not(local, video_id):
    for number in (1, 10**12):
        assert local.get(f"/sprites/{video_id}/{number}").status_code == 404
    assert local.get(f"/sprites/{video_id}/-1").status_code == 404


def test_sheet_of_a_file_that_is_gone(tmp_path, local, monkeypatch):
    library = demo_library(tmp_path / "home")
    path = colour_video(tmp_path / "film.mp4", [("red", 2.0)])
    library.ingest([path])
    path.unlink()
    monkeypatch.setattr(app_state(), "library", library)
    assert local.get("/sprites/1/0").status_code == 410


@pytest.mark.parametrize("what", ["playback", "lines", "chapters", "sprites/0"])
def test_nobody_sees_what_is_not_his(signed, video_ids, what):
    name, _, rest = what.partition("/")
    address = f"/{name}/{video_ids['diary.mp4']}" + (f"/{rest}" if rest else "")
    assert signed("limited").get(address).status_code == 404
    assert signed("viewer").get(address).status_code == 200
    assert signed("").get(address, follow_redirects=False).status_code in (303, 401, 403)


def test_part_as_a_table(local, video_id):
    answer = local.get(f"/export/{video_id}/1000/2500/csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["start_s"], row["end_s"], row["score"]) == ("1.000", "2.500", "")
    assert row["file"].endswith("traffic light.mp4")
    named = unquote(answer.headers["content-disposition"])
    assert "traffic light 1.0-2.5.csv" in named


def test_part_as_an_edit_list_and_a_playlist(local, video_id):
    edl = local.get(f"/export/{video_id}/1000/2000/edl").text
    assert "00:00:01:00 00:00:02:00" in edl
    playlist = local.get(f"/export/{video_id}/1000/2000/m3u8").text
    assert "start-time=1.000" in playlist
    assert "stop-time=2.000" in playlist


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("export/{}/2000/1000/csv", 422),
        ("export/{}/1000/1000/csv", 422),
        ("export/{}/99000/100000/csv", 422),
        ("export/{}/0/1000/exe", 404),
        ("subtitles/{}/5/5", 422),
    ],
)
def test_parts_that_are_none(local, video_id, address, status):
    assert local.get("/" + address.format(video_id)).status_code == status


def test_subtitles_begin_with_the_part(tmp_path, local, monkeypatch):
    library = demo_library(tmp_path / "home", speech=True)
    path = colour_video(tmp_path / "film.mp4", [("red", 8.0)])
    path.with_suffix(".srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nbefore\n\n"
        "2\n00:00:03,000 --> 00:00:05,000\nacross the start\n\n"
        "3\n00:00:05,500 --> 00:00:06,000\ninside\n"
    )
    library.ingest([path])
    monkeypatch.setattr(app_state(), "library", library)
    assert local.get("/subtitles/1/4000/7000").text == (
        "1\n00:00:00,000 --> 00:00:01,000\nacross the start\n\n"
        "2\n00:00:01,500 --> 00:00:02,000\ninside\n\n"
    )


def test_chapters_of_a_short_video(local, video_id):
    assert local.get(f"/chapters/{video_id}").json() == {"chapters": []}
