"""What programs change: jobs, uploads, pictures, clips, feedback, saved searches, removal."""

import io
import json
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from indexer.admin.accounts import add_user
from indexer.catalog import accounts, collections
from indexer.catalog.audit import Actor
from indexer.catalog.people.tokens import add_token
from indexer.embedders.demo import COLOURS
from indexer.errors import UsageError
from search_ui.app_state import AppState, app_state, open_app_state
from search_ui.connections.small_bodies import LARGEST_BYTES
from tests.search_ui.browser import PASSWORD
from tests.search_ui.conftest import client_of
from tests.support import colour_video, demo_settings
from tests.workers.servers import wait_until

Maker = Callable[..., TestClient]


@pytest.fixture(scope="module")
def server(filled_home, tmp_path_factory) -> Iterator[AppState]:
    """A copy of the library that these tests may change, and a folder that may be added."""
    folder = tmp_path_factory.mktemp("writing")
    shutil.copytree(filled_home, folder / "home")
    colour_video(folder / "shared" / "leaves.mp4", [("blue", 2), ("green", 2)])
    settings = demo_settings(
        folder / "home",
        ui_folders=[folder / "shared"],
        webhook_private_addresses=True,
        ui_upload_quota_mb=1,
    )
    shared = open_app_state(settings, sign_in=True)
    add_user(shared.library.catalog, "ada", PASSWORD, "editor")
    yield shared
    shared.jobs.stop(10)


@pytest.fixture
def program(server, monkeypatch) -> Maker:
    """`program("editor", ["colours"], user="ada")`: a client that shows such a token."""
    monkeypatch.setattr("search_ui.app_state._state", server)

    def make(role: str = "editor", names: list[str] | None = None, *, user: str = "") -> TestClient:
        with server.library.catalog.begin() as session:
            ids = None if names is None else collections.find_collections(session, names)
            owner = accounts.require_account(session, user).id if user else None
            token = add_token(session, uuid.uuid4().hex, role, ids, 1, Actor(), owner)
        client = client_of(server)
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    return make


def until_ended(client: TestClient, job_id: int) -> list[dict]:
    """The jobs that the stream of events tells of, to its end."""
    reported: list[dict] = []
    with client.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                reported.append(json.loads(line.removeprefix("data: ")))
    assert name == "end", reported
    return reported


def test_a_folder_from_the_job_to_the_answer(program, server, tmp_path):
    folder = server.settings.ui_folders[0]
    client, viewer = program(), program("viewer")
    asked = {"paths": [str(folder)], "collection": "leaves"}
    for wrong, status in ((str(tmp_path), 403), ("leaves", 403), (f"{folder}/none", 404)):
        answer = client.post("/api/v1/jobs", json={**asked, "paths": [wrong]})
        assert answer.status_code == status, wrong
    started = client.post("/api/v1/jobs", json=asked)
    assert started.status_code == 202, started.text
    job_id = started.json()["id"]
    reported = until_ended(client, job_id)
    assert (reported[-1]["state"], reported[-1]["fraction"], reported[-1]["files"]) == (
        "done",
        1.0,
        1,
    )
    assert (reported[-1]["files_done"], reported[-1]["done_bytes"]) == (
        1,
        reported[-1]["size_bytes"],
    )
    assert viewer.get(f"/api/v1/jobs/{job_id}").json()["collection"] == "leaves"
    assert program("editor", ["colours"]).get(f"/api/v1/jobs/{job_id}").status_code == 404
    assert program("viewer", ["colours"]).get("/api/v1/jobs").json() == []
    found = client.get("/api/v1/search?q=green&collection=leaves").json()
    assert found["moments"][0]["title"] == "leaves"
    assert viewer.delete(f"/api/v1/jobs/{job_id}").status_code == 403
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404


def test_a_job_that_waits_is_paused_and_cancelled(program, server):
    jobs = server.jobs
    jobs.supervisor.stop(10)  # nobody does it meanwhile
    with server.library.catalog.begin() as session:
        add = collections.ensure_collection(session, "waiting")
    assert add
    job = jobs.ingest([server.settings.ui_folders[0]], "waiting", actor=Actor())
    client, place = program(), f"/api/v1/jobs/{job.id}"
    assert client.patch(place, json={"wanted": "pause"}).json()["state"] == "paused"
    assert client.delete(place).json()["code"] == "not-ready"
    assert client.patch(place, json={"wanted": "run"}).json()["state"] == "waiting"
    assert program("viewer").patch(place, json={"wanted": "cancel"}).status_code == 403
    assert client.patch(place, json={"wanted": "stop"}).status_code == 422
    assert client.patch(place, json={"wanted": "cancel"}).json()["state"] == "cancelled"
    server.jobs = type(jobs)(server.library, server.reach)


def test_an_upload_is_searchable_and_counts_for_whose_it_is(program, server, tmp_path):
    video = colour_video(tmp_path / "up.mp4", [("purple", 1), ("yellow", 2)]).read_bytes()
    client, place = program(), "/api/v1/uploads?collection=uploads&name=../up.mp4"
    answer = client.post(place, content=video)
    assert answer.status_code == 202, answer.text
    assert answer.json()["name"] == "up.mp4"
    assert until_ended(client, answer.json()["job"]["id"])[-1]["state"] == "done"
    (video_id,) = [
        one["video_id"] for one in client.get("/api/v1/videos?collection=uploads").json()["videos"]
    ]
    assert client.post(place, content=b"no video").json()["code"] == "invalid"
    assert client.post(place.replace("mp4", "exe"), content=video).status_code == 415
    too_much = b"x" * (1_000_000 - len(video) // 2)
    full = client.post(place, content=too_much)
    assert (full.status_code, full.json()["code"]) == (507, "no-space"), "a token has a quota too"
    assert program().post(place, content=too_much).status_code == 422, "another has its own"
    kept = server.settings.uploads / "up.mp4"
    assert kept.exists()
    assert client.delete(f"/api/v1/videos/{video_id}?files=true").json()["video_ids"] == [video_id]
    assert not kept.exists()
    assert client.get(f"/api/v1/videos/{video_id}").status_code == 404


def test_a_picture_and_a_picture_with_words(program, server):
    client = program("viewer")
    picture = io.BytesIO()
    Image.fromarray(np.full((40, 60, 3), COLOURS["purple"], np.uint8)).save(picture, "PNG")
    name = client.post("/api/v1/pictures", content=picture.getvalue()).json()["name"]
    found = client.get("/api/v1/search", params={"picture": name, "collection": "colours"}).json()
    best = found["moments"][0]
    assert (best["title"], best["start_s"], best["end_s"]) == ("sunset", 5.0, 10.0)
    both = client.get("/api/v1/search", params={"picture": name, "q": "purple"}).json()
    assert both["moments"][0]["title"] == "sunset"
    like = {"like": f"{best['video_id']}@5-10", "collection": "colours"}
    assert client.get("/api/v1/search", params=like).json()["moments"]
    assert client.post("/api/v1/pictures", content=b"nothing").json()["code"] == "invalid"
    for wrong in ({"picture": "x"}, {"picture": "a" * 64}, {"like": "x"}, {"like": "1", "q": "a"}):
        answer = client.get("/api/v1/search", params=wrong)
        assert answer.status_code in (400, 422), wrong
    hidden = {"like": f"{best['video_id']}@5-10"}
    assert program("viewer", ["private"]).get("/api/v1/search", params=hidden).status_code == 404


def test_a_clip_is_kept_and_served_by_ranges(program, server):
    client = program("viewer")
    (video_id, *_) = [v["video_id"] for v in client.get("/api/v1/videos").json()["videos"]]
    made = client.post(f"/api/v1/videos/{video_id}/clips", json={"start_s": 1.00049, "end_s": 2.5})
    assert made.status_code == 201, made.text
    clip = made.json()
    folder = server.library.artefacts.video_folder(video_id) / "clips"
    assert [path.stat().st_size for path in folder.iterdir()] == [clip["size_bytes"]]
    part = client.get(clip["clip"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert "attachment" in part.headers["content-disposition"]
    wrong = client.post(f"/api/v1/videos/{video_id}/clips", json={"start_s": 2, "end_s": 1})
    assert wrong.status_code == 422


def test_feedback_is_of_whoever_gave_it(program, server):
    viewer, other = program("viewer"), program("viewer", ["private"])
    (video_id, *_) = [v["video_id"] for v in viewer.get("/api/v1/videos").json()["videos"]]
    thumb = {"question": "red?", "video_id": video_id, "start_s": 0, "end_s": 4, "good": False}
    assert viewer.post("/api/v1/feedback", json=thumb).status_code == 201
    kept = viewer.post("/api/v1/feedback", json={**thumb, "good": True}).json()
    assert viewer.get("/api/v1/feedback?q=red?").json() == [kept]
    assert other.get("/api/v1/feedback").json() == []
    assert other.post("/api/v1/feedback", json=thumb).status_code == 404, "not to be seen"
    place = f"/api/v1/feedback/{kept['id']}"
    assert other.delete(place).status_code == 404
    assert viewer.post("/api/v1/feedback", json={**thumb, "end_s": 0}).status_code == 422
    assert viewer.delete(place).status_code == 204
    assert viewer.get("/api/v1/feedback").json() == []


def test_a_saved_search_is_of_whose_it_is(program, server):
    own, hers = program("viewer"), program("viewer", user="ada")
    asked = {"question": "green", "only": ["picture"], "longest_min": 2, "collections": ["colours"]}
    saved = own.post("/api/v1/saved-searches", json=asked).json()
    assert saved["link"] == "/?q=green&collection=colours&only=picture&max=2"
    assert (saved["title"], saved["webhook"], saved["longest_min"]) == ("green", None, 2)
    assert own.get("/api/v1/saved-searches").json() == [saved]
    assert hers.get("/api/v1/saved-searches").json() == []
    place = f"/api/v1/saved-searches/{saved['id']}"
    assert hers.get(place).status_code == hers.delete(place).status_code == 404
    kept = hers.post("/api/v1/saved-searches", json={**asked, "title": "mine"}).json()
    person = client_of(server)
    person.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    assert person.get("/api/v1/saved-searches").json() == [kept], "what her token saved is hers"
    assert own.delete(place).status_code == 204
    assert own.get(place).status_code == 404
    unseen = program("viewer", ["private"]).post("/api/v1/saved-searches", json=asked)
    assert unseen.status_code == 404


def test_a_webhook_is_told_its_secret_once(program, server):
    client = program("viewer")
    hook = {"url": "http://127.0.0.1:9/hook"}
    saved = client.post("/api/v1/saved-searches", json={"question": "red", "webhook": hook}).json()
    assert saved["webhook"].pop("secret").startswith("whsec_")
    shown = client.get(f"/api/v1/saved-searches/{saved['id']}").json()["webhook"]
    assert shown == {"secret": None, **saved["webhook"]}
    assert (shown["waiting"], shown["failed"], shown["error"]) == (0, 0, None)
    for wrong in ("ftp://example.com/", "nothing", "http://user:word@127.0.0.1/"):
        answer = client.post(
            "/api/v1/saved-searches", json={"question": "red", "webhook": {"url": wrong}}
        )
        assert answer.json()["code"] == "usage", wrong


def test_removing_a_collection(program, server):
    client = program("editor")
    ids = {one["name"]: one["id"] for one in client.get("/api/v1/collections").json()}
    limited = program("editor", ["colours"])
    assert limited.delete(f"/api/v1/collections/{ids['private']}").status_code == 404
    removed = client.delete(f"/api/v1/collections/{ids['private']}").json()
    assert len(removed["video_ids"]) == 1
    assert "private" not in {one["name"] for one in client.get("/api/v1/collections").json()}
    log = server.library.audit_log(last=1)[0]
    assert log.actor.name.startswith("token ")


def test_asking_needs_a_grounder(program):
    answer = program("viewer").post("/api/v1/videos/1/ask", json={"question": "what is it?"})
    assert (answer.status_code, answer.json()["code"]) == (501, "model")


def test_a_large_document_is_refused_before_it_is_in_memory(program):
    client = program()
    body = b'{"question": "' + b"x" * LARGEST_BYTES + b'"}'
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/v1/feedback", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    pieces = (body[n : n + 100_000] for n in range(0, len(body), 100_000))
    answer = client.post("/api/v1/feedback", content=pieces, headers=headers)
    assert answer.status_code == 413


def test_nothing_waits(server):
    """Threads that these tests started have nothing left to do."""
    until = time.monotonic() + 60
    while any(job.is_open for job in app_state().jobs.all()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(job.is_open for job in server.jobs.all())
    assert not list(Path(server.settings.uploads).glob(".upload-*"))


def test_who_asks_the_grounder_often_holds_up_nobody(program: Maker, monkeypatch):
    """More requests than there are threads, and answers that take minutes."""
    go_on, asked = threading.Event(), []

    def answer(*_: object, **__: object) -> None:
        asked.append(1)
        go_on.wait(60)
        raise UsageError("there is no grounder")

    monkeypatch.setattr(app_state().library, "ask", answer)
    monkeypatch.setattr(app_state().library, "search", answer)
    many = 25  # of each; requests are answered by 40 threads
    with program("viewer") as client, ThreadPoolExecutor(2 * many) as pool:
        ask = "/api/v1/videos/1/ask"
        stuck = [pool.submit(client.post, ask, json={"question": "what?"}) for _ in range(many)]
        address = "/api/v1/search?q=red&ground=True"
        stuck += [pool.submit(client.get, address) for _ in range(many)]
        wait_until(lambda: len(asked) == 2, 60, "two are answered")
        assert client.get("/api/v1/videos").status_code == 200
        assert len(asked) == 2
        go_on.set()
        assert {one.result().status_code for one in stuck} == {400}
    assert len(asked) == 2 * many
