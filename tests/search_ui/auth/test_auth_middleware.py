"""The door, attacked."""

import pytest
from itsdangerous import URLSafeTimedSerializer
from starlette.websockets import WebSocketDisconnect

from indexer.admin.accounts import add_user
from search_ui.app_state import app_state
from search_ui.auth.login_throttle import OF_A_NAME
from search_ui.auth.sessions import COOKIE, kept_secret
from search_ui.routes.signin import own_path
from tests.search_ui.conftest import PASSWORD

PAGE = {"Accept": "text/html"}


def test_local_machine_only_by_its_own_names(local):
    assert local.get("/stream/1", headers={"Host": "127.0.0.1:8501"}).status_code == 200
    for host in (
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8501",
        "",
        "[::1",
        "localhost@evil.example",
    ):
        assert local.get("/stream/1", headers={"Host": host}).status_code == 403, host


def test_other_sites_cannot_act(local):
    for origin in (
        "http://evil.example",
        "null",
        "http://127.0.0.1:9999",
        "https://127.0.0.1.evil.example:8501",
    ):
        answer = local.post(
            "/upload?collection=colours",
            content=b"x",
            headers={"Origin": origin, "X-File-Name": "a.mp4"},
        )
        assert answer.status_code == 403, origin


def test_nobody_is_led_to_the_sign_in(signed):
    answer = signed("").get("/?q=green&v=1", headers=PAGE, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2F%3Fq%3Dgreen%26v%3D1"


@pytest.mark.parametrize(
    "path",
    [
        "/stream/1",
        "/thumbnail/1/0",
        "/clip/1/0/1000",
        "/_stcore/stream",
        "/media/x",
        "/component/x",
        "/anything",
    ],
)
def test_nobody_gets_nothing(signed, path):
    assert signed("").get(path).status_code == 401


def test_nobody_opens_no_websocket(signed):
    with pytest.raises(WebSocketDisconnect), signed("").websocket_connect("/_stcore/stream"):
        raise AssertionError("it opened")


@pytest.mark.parametrize(
    "path",
    ["/static/../stream/1", "/static//stream/1", "/sign-in/../stream/1", "/static/..%2fstream/1"],
)
def test_open_folders_lead_nowhere_else(signed, path):
    assert signed("").get(path).status_code in (401, 404)


def test_sign_in_and_back(signed):
    client = signed("")
    data = {"name": "viewer", "password": PASSWORD, "next": "/?v=1&t=2"}
    answer = client.post("/sign-in", data=data, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?v=1&t=2")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert client.get("/stream/1").status_code == 200


def test_secure_cookie_behind_https(signed):
    data = {"name": "viewer", "password": PASSWORD}
    answer = signed("").post(
        "/sign-in", data=data, follow_redirects=False, headers={"X-Forwarded-Proto": "https"}
    )
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("viewer", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("viewer' OR '1'='1", "x"),
        ("VIEWER", PASSWORD),
    ],
)
def test_wrong_name_or_password(signed, name, password):
    answer = signed("").post(
        "/sign-in", data={"name": name, "password": password}, headers={"X-Real": name}
    )
    assert answer.status_code in (401, 429)
    assert COOKIE not in answer.cookies


def test_guessing_is_slowed(signed):
    client = signed("")
    codes = [
        client.post("/sign-in", data={"name": "guessed", "password": f"{n}"}).status_code
        for n in range(OF_A_NAME + 1)
    ]
    assert codes[-1] == 429


def test_next_leads_nowhere_else():
    for text in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/sign-out",
        "\t//evil",
        "/a\nb",
        "",
    ):
        assert own_path(text) == "/", text
    assert own_path("/?q=a&v=1") == "/?q=a&v=1"


def test_sign_in_page_shows_text_as_text(signed):
    page = signed("").get("/sign-in?next=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_forged_cookies(signed, filled_home):
    client = signed("viewer")
    good = client.cookies[COOKIE]
    other = URLSafeTimedSerializer("another secret", salt=COOKIE).dumps([1, 1])
    salted = URLSafeTimedSerializer(kept_secret(filled_home), salt="other").dumps([1, 1])
    signed_part, _, signature = good.rpartition(".")
    # the last character has bits that mean nothing
    changed = f"{signed_part}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    for value in (changed, good.split(".")[0], "", "x.y.z", other, salted):
        client.cookies.clear()
        client.cookies.set(COOKIE, value)
        assert client.get("/stream/1").status_code == 401, value


def test_old_cookie(signed, filled_home):
    class Past(URLSafeTimedSerializer.default_signer):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - 15 * 86_400

    client = signed("")
    account_cookie = URLSafeTimedSerializer(
        kept_secret(filled_home), salt=COOKIE, signer=Past
    ).dumps([1, 1])
    client.cookies.set(COOKIE, account_cookie)
    assert client.get("/stream/1").status_code == 401


def test_change_of_an_account_ends_its_sessions(signed):
    signed("")
    add_user(app_state().library.catalog, "changing", PASSWORD, "viewer")
    client = signed("changing")
    assert client.get("/stream/1").status_code == 200
    add_user(app_state().library.catalog, "changing", PASSWORD + "!", "viewer")
    assert client.get("/stream/1").status_code == 401


def test_sign_out(signed):
    client = signed("viewer")
    assert client.post("/sign-out", follow_redirects=False).headers["location"] == "/sign-in"
    assert client.get("/stream/1").status_code == 401


def test_headers(local):
    headers = local.get("/stream/1").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "connect-src 'self'" in headers["content-security-policy"]


def test_secret_is_readable_by_its_owner_only(filled_home):
    kept_secret(filled_home)
    assert (filled_home / "ui_secret").stat().st_mode & 0o077 == 0
