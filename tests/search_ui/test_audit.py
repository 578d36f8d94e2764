"""What people do on the page stands in the audit log; administrators read it."""

import pytest

from indexer.admin.accounts import add_user
from indexer.catalog.audit import AuditEntry
from indexer.vocabulary import AuditAction
from search_ui.app_state import app_state, open_app_state
from search_ui.auth.access_rights import User
from search_ui.pages import answers
from search_ui.url_state import Search
from tests.search_ui.conftest import PASSWORD
from tests.support import colour_video, demo_library, demo_settings


@pytest.fixture
def shared(tmp_path):
    """A library of two collections; `limited` sees one of them."""
    library = demo_library(tmp_path / "home")
    for name in ("colours", "private"):
        library.ingest([colour_video(tmp_path / f"{name}.mp4", [("red", 1)])], name)
    add_user(library.catalog, "limited", PASSWORD, "viewer", ["colours"])
    add_user(library.catalog, "anna", PASSWORD, "administrator")
    return open_app_state(demo_settings(tmp_path / "home"), sign_in=True)


def user(name: str) -> User:
    from indexer.catalog import accounts

    with app_state().library.catalog.read() as session:
        account = accounts.find_account(session, name=name)
    assert account is not None
    return User.of(account)


def entries(*actions: AuditAction) -> list[AuditEntry]:
    return app_state().library.audit_log(actions=actions)


def test_searching_others_collections_in_vain(shared):
    limited = user("limited")
    search = Search("red", collections=("private", "no such", "colours"))
    for _ in range(3):
        answers.ask(search, limited)
        assert answers.find_video(2, limited) is None
    subjects = [entry.subject for entry in entries(AuditAction.SEARCHED_OTHERS)]
    assert sorted(subjects) == ["private", "video 2"], "once each, and only what is there"
    answers.ask(search, user("anna"))
    assert len(entries(AuditAction.SEARCHED_OTHERS)) == 2


def test_rights_additions_and_removals(shared):
    anna = user("anna")
    (passed, _) = entries(AuditAction.CHANGED_RIGHTS)
    assert (passed.subject, passed.details["role"]) == ("anna", "administrator")
    app_state().jobs.demo("demo", actor=anna.actor())
    app_state().library.remove(collections=["colours"], actor=anna.actor())
    (added,), (removed,) = entries(AuditAction.ADDED), entries(AuditAction.REMOVED)
    assert (added.actor.name, added.subject) == ("anna", "demo")
    assert (removed.actor.account_id, removed.subject) == (anna.account_id, "colours")


def test_administrators_may_all_that_editors_may_and_read_the_log(shared):
    assert (user("anna").can_edit, user("anna").is_administrator) == (True, True)
    assert not user("limited").is_administrator
