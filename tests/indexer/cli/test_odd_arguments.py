"""Arguments that nobody means: an error that names them, and nothing is touched."""

import pytest

from indexer.errors import CatalogError, MediaError, SeekpointError, UsageError
from indexer.settings import load_settings
from tests.support import colour_video, demo_library

HUGE = 10**30


@pytest.fixture
def library(tmp_path):
    colour_video(tmp_path / "media" / "one.mp4", [("red", 3.0)])
    made = demo_library(tmp_path / "home")
    made.ingest([tmp_path / "media"])
    return made


@pytest.mark.parametrize("number", [0, -1, 999, HUGE, -HUGE])
def test_a_number_of_no_video(library, tmp_path, number):
    verbs = [
        lambda: library.search("red", video_id=number),
        lambda: library.remove(video_ids=[number]),
        lambda: library.retry([number]),
        lambda: library.cancel([number]),
        lambda: library.subtitles(number, tmp_path / "x.srt"),
    ]
    if number > 0:
        verbs.append(lambda: library.clip(str(number), 0, 1, tmp_path / "x.mp4"))
    for verb in verbs:
        with pytest.raises(CatalogError, match=str(number)):
            verb()
    assert len(library.videos()) == 1


@pytest.mark.parametrize("name", ["two\nlines", "bytes \udcff", "\x1b[31m", "nul \0", "a\u2028b"])
def test_a_collection_that_could_not_be_shown(library, tmp_path, name):
    with pytest.raises(UsageError, match=r"cannot be the name|not UTF-8"):
        library.ingest([tmp_path / "media"], name)
    with pytest.raises(SeekpointError):
        library.search("red", collections=[name])


@pytest.mark.parametrize("name", ["我的　视频", "Kraków “2024”", "a/b; DROP TABLE [red]", "👩‍🚀"])
def test_a_collection_in_any_script(library, tmp_path, name):
    library.ingest([tmp_path / "media"], name)
    assert {moment.collection for moment in library.search("red", collections=[name]).moments} == {
        name
    }


def test_a_clip_of_a_missing_file_leaves_what_is_there(library, tmp_path):
    (tmp_path / "there.mp4").write_bytes(b"mine")
    with pytest.raises(MediaError, match="gone"):
        library.clip(str(tmp_path / "gone.mp4"), 0, 1, tmp_path / "there.mp4")
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["SEEKPOINT_ROOTS", "SEEKPOINT_UI_FOLDERS"])
def test_a_setting_that_is_not_json_names_its_variable(monkeypatch, name):
    monkeypatch.setenv(name, '{"archive":')
    with pytest.raises(UsageError, match=name):
        load_settings()


def test_names_that_are_too_long_are_named(library, tmp_path):
    with pytest.raises(MediaError, match=r"[nN]ame too long"):
        library.clip("x" * 1000, 0, 1, tmp_path / "x.mp4")
    with pytest.raises(CatalogError, match="there is no video 999"):
        library.clip("9" * 1000, 0, 1, tmp_path / "x.mp4")
    with pytest.raises(SeekpointError, match=r"[nN]ame too long"):
        library.clip(str(tmp_path / "media" / "one.mp4"), 0, 1, tmp_path / ("x" * 300))
