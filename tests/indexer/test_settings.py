"""Settings of older versions go on working, with a warning."""

from __future__ import annotations

import logging

import pytest

from indexer import settings
from indexer.catalog import Catalog
from indexer.errors import SeekpointError, UsageError
from indexer.queue.notify import Notifier
from indexer.settings import RENAMED, Settings, keep_settings, load_settings


@pytest.fixture(autouse=True)
def _warn_again():
    settings._warn_of_old_name.cache_clear()


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_works_with_a_warning(monkeypatch, caplog, old: str, new: str):
    monkeypatch.setenv(f"SEEKPOINT_{old.upper()}", "1")
    with caplog.at_level(logging.WARNING):
        assert getattr(load_settings(), new) == 1
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


def test_the_file_in_the_home_is_read_and_the_environment_wins(monkeypatch, tmp_path):
    monkeypatch.setenv("SEEKPOINT_HOME", str(tmp_path))
    (tmp_path / "settings.env").write_text("SEEKPOINT_EMBEDDER=demo\nOTHER=1\n# a comment\n")
    assert load_settings().embedder == "demo"
    monkeypatch.setenv("SEEKPOINT_EMBEDDER", "lite")
    assert load_settings().embedder == "lite"
    assert load_settings(embedder="clip").embedder == "clip"


def test_what_is_kept_is_read_back_beside_what_stands_there(monkeypatch, tmp_path):
    folder = tmp_path / "a 'home' with $signs"
    monkeypatch.setenv("SEEKPOINT_HOME", str(folder))
    folder.mkdir()
    (folder / "settings.env").write_text("SEEKPOINT_THREADS=1\nSEEKPOINT_EMBEDDER=clip\n")
    values = {"SEEKPOINT_EMBEDDER": "siglip2", "SEEKPOINT_EMBEDDER_PATH": f"{folder}/models/x"}
    keep_settings(load_settings(), values)
    found = load_settings()
    assert (found.embedder, found.embedder_path) == ("siglip2", f"{folder}/models/x")
    assert found.threads == 1


def test_a_wrong_value_in_the_file_names_its_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("SEEKPOINT_HOME", str(tmp_path))
    (tmp_path / "settings.env").write_text("SEEKPOINT_THREADS=many\n")
    with pytest.raises(UsageError, match="SEEKPOINT_THREADS='many'"):
        load_settings()


# --- secrets ---


@pytest.mark.parametrize("name", settings.SECRETS)
def test_a_secret_may_stand_in_a_file(monkeypatch, tmp_path, name: str):
    (tmp_path / "secret").write_text("hunter2\n")
    monkeypatch.setenv(f"SEEKPOINT_{name.upper()}_FILE", str(tmp_path / "secret"))
    assert getattr(load_settings(), name) == "hunter2"


def test_a_secret_is_given_once(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    monkeypatch.setenv("SEEKPOINT_UI_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("SEEKPOINT_UI_SECRET", "other")
    with pytest.raises(UsageError, match="both set"):
        load_settings()
    monkeypatch.delenv("SEEKPOINT_UI_SECRET")
    (tmp_path / "secret").unlink()
    with pytest.raises(UsageError, match=r"SEEKPOINT_UI_SECRET_FILE.*no such file"):
        load_settings()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://seek:hunter2@127.0.0.1:1/x",
        "postgresql:/seek:hunter2@db/x",
        "mysql://seek:hun/ter@hunter2@db/x",
        "postgres//seek:hunter2@db",
        "postgresql://127.0.0.1:1/x?user=seek&password=hunter2",
    ],
)
def test_no_error_shows_a_password(url: str):
    with pytest.raises(SeekpointError) as refused:
        Catalog(url).open()
    error = refused.value
    assert "hunter2" not in f"{error} {error.what!r} {error.what.values}"


def test_a_broker_without_its_password(monkeypatch):
    monkeypatch.setenv("SEEKPOINT_BROKER_URL", "http://:hunter2@broker/0")
    with pytest.raises(SeekpointError) as refused:
        Notifier(load_settings()).check()
    assert "hunter2" not in str(refused.value)
