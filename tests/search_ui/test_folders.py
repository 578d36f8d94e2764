"""Folders belong to collections: who sees some collections reaches no files of the others."""

from __future__ import annotations

import time

import pytest

from indexer.admin.accounts import add_user
from indexer.catalog import accounts
from indexer.vocabulary import PageJobKind
from search_ui.app_state import AppState, open_app_state
from search_ui.auth.access_rights import User
from tests.support import colour_video, demo_library, demo_settings


@pytest.fixture
def shared(tmp_path) -> AppState:
    """A page with the root `media`: `films` belongs to a collection, `secret` to another."""
    for name in ("films", "secret", "films/secret too"):
        colour_video(tmp_path / "media" / name / "a.mp4", [("green", 1)])
    (tmp_path / "media" / "films" / "way out").symlink_to(tmp_path / "media" / "secret")
    settings = demo_settings(tmp_path / "home", roots={"media": tmp_path / "media"})
    library = demo_library(tmp_path / "home")
    library.ingest([tmp_path / "media" / "films" / "a.mp4"], "films")
    library.ingest([tmp_path / "media" / "secret"], "secret")
    add_user(library.catalog, "chief", "a password", "editor")
    add_user(library.catalog, "limited", "a password", "editor", ["films"])
    state = open_app_state(settings, sign_in=True)
    chief = user(state, "chief")
    state.give_folder(chief, "films", tmp_path / "media" / "films")
    state.give_folder(chief, "secret", tmp_path / "media" / "secret")
    state.give_folder(chief, "secret", tmp_path / "media" / "films" / "secret too")
    return state


def user(state: AppState, name: str) -> User:
    with state.library.catalog.read() as session:
        return User.of(accounts.require_account(session, name), 1)


@pytest.mark.parametrize(
    ("folder", "may"),
    [
        ("films", True),
        ("films/a.mp4", True),
        ("films/../films", True),
        ("", False),
        ("secret", False),
        ("films/../secret", False),
        ("films/way out", False),
        ("films/secret too", False),
        ("films/secret too/a.mp4", False),
        ("../home/uploads", False),
        ("../home", False),
    ],
)
def test_a_limited_editor_adds_from_the_folders_of_the_collection(shared, tmp_path, folder, may):
    reach = shared.reach_of(user(shared, "limited"), "films")
    assert reach.holds(tmp_path / "media" / folder) == may
    if folder:
        assert shared.reach_of(user(shared, "chief"), "films").holds(tmp_path / "media" / "secret")


def test_a_limited_editor_gives_no_collection_a_folder(shared, tmp_path):
    limited = user(shared, "limited")
    shared.give_folder(limited, "films", tmp_path / "media" / "secret")
    assert not shared.reach_of(limited, "films").holds(tmp_path / "media" / "secret")


def test_what_is_below_and_belongs_to_others_is_not_read(shared, tmp_path):
    limited = user(shared, "limited")
    folder = tmp_path / "media" / "films"
    job = shared.jobs.ingest([folder], "films", reach=shared.reach_of(limited, "films"))
    while shared.jobs.get(job.id).is_open:
        time.sleep(0.1)
    places = {path.path for video in shared.library.videos(["films"]) for path in video.paths}
    assert places == {str(folder / "a.mp4")}
    problems = " ".join(shared.jobs.get(job.id).problems)
    assert "way out" in problems
    assert "secret too" not in problems


def test_a_watched_folder_reaches_what_the_page_reaches(shared, tmp_path):
    from indexer.catalog import watched_folders
    from indexer.catalog.leasing import page_jobs

    (tmp_path / "media" / "films" / "etc").symlink_to("/etc")
    with shared.library.catalog.begin() as session:
        watched_folders.watch_folder(session, "films", str(tmp_path / "media" / "films"))
    shared.jobs._ask_for_due_folders()
    with shared.library.catalog.read() as session:
        (job,) = page_jobs.list_page_jobs(session)
    assert job.kind == PageJobKind.WATCH
    assert str(tmp_path / "media") in job.details["reach"]["within"]
