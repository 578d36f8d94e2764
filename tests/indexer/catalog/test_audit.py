"""The audit log: rows of the transaction that they tell of, and lines once it is committed."""

from __future__ import annotations

import logging

import pytest

from indexer.catalog import Catalog, audit
from indexer.catalog.audit import Actor
from indexer.vocabulary import AuditAction

VERA = Actor("vera", 7, "192.0.2.1")


def entries(catalog: Catalog, **chosen) -> list[audit.AuditEntry]:
    with catalog.read() as s:
        return audit.list_entries(s, **chosen)


def test_newest_first_and_chosen(catalog: Catalog):
    with catalog.begin() as s:
        audit.record(s, AuditAction.SIGNED_IN, VERA)
        audit.record(s, AuditAction.ADDED, Actor("olga"), "films", {"paths": ["/a", "/b"]})
    added, signed_in = entries(catalog)
    assert (added.subject, added.details) == ("films", {"paths": ["/a", "/b"]})
    assert (signed_in.actor, signed_in.action) == (VERA, AuditAction.SIGNED_IN)
    assert entries(catalog, who="vera") == [signed_in]
    assert entries(catalog, actions=[AuditAction.ADDED], last=1) == [added]
    assert entries(catalog, since=added.at) in ([added], [added, signed_in])


def test_what_is_rolled_back_was_not_done(catalog: Catalog, caplog):
    caplog.set_level(logging.INFO, "indexer.catalog.audit")

    def fail() -> None:
        with catalog.begin() as s:
            audit.record(s, AuditAction.REMOVED, VERA, "films")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert entries(catalog) == []
    assert caplog.records == []
    with catalog.begin() as s:
        audit.record(s, AuditAction.REMOVED, VERA, "films")
    (line,) = caplog.records
    assert line.__dict__["fields"]["who"] == "vera"


def test_no_entry_can_be_forged_or_fill_the_disk(catalog: Catalog):
    name = "eve\n2026-01-01 signed in vera\x1b[31m\x00\ud800" + "x" * 10_000
    with catalog.begin() as s:
        audit.record(s, AuditAction.SIGN_IN_FAILED, Actor(name), name, {"a": name})
    (entry,) = entries(catalog)
    for text in (entry.actor.name, entry.subject, entry.details["a"]):
        assert text.isprintable()
        assert len(text) <= audit.LONGEST


def test_old_entries_go(catalog: Catalog):
    with catalog.begin() as s:
        audit.record(s, AuditAction.SIGNED_IN, VERA)
    with catalog.begin() as s:
        assert audit.delete_old(s, 1.0) == 0
        assert audit.delete_old(s, -1.0) == 1
    assert entries(catalog) == []
