"""Every route of the API, and who gets what from it. A new route has to be named here."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from indexer.catalog.audit import Actor
from indexer.catalog.people import tokens
from indexer.catalog.tables import ApiToken, utc_now
from indexer.vocabulary import AuditAction
from search_ui.api.app import make_api
from search_ui.app_state import app_state

OPEN = {"/v1/health": ""}
OF_WHOEVER_IS_KNOWN = {
    "/v1/collections": "",
    "/v1/videos": "",
    "/v1/search": "?q=red",
    "/docs": "",
    "/openapi.json": "",
}
OF_WHO_SEES_ALL = {"/v1/status": ""}
OF_A_VIDEO = {
    "/v1/videos/{video_id}": "",
    "/v1/videos/{video_id}/curve": "?q=red",
    "/v1/videos/{video_id}/transcript": "",
    "/v1/videos/{video_id}/subtitles": "",
    "/v1/videos/{video_id}/chapters": "",
    "/v1/videos/{video_id}/frame": "?at_s=1",
    "/v1/videos/{video_id}/thumbnail": "?at_s=1",
    "/v1/videos/{video_id}/clip": "?start_s=0&end_s=1",
    "/v1/videos/{video_id}/stream": "",
}
CLOSED = OF_WHOEVER_IS_KNOWN | OF_WHO_SEES_ALL | OF_A_VIDEO


def address(path: str, video_id: int = 1) -> str:
    query = (OPEN | CLOSED)[path]
    return "/api" + path.format(video_id=video_id) + query


def operations() -> set[tuple[str, str]]:
    api = make_api()
    documented = {
        (method.upper(), path)
        for path, methods in api.openapi()["paths"].items()
        for method in methods
    }
    return documented | {("GET", "/docs"), ("GET", "/openapi.json")}


def test_every_route_is_tested():
    assert operations() == {("GET", path) for path in OPEN | CLOSED}


@pytest.mark.parametrize("path", OPEN)
def test_open_to_everybody(signed, path):
    assert signed("").get(address(path)).status_code == 200


@pytest.mark.parametrize("path", CLOSED)
def test_nobody_gets_nothing(signed, path):
    answer = signed("").get(address(path), follow_redirects=False)
    assert answer.status_code == 401
    if path != "/docs":
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "unauthorized"


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("wrong", ["", "skp_", "skp_" + "a" * 43, "é", "a b"])
def test_a_wrong_token_gets_nothing(signed, path, wrong):
    headers = {"Authorization": f"Bearer {wrong}".encode()}
    assert signed("").get(address(path), headers=headers).status_code == 401


@pytest.mark.parametrize("path", CLOSED)
def test_a_token_that_is_over_gets_nothing(signed, path):
    with app_state().library.catalog.begin() as session:
        name = f"over {path}"
        token = tokens.add_token(session, name, "viewer", None, 1, Actor())
        ended = utc_now() - timedelta(seconds=1)
        session.execute(update(ApiToken).where(ApiToken.name == name).values(expires_at=ended))
    headers = {"Authorization": f"Bearer {token}"}
    assert signed("").get(address(path), headers=headers).status_code == 401
    with app_state().library.catalog.begin() as session:
        tokens.revoke_token(session, name, Actor())


def test_a_revoked_token_gets_nothing_from_then_on(signed):
    with app_state().library.catalog.begin() as session:
        token = tokens.add_token(session, "soon over", "viewer", None, 1, Actor())
    client = signed("")
    client.headers["Authorization"] = f"Bearer {token}"
    assert client.get("/api/v1/videos").status_code == 200
    with app_state().library.catalog.begin() as session:
        tokens.revoke_token(session, "soon over", Actor())
    assert client.get("/api/v1/videos").status_code == 401


@pytest.mark.parametrize("path", CLOSED)
def test_who_sees_all_gets_all(program, signed, video_ids, path):
    place = address(path, video_ids["diary.mp4"])
    assert program("viewer").get(place).status_code == 200
    assert signed("viewer").get(place).status_code == 200, "a person in a browser"


@pytest.mark.parametrize("path", OF_A_VIDEO)
def test_only_videos_that_one_may_see(program, signed, video_ids, path):
    hidden = address(path, video_ids["diary.mp4"])
    unknown = address(path, 999_999)
    for client in (program("viewer", ["colours"]), program("editor", ["colours"])):
        assert client.get(address(path, video_ids["sunset.mp4"])).status_code == 200
        answer = client.get(hidden)
        assert answer.status_code == 404
        assert answer.json() == client.get(unknown).json(), "one cannot tell them apart"
    assert signed("limited").get(hidden).status_code == 404


@pytest.mark.parametrize("path", OF_WHO_SEES_ALL)
def test_some_collections_are_not_enough(program, path):
    answer = program("editor", ["colours"]).get(address(path))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_lists_hold_only_what_one_may_see(program, video_ids):
    client = program("viewer", ["colours"])
    assert [one["name"] for one in client.get("/api/v1/collections").json()] == ["colours"]
    listed = client.get("/api/v1/videos").json()
    own = {video_ids[name] for name in ("sunset.mp4", "traffic light.mp4")}
    assert {video["video_id"] for video in listed["videos"]} == own
    assert listed["total"] == 2
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
