from pathlib import Path

import av
import pytest

from indexer.ingest.discover import find_files
from indexer.media.formats import DEMUXERS, VIDEO_SUFFIXES
from indexer.media.probe import probe
from tests.indexer.media.golden import ffmpeg


def test_each_demuxer_that_is_allowed_exists():
    known = {part for name in av.formats_available for part in name.split(",")}
    assert set(DEMUXERS) - known == set()


def test_each_suffix_that_ffmpeg_names_for_such_a_format_is_read_by_it():
    for name in ("matroska,webm", "avi", "flv", "ogg", "mpegts"):
        assert set(name.split(",")) & set(DEMUXERS)
    assert {".mkv", ".avi", ".flv", ".ogv", ".ts", ".roq", ".drc", ".vob"} <= VIDEO_SUFFIXES


def test_no_format_that_opens_other_files_is_allowed():
    assert not set(DEMUXERS) & {"hls", "dash", "concat", "sdp", "rtsp", "image2", "lavfi", "tty"}


@pytest.mark.parametrize("suffix", ["drc", "roq", "nut", "y4m"])
def test_rare_formats_that_a_folder_is_searched_for_can_be_read(tmp_path: Path, suffix: str):
    path = tmp_path / f"rare.{suffix}"
    codec = {"drc": ("-c:v", "vc2", "-strict", "-1", "-pix_fmt", "yuv422p"), "roq": ("-r", 30)}
    size = "s=128x128:r=25"
    try:
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=d=1:{size}", *codec.get(suffix, ()), path)
    except Exception as error:  # noqa: BLE001 - this ffmpeg lacks the encoder
        pytest.skip(f"ffmpeg cannot write it: {error}")
    assert [file.path for file in find_files([tmp_path])] == [path]
    assert probe(path).width == 128
