"""What another embedder planned is found by nobody: that is said, and has to be asked for."""

from __future__ import annotations

import pytest

from indexer.catalog.leasing import processes
from indexer.embedders.demo import DemoEmbedder
from indexer.errors import ModelError
from indexer.library import Library
from tests.support import colour_video, demo_library


@pytest.fixture
def served(tmp_path) -> Library:
    library = demo_library(tmp_path / "home")
    library.ingest([colour_video(tmp_path / "one.mp4", [("red", 2)])], "c")
    return library


@pytest.fixture
def other(served, tmp_path, monkeypatch):
    """The same library on a machine with another embedder."""

    class Other(DemoEmbedder):
        key = "other-1-abc"

    monkeypatch.setattr("indexer.context.load_embedder", lambda settings: Other())

    def make(**settings) -> Library:
        return demo_library(tmp_path / "home", **settings)

    return make


def test_planning_with_another_embedder_has_to_be_asked_for(served, other, tmp_path):
    two = colour_video(tmp_path / "two.mp4", [("blue", 2)])
    with pytest.raises(ModelError, match="other-1-abc"):
        other().ingest([two], "c")
    assert len(served.videos()) == 1, "nothing was begun"
    report = other(change_model=True).ingest([two], "c")
    assert [file.state for file in report.files] == ["indexed"]
    models = other().status().models
    assert [(model.stage, model.videos) for model in models] == [("picture", 1)] * 2


def test_doctor_names_a_machine_with_another_embedder(served, other):
    def check(library: Library):
        return next(check for check in library.doctor() if check.name == "served models")

    check_of_other = check(other())
    assert (check_of_other.ok, "other-1-abc" in check_of_other.found) == (False, True)


def test_who_would_plan_with_another_is_named(served, tmp_path):
    assert served.status().others == ()
    own = served.status().models[0].key
    with served.catalog.begin() as session:
        for owner, key in (("a/1/1", "other-1-abc/x"), ("b/2/2", own)):
            processes.report_process(session, owner, "worker", ["plan"], {"picture": key})
    assert served.status().others == ("a/1/1",)
    assert served.status().queue.live_workers == ("a/1/1", "b/2/2")
    check = next(check for check in served.doctor() if check.name == "served models")
    assert (check.ok, "a/1/1" in check.found) == (False, True)
    report = served.ingest([colour_video(tmp_path / "two.mp4", [("blue", 2)])], "c")
    assert any("a/1/1" in note for note in report.notes)
