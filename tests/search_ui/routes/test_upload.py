"""Uploads, attacked."""

import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from PIL import Image

from indexer.admin.accounts import add_user
from indexer.catalog import accounts
from indexer.catalog.people.uploads import used_bytes
from search_ui.app_state import app_state, open_app_state
from search_ui.routes import upload
from search_ui.routes.upload import safe_name
from tests.search_ui.conftest import PASSWORD, client_of
from tests.support import colour_video, demo_library, demo_settings
from tests.workers.servers import wait_until


@pytest.fixture
def client(tmp_path):
    with client_of(
        open_app_state(demo_settings(tmp_path / "home", ui_upload_max_mb=1), sign_in=False)
    ) as client:
        yield client


def send(client, name: str, content: bytes, collection: str = "new"):
    return client.post(
        f"/upload?collection={quote(collection)}",
        content=content,
        headers={"X-File-Name": quote(name)},
    )


def files(client) -> list[str]:
    folder = app_state().settings.home_path / "uploads"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def wait_for(job_id: int) -> None:
    import time

    deadline = time.monotonic() + 60
    while app_state().jobs.get(job_id).is_open:
        assert time.monotonic() < deadline, app_state().jobs.get(job_id)
        time.sleep(0.05)


def test_upload_becomes_searchable(client, tmp_path):
    video = colour_video(tmp_path / "a.mp4", [("green", 2)]).read_bytes()
    answer = send(client, "holiday ünïcode 电影.mp4", video)
    assert (answer.status_code, answer.json()["name"]) == (201, "holiday ünïcode 电影.mp4")
    wait_for(answer.json()["job"])
    assert [video.state for video in app_state().library.videos(["new"])] == ["ready"]
    assert (
        send(client, "holiday ünïcode 电影.mp4", video).json()["name"]
        == "holiday ünïcode 电影 (2).mp4"
    )


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/evil.mp4",
        "/etc/evil.mp4",
        "..\\..\\evil.mp4",
        "a/../../evil.mp4",
        "C:\\evil.mp4",
    ],
)
def test_names_cannot_leave_the_folder(client, tmp_path, name):
    video = colour_video(tmp_path / "a.mp4", [("green", 1)]).read_bytes()
    assert send(client, name, video).json()["name"] == "evil.mp4"
    assert files(client) == ["evil.mp4"]


@pytest.mark.parametrize(
    "name", ["evil.sh", "evil", ".mp4", "..", "", "evil.mp4.py", "evil.mp4/", "a\x00.exe"]
)
def test_names_of_no_video(client, name):
    assert send(client, name, b"x").status_code in (400, 415)  # 400: with NUL
    assert files(client) == []


def test_safe_name():
    assert safe_name("a\nb\x1b[31m.mp4") == "a_b_[31m.mp4"
    assert safe_name("<img src=x onerror=alert(1)>.mkv") == "_img src=x onerror=alert(1)_.mkv"
    assert len(safe_name("长" * 300 + ".mp4").encode()) <= 155
    assert safe_name("...mp4") == ""


def test_too_large_by_what_it_says(client):
    answer = client.post(
        "/upload?collection=new",
        content=b"x",
        headers={"X-File-Name": "a.mp4", "Content-Length": "2000000"},
    )
    assert answer.status_code == 413
    assert files(client) == []


def test_too_large_without_saying(client):
    def body():
        for _ in range(40):
            yield b"x" * 50_000

    answer = client.post("/upload?collection=new", content=body(), headers={"X-File-Name": "a.mp4"})
    assert answer.status_code == 413
    assert files(client) == [], "nothing is left behind"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a video",
        b"#EXTM3U\nfile:///etc/passwd\n",
        b"\x00\x00\x00\x18ftypisom" + b"\x00" * 100,
    ],
)
def test_what_is_no_video(client, content):
    answer = send(client, "a.mp4", content)
    assert answer.status_code == 422
    assert str(app_state().settings.home_path) not in answer.text, "no path of the server is told"
    assert files(client) == []


def test_viewers_and_strangers_cannot_upload(signed):
    for name, code in (("", 401), ("viewer", 403)):
        assert send(signed(name), "a.mp4", b"x").status_code == code


def test_editors_of_some_collections(signed):
    from indexer.admin.accounts import add_user
    from tests.search_ui.conftest import PASSWORD

    signed("")
    add_user(app_state().library.catalog, "half", PASSWORD, "editor", ["colours"])
    assert send(signed("half"), "a.mp4", b"x", "private").status_code == 403
    assert send(signed("half"), "a.mp4", b"x", "new one").status_code == 403
    assert send(signed("half"), "a.mp4", b"not a video", "colours").status_code == 422


def test_picture_to_ask_with(local, signed, tmp_path):
    Image.new("RGB", (64, 48), "red").save(tmp_path / "red.png")
    answer = local.post("/picture", content=(tmp_path / "red.png").read_bytes())
    assert (answer.status_code, len(answer.json()["name"])) == (201, 64)
    refused = local.post("/picture", content=b"no picture")
    assert refused.status_code == 422
    assert "JPEG, PNG" in refused.text
    assert local.post("/picture", content=b"").status_code == 422
    assert (
        local.post("/picture", content=b"x", headers={"Content-Length": "99000000"}).status_code
        == 413
    )
    assert (
        local.post("/picture", content=b"x", headers={"Origin": "http://evil.example"}).status_code
        == 403
    )
    assert signed("").post("/picture", content=b"x").status_code == 401


def test_a_small_file_that_unpacks_to_a_huge_picture(local):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    bomb = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    assert local.post("/picture", content=b"\x89PNG\r\n\x1a\n" + bomb).status_code == 422


def test_refusals_in_the_language_of_the_browser(client):
    answer = client.post(
        "/upload?collection=new",
        content=b"x",
        headers={"X-File-Name": "a.sh", "Accept-Language": "zh-CN,zh;q=0.9"},
    )
    assert answer.text == "这不是视频文件名。"


# --- room ---


@pytest.fixture
def small(tmp_path):
    """`small(...)`: a page with these settings, where the editor `vera` is signed in."""
    made = []

    def client(**settings):
        add_user(demo_library(tmp_path / "home").catalog, "vera", PASSWORD, "editor")
        shared = open_app_state(demo_settings(tmp_path / "home", **settings), sign_in=True)
        made.append(client_of(shared))
        made[-1].post("/sign-in", data={"name": "vera", "password": PASSWORD})
        return made[-1]

    yield client
    for one in made:
        one.close()


def in_pieces(content: bytes):
    """A body that does not say how long it is."""
    for first in range(0, len(content), 50_000):
        yield content[first : first + 50_000]


def kept() -> int:
    with app_state().library.catalog.read() as session:
        account = accounts.require_account(session, "vera")
        return used_bytes(session, account.id)


@pytest.mark.parametrize("says_length", [True, False])
def test_nobody_keeps_more_than_the_quota(small, tmp_path, says_length):
    client = small(ui_upload_quota_mb=1, ui_upload_max_mb=100)
    video = colour_video(tmp_path / "a.mp4", [("green", 1)]).read_bytes()
    # A free box: players skip it.
    video += (600_000).to_bytes(4, "big") + b"free" + bytes(600_000 - 8)
    assert send(client, "a.mp4", video).status_code == 201
    assert kept() == len(video)
    more = video if says_length else in_pieces(video)
    answer = client.post("/upload?collection=new", content=more, headers={"X-File-Name": "b.mp4"})
    assert answer.status_code == 507
    assert "of uploads" in answer.text
    assert files(client) == ["a.mp4"]
    assert kept() == len(video), "what did not come does not count"


def test_parallel_uploads_count_together(small, tmp_path):
    client = small(ui_upload_quota_mb=1, ui_upload_max_mb=100)
    video = colour_video(tmp_path / "a.mp4", [("green", 1)]).read_bytes()
    video += (400_000).to_bytes(4, "big") + b"free" + bytes(400_000 - 8)
    with ThreadPoolExecutor(6) as threads:
        codes = list(threads.map(lambda n: send(client, f"{n}.mp4", video).status_code, range(6)))
    assert codes.count(201) == len(files(client)) <= 2
    assert kept() <= 1_000_000


@pytest.mark.parametrize("says_length", [True, False])
def test_some_of_the_disk_stays_free(small, tmp_path, says_length):
    client = small(ui_disk_reserve_mb=10**9)
    video = colour_video(tmp_path / "a.mp4", [("green", 1)]).read_bytes()
    body = video if says_length else in_pieces(video)
    answer = client.post("/upload?collection=new", content=body, headers={"X-File-Name": "a.mp4"})
    assert answer.status_code == 507
    assert files(client) == []


@pytest.mark.parametrize("length", ["-1", "1e3", "x"])
def test_a_length_that_is_none_is_no_defect(client, length):
    headers = {"X-File-Name": "a.mp4", "Content-Length": length}
    answer = client.post("/upload?collection=new", content=b"x", headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize("name", ["a%00", "a%0Ab", "x" * 200, "a%E2%80%AEb"])
def test_names_of_collections_are_short_and_printable(client, tmp_path, name):
    video = colour_video(tmp_path / "a.mp4", [("green", 1)]).read_bytes()
    answer = client.post(
        f"/upload?collection={name}", content=video, headers={"X-File-Name": "a.mp4"}
    )
    assert answer.status_code in (400, 422)
    assert files(client) == []


def test_who_sends_many_pictures_holds_up_nobody(client, monkeypatch):
    """More requests than there are threads, and decoding that does not come to an end."""
    go_on, read = threading.Event(), []

    def keep(_: object, data: bytes) -> str:
        read.append(data)
        go_on.wait(60)
        return "name"

    monkeypatch.setattr(upload, "keep_picture", keep)
    many = 50  # requests are answered by 40 threads
    with ThreadPoolExecutor(many) as pool:
        stuck = [pool.submit(client.post, "/picture", content=b"a picture") for _ in range(many)]
        wait_until(lambda: len(read) == 2, 60, "two are decoded")
        assert client.get("/thumbnail/1/0").status_code == 404
        assert len(read) == 2, "the others are not in memory yet"
        go_on.set()
        assert {one.result().status_code for one in stuck} == {201}
