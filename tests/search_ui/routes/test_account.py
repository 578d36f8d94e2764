"""One's own account, and what is not one's own."""

import pytest

from indexer.admin.accounts import add_user
from indexer.catalog.people.sign_in_attempts import OF_A_PAIR
from indexer.catalog.tables.people import AccountSession
from search_ui.app_state import app_state, open_app_state
from tests.search_ui.browser import PASSWORD
from tests.search_ui.conftest import client_of
from tests.support import demo_library, demo_settings

NEW = "another password"


@pytest.fixture
def enter(tmp_path):
    """`enter("vera")`: a browser of hers; also `paul` may enter."""
    catalog = demo_library(tmp_path / "home").catalog
    for name in ("vera", "paul"):
        add_user(catalog, name, PASSWORD, "viewer")
    shared = open_app_state(demo_settings(tmp_path / "home"), sign_in=True)
    made = []

    def client(name: str, browser: str = "Firefox"):
        made.append(client_of(shared))
        made[-1].headers["User-Agent"] = browser
        made[-1].post("/sign-in", data={"name": name, "password": PASSWORD}, follow_redirects=False)
        return made[-1]

    yield client
    for one in made:
        one.close()


def change(client, current: str, new: str, again: str = "") -> int:
    data = {"current": current, "new": new, "again": again or new}
    return client.post("/account/password", data=data, follow_redirects=False).status_code


def here(client) -> int:
    return client.get("/account", follow_redirects=False).status_code


def test_a_new_password_ends_the_other_sessions(enter):
    client, other = enter("vera"), enter("vera")
    assert change(client, PASSWORD, NEW) == 303
    assert (here(client), here(other)) == (200, 401)
    for password, code in ((PASSWORD, 401), (NEW, 303)):
        data = {"name": "vera", "password": password}
        assert other.post("/sign-in", data=data, follow_redirects=False).status_code == code


@pytest.mark.parametrize(
    ("current", "new", "again", "code"),
    [("wrong", NEW, NEW, 403), (PASSWORD, "short", "short", 422), (PASSWORD, NEW, "x", 422)],
)
def test_what_is_refused_changes_nothing(enter, current, new, again, code):
    client = enter("vera")
    assert change(client, current, new, again) == code
    assert change(client, PASSWORD, NEW) == 303


def test_an_open_browser_is_no_place_to_guess_the_password(enter):
    client = enter("vera")
    assert [change(client, "guess", NEW) for _ in range(OF_A_PAIR + 1)][-1] == 429
    assert change(client, PASSWORD, NEW) == 429


def test_sessions_are_seen_and_ended(enter):
    client, other, third = enter("vera"), enter("vera", "<b>Chromium</b>"), enter("vera")
    page = client.get("/account").text
    assert "&lt;b&gt;Chromium&lt;/b&gt;" in page
    assert "this browser" in page
    assert client.post(f"/account/sessions/{ids('vera')[1]}").status_code == 200
    assert (here(client), here(other), here(third)) == (200, 401, 200)
    client.post("/account/sessions")
    assert (here(client), here(third)) == (200, 401)


def test_sessions_of_others_are_not_ones_own(enter):
    client, other = enter("vera"), enter("paul", "Konqueror")
    assert "Konqueror" not in client.get("/account").text
    for session_id in (*ids("paul"), 10**30):
        client.post(f"/account/sessions/{session_id}")
    assert here(other) == 200


def test_other_sites_change_no_password(enter):
    client = enter("vera")
    client.headers["Origin"] = "http://evil.example"
    assert change(client, PASSWORD, NEW) == 403


def test_there_is_no_account_where_nobody_signs_in(local):
    assert local.get("/account").status_code == 404


def ids(name: str) -> list[int]:
    from indexer.catalog import accounts

    with app_state().library.catalog.read() as session:
        account = accounts.require_account(session, name)
        found = session.query(AccountSession).filter_by(account_id=account.id)
        return sorted(one.id for one in found)
