"""Who may enter: on both databases alike."""

import pytest

from indexer.catalog import Catalog, accounts
from indexer.errors import UsageError


def test_a_name_is_taken_once(catalog: Catalog):
    with catalog.begin() as s:
        first = accounts.add_account(s, "Vera", "editor", None, password_hash="hash")
    with pytest.raises(UsageError, match="already"), catalog.begin() as s:
        accounts.add_account(s, "vera", "administrator", None, password_hash="other")
    with catalog.read() as s:
        (account,) = accounts.list_accounts(s)
    assert (account.id, account.role, account.password_hash) == (first, "editor", "hash")
