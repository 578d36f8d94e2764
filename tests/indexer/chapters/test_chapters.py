"""The chapters of indexed videos, through the library and the command line."""

import json
import shutil

import pytest

from grounding.spans import Span
from indexer.chapters.chapters import list_chapters
from indexer.errors import CatalogError, ModelError
from tests.support import colour_video, demo_library, run_command

SHOTS = [("red", 20), ("green", 14), ("blue", 30), ("yellow", 12), ("purple", 24)]
STARTS_S = [0.0, 20.0, 34.0, 64.0, 76.0]
SUBTITLES = (
    "1\n00:00:03,000 --> 00:00:06,000\nWe begin with sourdough.\n\n"
    "2\n00:00:40,000 --> 00:00:44,000\nThe kettle is humming.\n"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chapters")
    path = colour_video(folder / "bakery.mp4", SHOTS)
    path.with_suffix(".srt").write_text(SUBTITLES)
    library = demo_library(folder / "home", speech=True)
    library.ingest([path, colour_video(folder / "short.mp4", [("red", 5)])])
    return folder / "home"


def test_parts_begin_where_the_pictures_change(home):
    chapters = demo_library(home).chapters(1)
    assert [chapter.span.start_s for chapter in chapters] == STARTS_S
    assert [chapter.span.end_s for chapter in chapters] == [*STARTS_S[1:], 100.0]


def test_words_name_their_part_and_the_others_have_no_name(home):
    chapters = demo_library(home).chapters(1)
    assert "sourdough" in chapters[0].name.lower()
    assert "kettle" in chapters[2].name.lower()
    assert [chapter.source for chapter in chapters] == ["words", "none", "words", "none", "none"]


def test_names_of_a_grounder_are_kept(home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    library = demo_library(tmp_path / "home")

    def namer(span: Span) -> str:
        return f"From\n{span.start_s:g}" if span.start_s < 30 else ""

    looked_at = []
    named = list_chapters(library.context, 1, namer, lambda done, of: looked_at.append((done, of)))
    assert looked_at == [(done, 5) for done in range(5)]
    assert [chapter.name for chapter in named[:2]] == ["From 0", "From 20"]
    assert [chapter.source for chapter in named[:3]] == ["model", "model", "words"]
    assert library.chapters(1) == named


def test_names_that_were_given_before_a_failure_are_kept(home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    library = demo_library(tmp_path / "home")

    def namer(span: Span) -> str:
        if span.start_s >= 40:
            raise ModelError("gone")
        return f"From {span.start_s:g}"

    with pytest.raises(ModelError):
        list_chapters(library.context, 1, namer)
    assert [chapter.name for chapter in library.chapters(1)[:2]] == ["From 0", "From 20"]


@pytest.mark.parametrize("content", ["", "[", "[1]", "{}", '[["a", 2, 3]]', "null"])
def test_kept_names_that_cannot_be_read_are_left_out(home, tmp_path, content):
    shutil.copytree(home, tmp_path / "home")
    library = demo_library(tmp_path / "home")
    path = library.artefacts.chapter_names(1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    assert library.chapters(1)[0].source == "words"


def test_nobody_is_there_to_name_them(home):
    with pytest.raises(ModelError):
        demo_library(home).chapters(1, ground=True)


def test_a_short_video_has_none(home):
    assert demo_library(home).chapters(2) == []


def test_a_video_that_there_is_not(home):
    with pytest.raises(CatalogError):
        demo_library(home).chapters(3)


def test_command(home):
    def run(*args: str) -> str:
        return run_command(home, "chapters", *args).stdout

    found = json.loads(run("1", "--json"))
    assert found["video_id"] == 1
    assert [chapter["start_s"] for chapter in found["chapters"]] == STARTS_S
    assert {*found["chapters"][0]} == {"start_s", "end_s", "name", "source"}
    assert "Part 2" in run("1")
