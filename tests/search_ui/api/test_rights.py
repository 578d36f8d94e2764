"""Every route of the API, and who gets what from it. A new route has to be named here."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from indexer.catalog import collections
from indexer.catalog.audit import Actor
from indexer.catalog.people import tokens
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.people import ApiToken
from indexer.vocabulary import AuditAction
from search_ui.api.app import make_api
from search_ui.app_state import app_state

OPEN = {"GET /v1/health": {}}
OF_WHOEVER_IS_KNOWN = {
    "GET /v1/collections": {},
    "GET /v1/videos": {},
    "GET /v1/search": {"params": {"q": "red"}},
    "GET /v1/jobs": {},
    "GET /v1/feedback": {},
    "GET /v1/saved-searches": {},
    "GET /v1/transcripts": {},
    "GET /v1/models": {},
    "GET /docs": {},
    "GET /openapi.json": {},
}
OF_WHO_SEES_ALL = {"GET /v1/status": {}, "GET /v1/checks": {}}
OF_A_VIDEO = {
    "GET /v1/videos/{video_id}": {},
    "GET /v1/videos/{video_id}/curve": {"params": {"q": "red"}},
    "GET /v1/videos/{video_id}/transcript": {},
    "GET /v1/videos/{video_id}/subtitles": {},
    "GET /v1/videos/{video_id}/chapters": {},
    "GET /v1/videos/{video_id}/frame": {"params": {"at_s": 1}},
    "GET /v1/videos/{video_id}/thumbnail": {"params": {"at_s": 1}},
    "GET /v1/videos/{video_id}/clip": {"params": {"start_s": 0, "end_s": 1}},
    "GET /v1/videos/{video_id}/stream": {},
}
CHANGES = {
    "POST /v1/pictures": {"content": b"no picture"},
    "POST /v1/feedback": {
        "json": {"question": "a", "video_id": 1, "start_s": 0, "end_s": 1, "good": True}
    },
    "DELETE /v1/feedback/{feedback_id}": {},
    "POST /v1/saved-searches": {"json": {"question": "red"}},
    "GET /v1/saved-searches/{search_id}": {},
    "DELETE /v1/saved-searches/{search_id}": {},
    "POST /v1/videos/{video_id}/clips": {"json": {"start_s": 0, "end_s": 1}},
    "POST /v1/videos/{video_id}/ask": {"json": {"question": "what is it?"}},
    "GET /v1/jobs/{job_id}": {},
    "GET /v1/jobs/{job_id}/events": {},
}
"""Whoever is known may do these with what is theirs to see; `test_writing.py` does them."""
OF_EDITORS = {
    "POST /v1/jobs": {"json": {"paths": ["/nowhere"], "collection": "colours"}},
    "POST /v1/uploads": {"params": {"collection": "colours", "name": "a.mp4"}, "content": b"a"},
    "POST /v1/videos/{video_id}/retry": {},
    "POST /v1/videos/{video_id}/cancel": {},
    "POST /v1/cancel": {},
    "POST /v1/reindex": {},
    "PATCH /v1/jobs/{job_id}": {"json": {"wanted": "pause"}},
    "DELETE /v1/jobs/{job_id}": {},
    "GET /v1/jobs/{job_id}/files": {},
    "DELETE /v1/videos/{video_id}": {},
    "DELETE /v1/collections/{collection_id}": {},
}
READ = OF_WHOEVER_IS_KNOWN | OF_WHO_SEES_ALL | OF_A_VIDEO
CLOSED = READ | CHANGES | OF_EDITORS


def ask(client, operation: str, headers: dict | None = None, **numbers: int):
    """Sends the request; numbers that are not given are those of nothing."""
    method, path = operation.split()
    names = ("video_id", "job_id", "feedback_id", "search_id", "collection_id")
    place = path.format_map({name: numbers.get(name, 999_999) for name in names})
    asked = (OPEN | CLOSED)[operation]
    return client.request(method, f"/api{place}", follow_redirects=False, headers=headers, **asked)


def operations() -> set[str]:
    api = make_api()
    documented = {
        f"{method.upper()} {path}"
        for path, methods in api.openapi()["paths"].items()
        for method in methods
    }
    return documented | {"GET /docs", "GET /openapi.json"}


def test_every_route_is_tested():
    assert operations() == set(OPEN | CLOSED)


@pytest.mark.parametrize("operation", OPEN)
def test_open_to_everybody(signed, operation):
    assert ask(signed(""), operation).status_code == 200


def test_nobody_gets_nothing(signed):
    client = signed("")
    for operation in CLOSED:
        answer = ask(client, operation)
        assert answer.status_code == 401, operation
        if operation != "GET /docs":
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "unauthorized"


@pytest.mark.parametrize("wrong", ["", "skp_", "skp_" + "a" * 43, "é", "a b"])
def test_a_wrong_token_gets_nothing(signed, wrong):
    client, headers = signed(""), {"Authorization": f"Bearer {wrong}".encode()}
    for operation in CLOSED:
        assert ask(client, operation, headers).status_code == 401, operation


def test_a_token_that_is_over_gets_nothing(signed):
    with app_state().library.catalog.begin() as session:
        token = tokens.add_token(session, "over", "administrator", None, 1, Actor())
        ended = utc_now() - timedelta(seconds=1)
        session.execute(update(ApiToken).where(ApiToken.name == "over").values(expires_at=ended))
    client = signed("")
    client.headers["Authorization"] = f"Bearer {token}"
    for operation in CLOSED:
        assert ask(client, operation).status_code == 401, operation
    with app_state().library.catalog.begin() as session:
        tokens.revoke_token(session, "over", Actor())


def test_a_viewer_changes_nothing(program, signed, video_ids):
    video_id = video_ids["diary.mp4"]
    with app_state().library.catalog.read() as session:
        (colours,) = collections.find_collections(session, ["colours"])
    for client in (program("viewer"), program("viewer", ["colours", "private"]), signed("viewer")):
        for operation in OF_EDITORS:
            status = ask(client, operation, video_id=video_id, collection_id=colours).status_code
            assert status == (404 if "{job_id}" in operation else 403), operation


def test_an_editor_changes_nothing_of_others(program, video_ids):
    client = program("editor", ["private"])
    with app_state().library.catalog.read() as session:
        (colours,) = collections.find_collections(session, ["colours"])
    numbers = {"video_id": video_ids["sunset.mp4"], "collection_id": colours}
    for operation in OF_EDITORS:
        status = ask(client, operation, **numbers).status_code
        assert status == (404 if "{" in operation else 403), operation


def test_no_page_of_another_site_changes_anything(signed):
    """A browser sends the cookie along whoever asks for it."""
    client = signed("editor")
    client.headers["Origin"] = "https://evil.example"
    for operation in CHANGES | OF_EDITORS:
        if not operation.startswith("GET"):
            assert ask(client, operation, video_id=1).status_code == 403, operation


def test_a_revoked_token_gets_nothing_from_then_on(signed):
    with app_state().library.catalog.begin() as session:
        token = tokens.add_token(session, "soon over", "viewer", None, 1, Actor())
    client = signed("")
    client.headers["Authorization"] = f"Bearer {token}"
    assert client.get("/api/v1/videos").status_code == 200
    with app_state().library.catalog.begin() as session:
        tokens.revoke_token(session, "soon over", Actor())
    assert client.get("/api/v1/videos").status_code == 401


def test_who_sees_all_gets_all(program, signed, video_ids):
    person = signed("viewer")
    for operation in READ:
        # Cutting, decoding and looking around take long, and do not ask who it is for.
        is_slow = operation.endswith(("/clip", "/frame", "/checks"))
        for client in [program("viewer"), *([] if is_slow else [person])]:
            answer = ask(client, operation, video_id=video_ids["diary.mp4"])
            assert answer.status_code == 200, operation


def test_only_videos_that_one_may_see(program, signed, video_ids):
    hidden, seen = video_ids["diary.mp4"], video_ids["sunset.mp4"]
    of_a_video = [operation for operation in READ | CHANGES if "{video_id}" in operation]
    for client in (program("viewer", ["colours"]), program("editor", ["colours"])):
        for operation in of_a_video:
            answer = ask(client, operation, video_id=hidden)
            assert answer.status_code == 404, operation
            assert answer.json() == ask(client, operation).json(), "one cannot tell them apart"
            if operation in READ:
                assert ask(client, operation, video_id=seen).status_code == 200
    limited = signed("limited")
    for operation in of_a_video:
        assert ask(limited, operation, video_id=hidden).status_code == 404


@pytest.mark.parametrize("operation", OF_WHO_SEES_ALL)
def test_some_collections_are_not_enough(program, operation):
    answer = ask(program("editor", ["colours"]), operation)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_lists_hold_only_what_one_may_see(program, video_ids):
    client = program("viewer", ["colours"])
    assert [one["name"] for one in client.get("/api/v1/collections").json()] == ["colours"]
    listed = client.get("/api/v1/videos").json()
    own = {video_ids[name] for name in ("sunset.mp4", "traffic light.mp4")}
    assert {video["video_id"] for video in listed["videos"]} == own
    assert listed["total"] == 2
    assert client.get("/api/v1/transcripts").text == ""
    found = client.get("/api/v1/search?q=pink&weak=true&limit=100").json()["moments"]
    assert {moment["collection"] for moment in found} == {"colours"}


@pytest.mark.parametrize("place", ["search?q=pink&", "videos?"])
def test_collections_of_others_look_as_if_there_were_none(program, place):
    client = program("viewer", ["colours"])
    hidden = client.get(f"/api/v1/{place}collection=private")
    unknown = client.get(f"/api/v1/{place}collection=nothing")
    assert (hidden.status_code, hidden.json()) == (404, unknown.json())
    noted = app_state().library.audit_log(actions=[AuditAction.SEARCHED_OTHERS])
    assert noted[0].subject == "private"
    assert noted[0].actor.name.startswith("token ")


def test_a_question_to_a_video_of_others(program, video_ids):
    place = f"/api/v1/search?q=pink&video_id={video_ids['diary.mp4']}"
    assert program("viewer", ["colours"]).get(place).status_code == 404
    assert program("viewer").get(place).json()["moments"]


def test_no_collection_is_not_all(program):
    client = program("viewer", [])
    assert client.get("/api/v1/collections").json() == []
    assert client.get("/api/v1/videos").json() == {"videos": [], "total": 0, "next_offset": None}
    assert client.get("/api/v1/search?q=red").json()["moments"] == []


@pytest.mark.parametrize("path", ["/", "/stream/1", "/account", "/metrics", "/_stcore/host-config"])
def test_a_token_opens_nothing_but_the_api(program, path):
    assert program("administrator").get(path).status_code == 401


def test_on_the_local_machine_a_token_counts_where_it_is_shown(local):
    assert local.get("/api/v1/videos").json()["total"] == 3
    headers = {"Authorization": "Bearer skp_wrong"}
    assert local.get("/api/v1/videos", headers=headers).status_code == 401
    other = {"Host": "evil.example"}
    answer = local.get("/api/v1/videos", headers=other)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_when_a_token_was_used_is_noted(program):
    program("viewer").get("/api/v1/collections")
    with app_state().library.catalog.read() as session:
        newest = max(tokens.list_tokens(session), key=lambda token: token.id)
    assert newest.used_at is not None
