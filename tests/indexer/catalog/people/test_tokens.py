"""Tokens open what they say, as long as they say, and are kept as hashes only."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from indexer.catalog import Catalog, accounts, audit
from indexer.catalog.audit import Actor
from indexer.catalog.people.tokens import (
    PREFIX,
    add_token,
    find_token,
    list_tokens,
    revoke_token,
    touch_token,
)
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.people import ApiToken
from indexer.errors import UsageError

ME = Actor("me")


def add(catalog: Catalog, name: str = "editing tool", **values) -> str:
    chosen = {"role": "viewer", "collection_ids": None, "days": 30.0, **values}
    with catalog.begin() as s:
        return add_token(s, name, actor=ME, **chosen)


def test_a_token_is_found_and_only_its_hash_is_kept(catalog: Catalog):
    token = add(catalog, collection_ids=[7, 3])
    assert token.startswith(PREFIX)
    with catalog.read() as s:
        found = find_token(s, token)
        kept = [str(value) for value in s.execute(text("SELECT * FROM api_token")).one()]
    assert found is not None
    assert (found.name, found.role, found.collection_ids) == ("editing tool", "viewer", (3, 7))
    assert timedelta(days=29) < found.expires_at - utc_now() <= timedelta(days=30)
    assert not any(token in value or token[len(PREFIX) :] in value for value in kept)


@pytest.mark.parametrize("wrong", ["", PREFIX, "x", PREFIX + "a" * 43, "é" * 60, PREFIX * 1000])
def test_what_is_no_token(catalog: Catalog, wrong: str):
    add(catalog)
    with catalog.read() as s:
        assert find_token(s, wrong) is None


def test_it_is_over_when_its_time_is_over(catalog: Catalog):
    token = add(catalog)
    with catalog.begin() as s:
        s.execute(update(ApiToken).values(expires_at=utc_now() - timedelta(seconds=1)))
    with catalog.read() as s:
        assert find_token(s, token) is None
        assert [one.is_expired for one in list_tokens(s)] == [True]


def test_a_revoked_token_is_over_at_once(catalog: Catalog):
    token = add(catalog)
    with catalog.begin() as s:
        revoke_token(s, "EDITING tool", ME)
    with catalog.read() as s:
        assert find_token(s, token) is None
        assert list_tokens(s) == []
    with pytest.raises(UsageError, match="no token"), catalog.begin() as s:
        revoke_token(s, "editing tool", ME)


def test_when_it_was_used_last(catalog: Catalog):
    token = add(catalog)
    with catalog.begin() as s:
        found = find_token(s, token)
        assert found is not None
        assert found.used_at is None
        touch_token(s, found.id)
    with catalog.read() as s:
        (listed,) = list_tokens(s)
    assert listed.used_at is not None


@pytest.mark.parametrize(
    "values",
    [
        {"name": "  "},
        {"name": "a\nb"},
        {"name": "n" * 300},
        {"role": "owner"},
        {"role": "administrator", "collection_ids": [1]},
        {"days": 0.0},
        {"days": -1.0},
        {"days": 1e9},
        {"days": float("nan")},
    ],
)
def test_tokens_that_cannot_be(catalog: Catalog, values: dict):
    with pytest.raises(UsageError):
        add(catalog, **values)
    with catalog.read() as s:
        assert s.scalars(select(ApiToken)).all() == []


def test_a_name_is_there_once(catalog: Catalog):
    add(catalog, "Agent")
    with pytest.raises(UsageError, match="already"):
        add(catalog, "agent")


def test_both_ends_stand_in_the_audit_log(catalog: Catalog):
    add(catalog)
    with catalog.begin() as s:
        revoke_token(s, "editing tool", ME)
    with catalog.read() as s:
        entries = audit.list_entries(s)
    assert [(entry.subject, entry.details["role"]) for entry in entries] == [
        ("token editing tool", "revoked"),
        ("token editing tool", "viewer"),
    ]


def test_a_token_of_somebody_opens_no_more_than_they_may(catalog: Catalog):
    with catalog.begin() as s:
        vera = accounts.add_account(s, "vera", "editor", [3, 7], password_hash="hash")
    wide = add(catalog, "wide", role="administrator", account_id=vera)
    narrow = add(catalog, "narrow", collection_ids=[7, 9], account_id=vera)
    with catalog.read() as s:
        seen = [find_token(s, token) for token in (wide, narrow)]
    assert [(one.role, one.collection_ids) for one in seen if one] == [
        ("editor", (3, 7)),
        ("viewer", (7,)),
    ]
    with catalog.begin() as s:
        accounts.remove_account(s, "vera")
    with catalog.read() as s:
        assert find_token(s, wide) is None, "it ends with the account"
