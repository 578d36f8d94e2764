"""The door, attacked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update
from starlette.websockets import WebSocketDisconnect

from indexer.admin.accounts import add_user, change_user
from indexer.catalog.people.sign_in_attempts import OF_A_PAIR, OF_AN_ADDRESS
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.people import AccountSession
from search_ui.app_state import app_state, open_app_state
from search_ui.auth.password_pool import MOST_WAITING
from search_ui.auth.sessions import COOKIE, kept_secret
from search_ui.routes import signin
from search_ui.routes.signin import own_path
from tests.search_ui.conftest import PASSWORD, client_of
from tests.support import demo_library, demo_settings

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


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("viewer", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("viewer' OR '1'='1", "x"),
    ],
)
def test_wrong_name_or_password(signed, name, password):
    answer = signed("").post(
        "/sign-in", data={"name": name, "password": password}, headers={"X-Real": name}
    )
    assert answer.status_code in (401, 429)
    assert COOKIE not in answer.cookies


def test_names_are_compared_without_case(signed):
    data = {"name": " ViEWER ", "password": PASSWORD}
    assert signed("").post("/sign-in", data=data, follow_redirects=False).status_code == 303


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


def test_forged_cookies(signed):
    client = signed("viewer")
    good = client.cookies[COOKIE]
    changed = good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1]
    for value in (changed, good[:-1], "", "x.y.z", good + "x" * 10_000, "' OR 1=1 --"):
        client.cookies.clear()
        client.cookies.set(COOKIE, value)
        assert client.get("/stream/1").status_code == 401, value


def test_the_catalog_holds_no_cookie(signed):
    token = signed("viewer").cookies[COOKIE]
    with app_state().library.catalog.read() as session:
        hashes = [one.token_hash for one in session.query(AccountSession)]
    assert hashes
    assert token not in hashes


def test_old_session(signed):
    client = signed("viewer")
    with app_state().library.catalog.begin() as session:
        session.execute(update(AccountSession).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert client.get("/stream/1").status_code == 401


def test_a_new_password_ends_all_sessions_and_a_new_role_holds_at_once(signed):
    signed("")
    catalog = app_state().library.catalog
    add_user(catalog, "changing", PASSWORD, "viewer")
    client = signed("changing")
    assert client.get("/stream/1").status_code == 200
    assert client.post("/upload?collection=colours").status_code == 403
    change_user(catalog, "Changing", role="editor")
    assert client.post("/upload?collection=colours").status_code == 415
    change_user(catalog, "changing", collection_names=["private"])
    assert client.get("/stream/1").status_code == 404
    change_user(catalog, "changing", password=PASSWORD + "!")
    assert client.get("/stream/1").status_code == 401


def test_sign_out_ends_this_session_only(signed):
    client, other = signed("viewer"), signed("viewer")
    token = client.cookies[COOKIE]
    assert client.post("/sign-out", follow_redirects=False).headers["location"] == "/sign-in"
    client.cookies.set(COOKIE, token)
    assert client.get("/stream/1").status_code == 401
    assert other.get("/stream/1").status_code == 200


def test_headers(local):
    headers = local.get("/stream/1").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "connect-src 'self'" in headers["content-security-policy"]


def test_secret_is_readable_by_its_owner_only(filled_home):
    kept_secret(filled_home)
    assert (filled_home / "ui_secret").stat().st_mode & 0o077 == 0


# --- guessing ---


@pytest.fixture
def guessed(tmp_path):
    """`guessed(trusted)`: a client of a page of its own, where `vera` may enter."""
    add_user(demo_library(tmp_path / "home").catalog, "vera", PASSWORD, "viewer")
    made = []

    def client(trusted=()):
        settings = demo_settings(tmp_path / "home", ui_trusted_proxies=list(trusted))
        made.append(client_of(open_app_state(settings, sign_in=True)))
        return made[-1]

    yield client
    for one in made:
        one.close()


def attempt(client, password: str, name: str = "vera", **headers: str) -> int:
    data = {"name": name, "password": password}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/sign-in", data=data, headers=sent, follow_redirects=False).status_code


def test_parallel_guesses_do_not_pass_the_limit(guessed):
    client = guessed()
    with ThreadPoolExecutor(30) as threads:
        codes = list(threads.map(lambda n: attempt(client, f"guess {n}"), range(60)))
    assert codes.count(401) <= OF_A_PAIR
    assert set(codes) <= {401, 429, 503}
    assert attempt(client, PASSWORD) == 429


def test_names_in_any_writing_are_one_name_to_guess(guessed):
    client = guessed()
    names = ["vera", "VERA", " Vera", "ｖｅｒａ", "vErA ", "veRA"]
    assert [attempt(client, "guess", name) for name in names][-1] == 429


def test_many_names_from_one_address(guessed):
    client = guessed()
    codes = [attempt(client, "guess", f"name {n}") for n in range(OF_AN_ADDRESS + 1)]
    assert codes[-1] == 429


def test_a_guesser_elsewhere_locks_nobody_out(guessed):
    client = guessed(trusted=["testclient"])
    for _ in range(OF_A_PAIR + 1):
        last = attempt(client, "guess", x_forwarded_for="203.0.113.9")
    assert last == 429
    assert attempt(client, PASSWORD, x_forwarded_for="198.51.100.7") == 303


def test_forwarded_addresses_are_believed_of_trusted_proxies_only(guessed):
    client = guessed(trusted=["10.0.0.2"])
    for number in range(OF_A_PAIR + 1):
        last = attempt(client, "guess", x_forwarded_for=f"203.0.113.{number}")
    assert last == 429, "whoever guesses cannot choose an address"


@pytest.mark.parametrize(("trusted", "secure"), [(["testclient"], True), ([], False)])
def test_secure_cookie_behind_a_trusted_proxy_with_https(guessed, trusted, secure):
    data = {"name": "vera", "password": PASSWORD}
    answer = guessed(trusted).post(
        "/sign-in", data=data, follow_redirects=False, headers={"X-Forwarded-Proto": "https"}
    )
    assert ("Secure" in answer.headers["set-cookie"]) == secure


def test_who_guesses_holds_up_nobody(guessed, monkeypatch):
    """More sign-ins than there are threads for requests, all of them stuck."""
    client, go_on = guessed(), threading.Event()
    assert attempt(client, PASSWORD) == 303
    monkeypatch.setattr(signin, "try_password", lambda *_: go_on.wait(60) and None)
    with client, ThreadPoolExecutor(MOST_WAITING) as threads:
        stuck = [threads.submit(attempt, client, "guess") for _ in range(MOST_WAITING)]
        while app_state().passwords.waiting < MOST_WAITING:
            pass
        assert client.get("/healthz").status_code == 200
        assert client.get("/thumbnail/1/0").status_code == 404
        assert attempt(client, "guess") == 503
        go_on.set()
        assert {one.result() for one in stuck} == {401}
