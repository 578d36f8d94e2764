"""LEGO in the product: a tiny checkpoint with random weights (its answers mean nothing, its forms
are real) and texts of our own.
"""

import json
import shutil
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from grounding.lego.generate.answers import Event
from grounding.spans import Span
from indexer.catalog.passages import list_passages
from indexer.cli.search import moment_as_dict
from indexer.errors import MediaError, ModelError, UsageError
from indexer.grounder.base import Window, read_window
from indexer.grounder.lego import LegoGrounder, lego_key, load_lego
from indexer.library import Library
from indexer.stages import events
from indexer.stages.events import event_windows
from tests.support import colour_video, demo_library

CHECKPOINT = Path(__file__).parents[3] / "grounding" / "lego" / "fixtures" / "tiny" / "checkpoint"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lego")
    colour_video(folder / "media" / "one.mp4", [("red", 20.0), ("blue", 20.0)])
    library = demo_library(folder / "home", lego_path=str(CHECKPOINT), lego_dtype="float32")
    library.ingest([folder / "media"])
    return library


def test_without_a_checkpoint_each_says_what_is_missing_and_search_goes_on(tmp_path):
    path = colour_video(tmp_path / "a.mp4", [("red", 4.0)])
    library = demo_library(tmp_path / "home")
    with pytest.raises(ModelError, match="SEEKPOINT_LEGO_PATH"):
        library.ingest([path], events=True)
    with pytest.raises(ModelError, match="SEEKPOINT_LEGO_PATH"):
        library.ask(str(path), "what is this?")
    library.ingest([path])
    answer = library.search("red", ground=True)
    assert answer.moments
    assert any("SEEKPOINT_LEGO_PATH" in note for note in answer.notes)


def test_a_folder_without_a_checkpoint_is_named(tmp_path):
    with pytest.raises(ModelError, match="nothing"):
        load_lego(demo_library(tmp_path, lego_path=str(tmp_path / "nothing")).settings)


def test_ingest_says_that_the_folder_of_the_checkpoint_is_not_there(tmp_path):
    path = colour_video(tmp_path / "a.mp4", [("red", 4.0)])
    report = demo_library(tmp_path / "home", lego_path=str(tmp_path / "nothing")).ingest([path])
    assert [file.state for file in report.files] == ["indexed"]
    assert any("nothing" in note for note in report.notes)


def test_search_goes_on_beside_a_damaged_checkpoint(library, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(CHECKPOINT, folder)
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    settings = library.settings.model_copy(update={"lego_path": str(folder)})
    answer = Library(settings).search("red", ground=True)
    assert answer.moments
    assert any("model.safetensors" in note for note in answer.notes)


def test_words_that_structure_prompts_are_no_question_to_lego(library):
    answer = library.search("red ### blue", ground=True)
    assert answer.moments
    assert any("###" in note for note in answer.notes)
    with pytest.raises(UsageError, match="###"):
        library.ask(str(library.videos()[0].video_id), "red ### blue")


def test_on_a_cpu_events_wait_to_be_asked_for_and_the_time_is_estimated(library):
    report = library.ingest([library.videos()[0].paths[0].path])
    assert any("--events" in note and "hours" in note for note in report.notes)


def test_ground_shows_its_span_beside_and_does_not_move_the_answer(library):
    plain, grounded = library.search("blue"), library.search("blue", ground=True)
    assert [m.span for m in grounded.moments] == [m.span for m in plain.moments]
    opinion = grounded.moments[0].grounded
    assert opinion is not None
    assert opinion.reason
    reported = json.loads(json.dumps(moment_as_dict(grounded.moments[0])))["grounded"]
    assert set(reported) >= {"accepted", "reason"}


def test_events_become_passages_of_their_own_stage(tmp_path):
    path = colour_video(tmp_path / "media" / "one.mp4", [("red", 4.0), ("blue", 4.0)])
    library = demo_library(tmp_path / "home", lego_path=str(CHECKPOINT), lego_dtype="float32")
    library.ingest([path])
    before = library.status().segments
    report = library.ingest([path], events=True)
    assert [file.state for file in report.files] == ["indexed"]
    assert library.status().segments == before
    with library.catalog.read() as session:
        found = list_passages(session, library.videos()[0].video_id)
    assert found
    assert all(0 <= p.span.start_s <= p.span.end_s <= 8.0 and p.text.strip() for p in found)
    word = max(found[0].text.split(), key=len)
    answer = library.search(word, only=["event"])
    assert answer.moments
    assert answer.moments[0].evidence[0].kind == "event"
    assert library.ingest([path], events=True).files[0].state == "unchanged"


class _Media:
    def window(self, path, times_s, *, short_side):
        return SimpleNamespace(images=times_s)


def test_frames_of_a_window_begin_at_its_start_and_are_evenly_spread():
    window = read_window(_Media(), Path("a.mp4"), Span(30.0, 60.0), LegoGrounder.frames)
    assert window.times_s.tolist() == window.images.tolist()
    assert window.times_s[:3].tolist() == [30.0, 30.46875, 30.9375]
    assert window.times_s[-1] == 60.0 - 30 / 64


def test_an_event_that_two_windows_tell_is_kept_once(library, monkeypatch):
    windows = [Window(Span(start, start + 30), None, None) for start in (0.0, 22.5)]
    reported = {
        0.0: [Event(Span(20.0, 29.0), "a dog\n jumps"), Event(Span(29.0, 30.0), "it sits")],
        22.5: [Event(Span(20.5, 29.0), "a dog leaps"), Event(Span(29.0, 45.0), "It sits")],
    }
    teller = SimpleNamespace(events=lambda read: [reported[window.span.start_s] for window in read])
    monkeypatch.setattr(events, "load_grounder", lambda settings: teller)
    stage = events.EventsStage(library.settings)
    passages = stage.find(None, windows)
    assert [(p.span, p.text) for p in passages] == [
        (Span(20.0, 29.0), "a dog jumps"),
        (Span(29.0, 45.0), "It sits"),
    ]


def test_windows_of_a_chunk_overlap_and_are_short_enough():
    windows = event_windows(Span(90.0, 180.0))
    assert windows[0].start_s == 90.0
    assert windows[-1].end_s == pytest.approx(180.0)
    assert all(window.length_s <= 30 + 1e-6 for window in windows)
    assert all(a.overlap_s(b) > 0 for a, b in pairwise(windows))


def test_ask_about_a_video_a_frame_and_its_sound(library, tmp_path):
    video = str(library.videos()[0].video_id)
    reply = library.ask(video, "when is it blue?")
    assert reply.text
    assert reply.window.length_s <= 30
    picture = tmp_path / "frame.png"
    framed = library.ask(video, "where is the square?", at_s=3.0, picture=picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert framed.at_s == 3.0


def test_ask_refuses_what_it_cannot_answer(library, tmp_path):
    video = str(library.videos()[0].video_id)
    with pytest.raises(UsageError, match="99"):
        library.ask(video, "where?", at_s=99.0)
    with pytest.raises(UsageError, match="empty"):
        library.ask(video, " ")
    with pytest.raises(UsageError, match="not about both"):
        library.ask(video, "what?", at_s=1.0, span=Span(0.0, 2.0))
    for span in (Span(500.0, 599.0), Span(2.0, 2.0), Span(-1.0, 2.0)):
        with pytest.raises(UsageError, match="not a part"):
            library.ask(video, "what?", span=span)
    length_s = library.videos()[0].duration_s
    assert library.ask(video, "what?", span=Span(1.0, 99.0)).window == Span(1.0, length_s)
    with pytest.raises(MediaError, match=r"none\.mp4"):
        library.ask(str(tmp_path / "none.mp4"), "what?")


def test_evaluate_reports_both_and_how_often_it_was_accepted(library, tmp_path):
    rows = tmp_path / "rows.jsonl"
    row = {
        "video": "one.mp4",
        "query": "blue",
        "windows": [[20.0, 40.0]],
        "kind": "scene",
        "scope": "moment",
        "corpus_unique": True,
    }
    rows.write_text(json.dumps(row) + "\n")
    report = library.evaluate(rows, ground=True)
    assert {"grounding_miou", "lego_miou", "refined_miou", "lego_accepted"} <= set(report.all)
    assert 0 <= report.all["lego_accepted"] <= 1


def test_another_checkpoint_is_another_key(library, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for path in CHECKPOINT.iterdir():
        (other / path.name).symlink_to(path)
    same = demo_library(tmp_path, lego_path=str(other)).settings
    assert lego_key(same) == lego_key(library.settings)
    (other / "config.json").unlink()
    (other / "config.json").write_text(
        (CHECKPOINT / "config.json").read_text().replace("{", '{"note": 1,', 1)
    )
    assert lego_key(same) != lego_key(library.settings)
