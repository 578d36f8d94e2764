"""The media route: ranges as RFC 9110 says, ids and nothing else, and nobody else's."""

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.admin.accounts import add_user
from indexer.embedders.demo import COLOURS
from indexer.errors import UsageError
from indexer.library import Library
from indexer.media.decode.reader import sample_frames
from indexer.media.probe import probe
from search_ui.app_state import app_state, open_app_state
from tests.indexer.media.golden import ffmpeg
from tests.search_ui.conftest import PASSWORD, client_of
from tests.support import colour_video, demo_settings

WAIT_S = 60


@pytest.fixture
def video(library, video_ids) -> tuple[str, bytes]:
    """Its address and its bytes."""
    video_id = video_ids["sunset.mp4"]
    return f"/stream/{video_id}", Path(library.video(video_id).paths[0].path).read_bytes()


def test_whole(local, video):
    answer = local.get(video[0])
    assert (answer.status_code, answer.content) == (200, video[1])
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(video[1]))


def test_head(local, video):
    answer = local.head(video[0])
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(video[1]))


def test_one_range(local, video):
    answer = local.get(video[0], headers={"Range": "bytes=100-199"})
    assert (answer.status_code, answer.content) == (206, video[1][100:200])
    assert answer.headers["content-range"] == f"bytes 100-199/{len(video[1])}"


def test_open_range(local, video):
    answer = local.get(video[0], headers={"Range": "bytes=500-"})
    assert (answer.status_code, answer.content) == (206, video[1][500:])


def test_suffix_range(local, video):
    answer = local.get(video[0], headers={"Range": "bytes=-64"})
    assert (answer.status_code, answer.content) == (206, video[1][-64:])


def test_range_past_the_end_is_cut(local, video):
    size = len(video[1])
    answer = local.get(video[0], headers={"Range": f"bytes={size - 10}-{size + 1000}"})
    assert (answer.status_code, answer.content) == (206, video[1][-10:])


def test_several_ranges(local, video):
    answer = local.get(video[0], headers={"Range": "bytes=0-9,20-29"})
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges")
    assert video[1][:10] in answer.content
    assert video[1][20:30] in answer.content


@pytest.mark.parametrize("value", ["bytes=9-1", "bytes=x-y", "bytes", "frames=0-1"])
def test_invalid_range(local, video, value):
    assert local.get(video[0], headers={"Range": value}).status_code == 400


def test_range_that_cannot_be_satisfied(local, video):
    answer = local.get(video[0], headers={"Range": f"bytes={len(video[1])}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(video[1])}"


def test_if_range_of_the_same_file(local, video):
    tag = local.head(video[0]).headers["etag"]
    answer = local.get(video[0], headers={"Range": "bytes=0-9", "If-Range": tag})
    assert (answer.status_code, answer.content) == (206, video[1][:10])


def test_if_range_of_another_file(local, video):
    answer = local.get(video[0], headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (answer.status_code, answer.content) == (200, video[1])


def test_never_compressed(local, video):
    answer = local.get(video[0], headers={"Range": "bytes=0-99", "Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.content == video[1][:100]


@pytest.mark.parametrize(
    "id", ["999999", "0", str(2**63), str(2**70), "-1", "1.5", "1e3", "%2e%2e", "x"]
)
def test_unknown_id(local, id):
    assert local.get(f"/stream/{id}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/stream/../../etc/passwd",
        "/stream/..%2f..%2fetc%2fpasswd",
        "/stream/%2fetc%2fpasswd",
        "/stream/1/../../../etc/passwd",
        "/stream/1%00/etc/passwd",
        "/thumbnail/1/..%2f..%2fcatalog.sqlite",
        "/clip/1/0/%2fetc%2fpasswd",
        "/stream//etc/passwd",
    ],
)
def test_path_in_the_id(local, path):
    answer = local.get(path)
    assert answer.status_code in (400, 404)
    assert b"root:" not in answer.content


def test_somebody_elses_video(signed, video_ids):
    limited = signed("limited")
    for kind, rest in (("stream", ""), ("thumbnail", "/1000"), ("clip", "/0/1000")):
        assert limited.get(f"/{kind}/{video_ids['diary.mp4']}{rest}").status_code == 404
    assert limited.get(f"/stream/{video_ids['sunset.mp4']}").status_code == 200
    assert signed("viewer").get(f"/stream/{video_ids['diary.mp4']}").status_code == 200


def test_file_that_is_gone(local, library, video_ids, tmp_path):
    path = Path(library.video(video_ids["sunset.mp4"]).paths[0].path)
    path.rename(tmp_path / "elsewhere.mp4")
    try:
        assert local.get(f"/stream/{video_ids['sunset.mp4']}").status_code == 410
    finally:
        (tmp_path / "elsewhere.mp4").rename(path)


# --- files that are exchanged ---


@pytest.fixture
def exchangeable(tmp_path):
    """A page where people sign in, a video of its only root, and a place outside with a secret."""
    settings = demo_settings(tmp_path / "home", roots={"media": tmp_path / "media"})
    path = colour_video(tmp_path / "media" / "a.mp4", [("green", 2)])
    Library(settings).ingest([path], "c")
    add_user(Library(settings).catalog, "vera", PASSWORD, "viewer")
    secret = tmp_path / "outside" / "secret"
    secret.parent.mkdir()
    secret.write_bytes(b"s" * path.stat().st_size)
    secret.chmod(0o600)
    stamp = path.stat()
    os.utime(secret, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    with client_of(open_app_state(settings, sign_in=True)) as client:
        client.post("/sign-in", data={"name": "vera", "password": PASSWORD})
        assert client.get("/stream/1").status_code == 200
        yield client, path, secret


def statuses(client) -> set[int]:
    return {client.get(path).status_code for path in ("/stream/1", "/clip/1/0/1000")}


def test_a_link_to_a_file_elsewhere_is_not_followed(exchangeable):
    """Also one of the same size and time."""
    client, path, secret = exchangeable
    path.unlink()
    path.symlink_to(secret)
    assert statuses(client) == {410}


def test_a_folder_that_became_a_link_elsewhere_is_not_followed(exchangeable):
    client, path, secret = exchangeable
    path.rename(secret.parent / "a.mp4")
    path.parent.rmdir()
    path.parent.symlink_to(secret.parent)
    # The root is what the settings name, wherever that leads; below it nothing may lead out.
    assert client.get("/stream/1").status_code == 200
    path.parent.unlink()
    path.parent.mkdir()
    (path.parent / "a.mp4").symlink_to(secret.parent / "a.mp4")
    assert statuses(client) == {410}


def test_a_link_within_the_root_is_followed(exchangeable):
    client, path, _ = exchangeable
    path.rename(path.with_name("b.mp4"))
    path.symlink_to(path.with_name("b.mp4"))
    assert statuses(client) == {200}


@pytest.mark.parametrize("content", [b"other", None])
def test_other_bytes_at_the_path_are_not_served(exchangeable, content):
    client, path, secret = exchangeable
    path.write_bytes(content or secret.read_bytes())
    os.utime(path, (0, 0))
    assert statuses(client) == {410}


def test_pictures_are_of_the_file_that_was_read(exchangeable):
    client, path, _ = exchangeable
    colour_video(path, [("red", 2)])
    os.utime(path, (0, 0))
    picture = Image.open(io.BytesIO(client.get("/still/1/500").content)).convert("RGB")
    assert np.abs(np.asarray(picture)[10, 10].astype(int) - COLOURS["green"]).max() < 30


def test_a_pipe_in_place_of_the_file_blocks_nobody(exchangeable):
    client, path, _ = exchangeable
    path.unlink()
    os.mkfifo(path)
    assert statuses(client) == {410}


def test_artefacts_that_became_links_are_not_followed(exchangeable, tmp_path):
    client, _, secret = exchangeable
    made = ("/thumbnail/1/0", "/sprites/1/0", "/still/1/500", "/strip/1/0/1000")
    assert {client.get(path).status_code for path in made} == {200}
    artefacts = tmp_path / "home" / "artefacts"
    for picture in [*artefacts.rglob("*.jpg"), *artefacts.rglob("*.webp")]:
        picture.unlink()
        picture.symlink_to(secret)
    assert {client.get(path).status_code for path in made} == {410}


def test_no_descriptor_stays_open(exchangeable):
    client, _, _ = exchangeable
    before = len(os.listdir("/proc/self/fd"))
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=x"}, {"Range": "bytes=9999999-"}):
        for _ in range(20):
            client.get("/stream/1", headers=headers)
            client.head("/stream/1", headers=headers)
    assert len(os.listdir("/proc/self/fd")) < before + 10


def test_thumbnail(local, video_ids):
    answer = local.get(f"/thumbnail/{video_ids['sunset.mp4']}/1000")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.content.startswith(b"\xff\xd8")


def test_clip(local, video_ids, tmp_path):
    answer = local.get(f"/clip/{video_ids['traffic light.mp4']}/4000/6000")
    assert answer.status_code == 200
    assert "traffic light" in answer.headers["content-disposition"].replace("%20", " ")
    (tmp_path / "clip.mp4").write_bytes(answer.content)
    frames = sample_frames(tmp_path / "clip.mp4", rate_hz=5)
    assert frames.images[:, 30, 48].argmax(-1).tolist() == [1] * len(frames), "green all along"
    assert 9 <= len(frames) <= 11


def test_many_clips_wait_and_keep_nobody_else_waiting(local, video_ids, monkeypatch):
    """More of them than the server has threads to answer with."""
    go_on, entered = threading.Event(), threading.Semaphore(0)

    def cut(video: str, start_s: float, end_s: float, output: Path) -> None:
        entered.release()
        assert go_on.wait(WAIT_S)
        output.write_bytes(b"clip")

    monkeypatch.setattr(app_state().library, "clip", cut)
    video_id = video_ids["sunset.mp4"]
    with ThreadPoolExecutor(61) as people:
        clips = [
            people.submit(local.get, f"/clip/{video_id}/{start_ms}/5000") for start_ms in range(60)
        ]
        try:
            assert all(entered.acquire(timeout=WAIT_S) for _ in range(2))
            assert people.submit(local.get, f"/stream/{video_id}").result(WAIT_S).status_code == 200
            assert not entered.acquire(blocking=False), "two at a time"
        finally:
            go_on.set()
        assert {clip.result(WAIT_S).content for clip in clips} == {b"clip"}


def test_clip_before_the_first_picture_is_no_fault_of_the_server(local, video_ids, monkeypatch):
    def cut(video: str, start_s: float, end_s: float, output: Path) -> None:
        raise UsageError("{src} has no picture before {first_s:.3f} s", src=video, first_s=5.0)

    monkeypatch.setattr(app_state().library, "clip", cut)
    answer = local.get(f"/clip/{video_ids['sunset.mp4']}/1000/3000")
    assert (answer.status_code, "before 5.000 s" in answer.text) == (422, True)


def test_sound_alone_is_a_file_of_sound(local, video_ids, tmp_path, monkeypatch):
    video_id, library = video_ids["sunset.mp4"], app_state().library
    silent = local.get(f"/clip/{video_id}/1000/3000/sound")
    assert (silent.status_code, "no sound" in silent.text) == (422, True)
    tone = tmp_path / "tone.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=d=5", tone)

    def cut(video: str, start_s: float, end_s: float, output: Path) -> None:
        Library.clip(library, str(tone), start_s, end_s, output)

    monkeypatch.setattr(library, "clip", cut)
    answer = local.get(f"/clip/{video_id}/1000/3000/sound")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mp4")
    assert "1.0-3.0.m4a" in answer.headers["content-disposition"]
    (tmp_path / "clip.m4a").write_bytes(answer.content)
    assert probe(tmp_path / "clip.m4a").duration_s == pytest.approx(2.0, abs=0.05)
    place = f"/api/v1/videos/{video_id}/clip?start_s=1&end_s=3&format="
    assert local.get(f"{place}mp3").headers["content-type"] == "audio/mpeg"
    assert local.get(f"{place}exe").status_code == 422


@pytest.mark.parametrize("span", ["5000/5000", "6000/5000", "99000/99500", "0/700000000"])
def test_clip_of_nothing_or_everything(local, video_ids, span):
    answer = local.get(f"/clip/{video_ids['sunset.mp4']}/{span}")
    assert answer.status_code == (200 if span.startswith("0/") else 422)
