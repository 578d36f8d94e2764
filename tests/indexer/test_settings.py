"""Settings of older versions go on working, with a warning."""

from __future__ import annotations

import logging

import pytest

from indexer import settings
from indexer.errors import UsageError
from indexer.settings import RENAMED, Settings, load_settings


@pytest.fixture(autouse=True)
def _warn_again():
    settings._warn_of_old_name.cache_clear()


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_works_with_a_warning(monkeypatch, caplog, old: str, new: str):
    monkeypatch.setenv(f"SEEKPOINT_{old.upper()}", "7")
    with caplog.at_level(logging.WARNING):
        assert getattr(load_settings(), new) == 7
        load_settings()
    assert caplog.messages == [f"SEEKPOINT_{old.upper()} is called SEEKPOINT_{new.upper()} now"]
    assert old not in Settings.model_fields


def test_the_new_name_wins(monkeypatch, caplog):
    monkeypatch.setenv("SEEKPOINT_TURN_S", "7")
    monkeypatch.setenv("SEEKPOINT_WORK_SLICE_S", "8")
    assert load_settings().work_slice_s == 8
    assert caplog.messages == []


def test_a_wrong_value_under_an_old_name_is_refused(monkeypatch):
    monkeypatch.setenv("SEEKPOINT_TURN_S", "long")
    with pytest.raises(UsageError, match="SEEKPOINT_WORK_SLICE_S='long'"):
        load_settings()
