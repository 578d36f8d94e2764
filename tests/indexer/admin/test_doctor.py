"""What is broken is found and named, with how to mend it; what is whole is not blamed."""

import os
import sqlite3
from pathlib import Path

import pytest

from indexer.admin.doctor import Check, propose_models
from indexer.library import Library
from tests.support import colour_video, demo_library, demo_settings


@pytest.fixture
def home(tmp_path) -> Path:
    """Of a library with one video, and a published snapshot of its vectors."""
    colour_video(tmp_path / "media" / "one.mp4", [("red", 6.0), ("blue", 6.0)])
    with_video = demo_library(tmp_path / "home")
    with_video.ingest([tmp_path / "media"])
    with_video.reindex()
    return tmp_path / "home"


def failed(library: Library) -> dict[str, Check]:
    """The checks that failed, by the first word of their name; each says how to mend it."""
    found = {check.name.split()[0]: check for check in library.doctor() if not check.ok}
    assert all(check.mend for check in found.values())
    return found


def test_a_whole_library_has_nothing_to_mend(home):
    assert set(failed(demo_library(home))) <= {"disk"}


@pytest.mark.parametrize("name", ["exact.faiss", "rows.npy", "chunks.npy"])
def test_a_flipped_byte_in_the_snapshot(home, name):
    (path,) = home.glob(f"snapshots/*/*/{name}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "reindex" in failed(demo_library(home))["vectors"].mend
    library = demo_library(home)
    assert library.search("blue").moments
    library.reindex()
    assert "vectors" not in failed(demo_library(home))


def test_files_that_are_not_as_they_were_read(home):
    path = home.parent / "media" / "one.mp4"
    os.utime(path, (1e9, 1e9))
    found = failed(demo_library(home))["files"]
    assert str(path) in found.found
    assert "seekpoint ingest" in found.mend
    with_video = demo_library(home)
    with_video.ingest([path.parent])
    assert "files" not in failed(with_video), "the same bytes at another time are noted"
    path.rename(path.with_suffix(".away"))
    (files,) = [check for check in with_video.doctor() if check.name == "files"]
    assert files.ok
    assert "1 of 1 videos are offline" in files.found


def test_a_program_that_is_no_ffmpeg(home):
    assert (
        "SEEKPOINT_FFMPEG" in failed(demo_library(home, ffmpeg="/no/such/ffmpeg"))["ffmpeg"].found
    )
    assert "ffmpeg" in failed(demo_library(home, ffmpeg="false"))


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there(home, device):
    assert device.split(":")[0] in failed(demo_library(home, device=device))["device"].found


def test_a_database_of_a_newer_revision(home):
    with sqlite3.connect(home / "catalog.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "9999" in failed(demo_library(home))["database"].found


def test_a_database_that_is_none(home):
    for path in home.glob("catalog.sqlite*"):
        path.unlink()
    (home / "catalog.sqlite").write_bytes(b"something else " * 1000)
    assert "damaged" in failed(demo_library(home))["database"].found


def test_a_home_that_cannot_be_written(home, monkeypatch):
    real = os.access  # whoever runs the tests as root may write everywhere
    monkeypatch.setattr("os.access", lambda path, mode: path != home and real(path, mode))
    assert "SEEKPOINT_HOME" in failed(demo_library(home))["disk"].mend


def test_a_home_whose_name_is_no_name(tmp_path):
    found = failed(demo_library(tmp_path / ("x" * 300)))
    assert "SEEKPOINT_HOME" in found["database"].mend


def test_a_speech_model_that_is_not_there(home):
    assert (
        "SEEKPOINT_SPEECH_MODEL"
        in failed(demo_library(home, speech=True, speech_model="/no/such/model"))["speech"].mend
    )


def test_the_installed_models_load(home):
    assert set(failed(demo_library(home, speech=True, screen_text=True))) <= {"disk"}


def test_a_program_that_keeps_the_write_lock(home, monkeypatch):
    monkeypatch.setattr("indexer.admin.doctor.WRITE_LOCK_S", 0.2)
    with sqlite3.connect(home / "catalog.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked by another program" in failed(demo_library(home))["database"].found
        other.execute("ROLLBACK")
    assert "database" not in failed(demo_library(home))


def test_a_gpu_gets_proposals_of_models_and_a_cpu_none(tmp_path):
    settings = demo_settings(tmp_path, device="cuda", embedder="lite", speech=True)
    proposed = propose_models(settings)
    assert "models get siglip2" in proposed
    assert "models get whisper-small" in proposed
    assert "models get timelens" in proposed
    chosen = {"embedder": "siglip2", "speech": False, "grounder_url": "http://localhost/v1"}
    assert propose_models(settings.model_copy(update=chosen)) == ""
    assert propose_models(demo_settings(tmp_path, device="cpu", embedder="lite")) == ""
