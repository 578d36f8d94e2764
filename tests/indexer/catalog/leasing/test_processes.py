"""Processes that live report; those that ended, or stopped reporting, are not listed."""

from __future__ import annotations

import pytest

from indexer.catalog import Catalog
from indexer.catalog.leasing import processes


def report(catalog: Catalog, owner: str, role: str = "worker") -> None:
    with catalog.begin() as s:
        processes.report_process(s, owner, role, ["plan"], {"picture": "demo/1"})


def owners(catalog: Catalog, role: str | None = None) -> list[str]:
    with catalog.read() as s:
        return [process.owner for process in processes.list_live(s, role)]


def test_who_reports_lives_until_it_ends(catalog: Catalog):
    for _ in range(2):
        report(catalog, "host a/1/10")
    report(catalog, "host b/2/20", "page")
    assert owners(catalog) == ["host a/1/10", "host b/2/20"]
    assert owners(catalog, "worker") == ["host a/1/10"]
    with catalog.read() as s:
        (worker,) = processes.list_live(s, "worker")
    assert (worker.host, worker.kinds, worker.models) == (
        "host a",
        ("plan",),
        {"picture": "demo/1"},
    )
    with catalog.begin() as s:
        processes.end_process(s, "host a/1/10")
    assert owners(catalog) == ["host b/2/20"]


def test_who_does_not_report_any_more(catalog: Catalog, monkeypatch: pytest.MonkeyPatch):
    report(catalog, "old/1/1")
    monkeypatch.setattr(processes, "LIVE_S", -1.0)
    assert owners(catalog) == []
    monkeypatch.setattr(processes, "KEPT_S", -1.0)
    report(catalog, "new/1/1")
    monkeypatch.undo()
    assert owners(catalog) == []
