"""What is changed of an account leaves the rest of it as it was."""

from indexer.admin.accounts import add_user, change_user, hash_password
from indexer.catalog import collections
from indexer.catalog.accounts import AccountRow, require_account
from tests.support import demo_library


def test_a_new_password_or_role_widens_no_rights(tmp_path):
    catalog = demo_library(tmp_path).catalog
    with catalog.begin() as session:
        seen, _ = (collections.ensure_collection(session, name) for name in ("a", "b"))
    add_user(catalog, "vera", "correct horse", "viewer", ["a"])

    def rights(account: AccountRow) -> tuple[str, tuple[int, ...]]:
        assert account.collection_ids is not None, "all collections"
        return account.role, tuple(account.collection_ids)

    assert rights(change_user(catalog, "VERA", password="another horse")) == ("viewer", (seen,))
    assert rights(change_user(catalog, "vera", role="editor")) == ("editor", (seen,))
    assert rights(change_user(catalog, "vera", collection_names=["a"])) == ("editor", (seen,))
    with catalog.read() as session:
        assert rights(require_account(session, "vera")) == ("editor", (seen,))


def test_a_password_costs_what_it_should():
    """The tests of the page hash theirs for less."""
    assert hash_password("correct horse").startswith("scrypt$16384$8$5$")
