"""What the API answers, and how it says no."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from indexer.embedders.demo import COLOURS
from indexer.media.probe import probe
from search_ui.api.rate_limit import RateLimit
from search_ui.app_state import app_state, open_app_state
from tests.search_ui.conftest import client_of
from tests.support import colour_video, demo_library, demo_settings


@pytest.fixture
def video_id(video_ids):
    return video_ids["traffic light.mp4"]


def test_search_answers_as_the_library_does(local, library):
    found = local.get("/api/v1/search?q=when is it green?&weak=true&limit=50").json()
    answer = library.search("when is it green?", top=51, titles=True)
    assert found["matched"] is True
    assert found["caption"] == answer.statement
    assert [(m["video_id"], m["start_s"], m["end_s"]) for m in found["moments"]] == [
        (m.video_id, round(m.span.start_s, 3), round(m.span.end_s, 3)) for m in answer.moments[:50]
    ]
    best = found["moments"][0]
    assert (best["start_s"], best["end_s"], best["title"]) == (4.0, 10.0, "traffic light")
    assert best["evidence"][0]["kind"] == "picture"


def test_links_of_a_moment_lead_to_it(local):
    best = local.get("/api/v1/search?q=green").json()["moments"][0]
    picture = Image.open(io.BytesIO(local.get(best["frame"]).content)).convert("RGB")
    assert np.abs(np.asarray(picture)[40, 40].astype(int) - COLOURS["green"]).max() < 30
    assert local.get(best["clip"]).headers["content-type"] == "video/mp4"


def test_pages_of_an_answer_are_the_whole_answer(local):
    whole = local.get("/api/v1/search?q=red&weak=true&limit=100").json()["moments"]
    assert len(whole) > 2
    paged, offset = [], 0
    while offset is not None:
        page = local.get(f"/api/v1/search?q=red&weak=true&limit=2&offset={offset}").json()
        paged += page["moments"]
        offset = page["next_offset"]
    assert paged == whole


def test_filters_of_a_question(local, video_ids):
    def videos_of(query: str) -> set[int]:
        found = local.get(f"/api/v1/search?q=red&weak=true&{query}").json()
        return {moment["video_id"] for moment in found["moments"]}

    assert videos_of("collection=private") == {video_ids["diary.mp4"]}
    assert videos_of("name=sunset") == {video_ids["sunset.mp4"]}
    assert videos_of("longest_s=5") == {video_ids["diary.mp4"]}
    assert videos_of("shortest_s=12") == {video_ids["traffic light.mp4"]}
    assert videos_of("recorded_from=2030-01-01") == set()
    assert videos_of("only=speech") == set()
    assert videos_of(f"video_id={video_ids['sunset.mp4']}") == {video_ids["sunset.mp4"]}


def test_videos_page_by_page(local, video_ids):
    first = local.get("/api/v1/videos?limit=2").json()
    rest = local.get(f"/api/v1/videos?limit=2&offset={first['next_offset']}").json()
    assert (first["total"], rest["next_offset"]) == (3, None)
    listed = [video["video_id"] for video in first["videos"] + rest["videos"]]
    assert listed == sorted(video_ids.values())


def test_one_video(local, library, video_id):
    found = local.get(f"/api/v1/videos/{video_id}").json()
    video = library.video(video_id)
    assert (found["duration_s"], found["state"], found["error"]) == (15.0, "ready", "")
    assert found["paths"] == [{"path": video.paths[0].path, "offline": False}]


def test_a_curve_is_high_where_it_is_shown(local, video_id):
    found = local.get(f"/api/v1/videos/{video_id}/curve?q=green").json()
    lane = found["lanes"]["picture"]
    highest = lane["times_s"][int(np.argmax(lane["values"]))]
    assert 4 <= highest <= 10
    assert found["cuts_s"] == [4.0, 10.0]


def test_words_and_chapters(tmp_path, local, monkeypatch):
    library = demo_library(tmp_path / "home", speech=True)
    path = colour_video(tmp_path / "film.mp4", [("red", 15.0), ("blue", 15.0)])
    path.with_suffix(".srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nthe first words\n")
    library.ingest([path])
    monkeypatch.setattr(app_state(), "library", library)
    (line,) = local.get("/api/v1/videos/1/transcript").json()["lines"]
    assert (line["kind"], line["start_s"], line["end_s"]) == ("speech", 1.0, 2.5)
    assert line["text"] == "the first words"
    assert "00:00:01,000 --> 00:00:02,500" in local.get("/api/v1/videos/1/subtitles").text
    chapters = local.get("/api/v1/videos/1/chapters").json()["chapters"]
    assert (chapters[0]["start_s"], chapters[-1]["end_s"]) == (0.0, 30.0)


def test_a_clip_is_as_long_as_was_asked(local, video_id, tmp_path):
    answer = local.get(f"/api/v1/videos/{video_id}/clip?start_s=3.5&end_s=5.5")
    path = tmp_path / "clip.mp4"
    path.write_bytes(answer.content)
    assert probe(path).duration_s == pytest.approx(2.0, abs=0.05)


def test_the_file_by_ranges(local, video_id):
    place = f"/api/v1/videos/{video_id}/stream"
    whole = local.get(place).content
    part = local.get(place, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    for headers in ({}, {"Range": "bytes=10-19"}):
        got, asked = (ask(place, headers=headers) for ask in (local.get, local.head))
        assert (asked.status_code, asked.headers) == (got.status_code, got.headers)
        assert not asked.content
    beyond = local.get(place, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range")
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize("place", ["frame?at_s=1", "thumbnail", "clip?start_s=0&end_s=1"])
def test_the_head_of_a_file_says_what_the_file_does(local, video_id, place):
    got, asked = (
        ask(f"/api/v1/videos/{video_id}/{place}", headers={"Accept-Encoding": "gzip"})
        for ask in (local.get, local.head)
    )
    assert asked.status_code == 200
    names = ("content-type", "cache-control", "content-encoding", "content-disposition")
    assert [asked.headers.get(name) for name in names] == [got.headers.get(name) for name in names]
    assert not asked.content


def test_a_thumbnail(local, video_id):
    for at_s in (12, 1e6):
        answer = local.get(f"/api/v1/videos/{video_id}/thumbnail?at_s={at_s}")
        assert answer.headers["content-type"] == "image/jpeg"


def test_status(local):
    found = local.get("/api/v1/status").json()
    assert found["videos"] == {"ready": 3}
    assert "home" not in found


@pytest.mark.parametrize(
    ("place", "status", "code"),
    [
        ("v1/search", 422, "invalid"),
        ("v1/search?q=", 422, "invalid"),
        ("v1/search?q=" + "x" * 3000, 422, "invalid"),
        ("v1/search?q=red&limit=0", 422, "invalid"),
        ("v1/search?q=red&limit=101", 422, "invalid"),
        ("v1/search?q=red&only=smell", 422, "invalid"),
        ("v1/search?q=red&longest_s=nan", 422, "invalid"),
        ("v1/search?q=red&recorded_to=9999-12-31", 422, "invalid"),
        ("v1/search?q=red&video_id=999999", 404, "not-found"),
        ("v1/search?q=red&video_id=0", 404, "not-found"),
        ("v1/search?like={}@0-1&video_id={}", 422, "invalid"),
        ("v1/search?like={}@0-1&only=picture", 422, "invalid"),
        ("v1/search?q=???", 400, "usage"),
        ("v1/search?q=дождь", 501, "model"),
        ("v1/search?q=%00", 400, "bad-request"),
        ("v1/search?q=%ff", 400, "bad-request"),
        ("v1/videos/99999999999999999999", 422, "invalid"),
        ("v1/videos/one", 422, "invalid"),
        ("v1/videos/-1", 422, "invalid"),
        ("v1/videos/", 404, "not-found"),
        ("v1/nothing", 404, "not-found"),
        ("v2/videos", 404, "not-found"),
        ("%2e%2e/stream/1", 404, "not-found"),
        ("v1/videos/{}/frame", 422, "invalid"),
        ("v1/videos/{}/frame?at_s=-1", 422, "invalid"),
        ("v1/videos/{}/frame?at_s=inf", 422, "invalid"),
        ("v1/videos/{}/clip?start_s=2&end_s=1", 422, "invalid"),
        ("v1/videos/{}/clip?start_s=99&end_s=100", 422, "invalid"),
    ],
)
def test_how_it_says_no(local, video_id, place, status, code):
    answer = local.get("/api/" + place.replace("{}", str(video_id)))
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    found = answer.json()
    assert (found["status"], found["code"]) == (status, code)
    assert found["detail"]


@pytest.mark.parametrize(
    ("place", "body"),
    [
        ("jobs", {"paths": ["/a\0b"], "collection": "colours"}),
        ("jobs", {"paths": ["/a"], "collection": "col\0ours"}),
        ("feedback", {"question": "\0", "video_id": 1, "start_s": 0, "end_s": 1, "good": True}),
        ("saved-searches", {"question": "a dog", "collections": ["\0"]}),
        ("videos/1/ask", {"question": "a\ud800"}),
    ],
)
def test_no_body_brings_what_is_no_text(local, place, body):
    answer = local.post(
        f"/api/v1/{place}",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("path", ["~nobody-here/x", "/" + "a" * 3900, "/dev/null/x", "relative"])
def test_no_path_is_a_defect(local, path):
    body = {"paths": [path], "collection": "colours"}
    answer = local.post("/api/v1/jobs", json=body)
    assert answer.json()["code"] in {"forbidden", "not-found"}
    assert local.get("/folders", params={"path": path, "collection": "colours"}).status_code == 404


def test_it_says_no_in_the_language_that_is_asked_for(local):
    headers = {"Accept-Language": "zh"}
    detail = local.get("/api/v1/videos/999999", headers=headers).json()["detail"]
    assert re.search("[\u4e00-\u9fff]", detail)


def test_other_methods_are_not_allowed(local, video_id):
    answer = local.put(f"/api/v1/videos/{video_id}")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


def test_a_file_that_is_gone(tmp_path, local, monkeypatch):
    library = demo_library(tmp_path / "home")
    path = colour_video(tmp_path / "film.mp4", [("red", 2.0)])
    library.ingest([path])
    path.unlink()
    monkeypatch.setattr(app_state(), "library", library)
    for place in ("stream", "clip?start_s=0&end_s=1"):
        answer = local.get(f"/api/v1/videos/1/{place}")
        assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    assert local.get("/api/v1/videos/1/frame?at_s=1").headers["content-type"] == "image/jpeg"


def test_so_many_requests_in_a_minute(filled_home, token):
    settings = demo_settings(filled_home, api_requests_per_minute=1)
    with client_of(open_app_state(settings, sign_in=True)) as client:
        first, second = ({"Authorization": f"Bearer {token()}"} for _ in range(2))
        assert client.get("/api/v1/collections", headers=first).status_code == 200
        refused = client.get("/api/v1/collections", headers=first)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert client.get("/api/v1/collections", headers=second).status_code == 200


def test_a_bucket_fills_again():
    limit = RateLimit(client_of, per_minute=60)  # pyright: ignore[reportArgumentType]
    key = ("token", 1)
    assert [limit._take(key, 0.0) for _ in range(60)] == [0.0] * 60
    assert limit._take(key, 0.0) == pytest.approx(1.0)
    assert limit._take(key, 1.0) == 0.0
    assert limit._take(key, 1.5) == pytest.approx(0.5)
    assert [limit._take(key, 1000.0) for _ in range(61)].count(0.0) == 60


def test_the_page_of_documentation_loads_nothing_from_elsewhere(local):
    page = local.get("/api/docs").text
    assert "/api/v1/videos/{video_id}/clip" in page
    assert "problem-catalog-busy" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)
    assert "<script" not in page


def test_the_document_says_where_and_how(local):
    document = local.get("/api/openapi.json").json()
    assert document["servers"] == [{"url": "/api"}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        assert "422" not in operation["responses"]
