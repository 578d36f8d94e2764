"""Small files that unpack to gigabytes: the process that asks does not grow, and the one that reads
has a limit.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from indexer.errors import MediaError
from indexer.media.decode.reader_process import ReaderProcess, close_idle, probe_in_process
from indexer.media.ffmpeg import run_ffmpeg
from indexer.media.memory import decoding_threads
from indexer.media.output.clips import cut_clip
from indexer.media.output.proxy import make_proxy
from indexer.settings import load_settings
from tests.indexer.media.golden import encode, read_number

LARGE = (16_000, 8_000)  # allowed; 192 MB for a picture of four colours a pixel


def large_mjpeg(path: Path) -> Path:
    """Every picture of a small MJPEG says that it is LARGE."""
    small = encode(path.with_name("small.avi"), "mjpeg", pix_fmt="yuvj420p", count=5).path
    data = bytearray(small.read_bytes())
    begin = 0
    while (begin := data.find(b"\xff\xc0\x00\x11\x08", begin)) >= 0:
        data[begin + 5 : begin + 9] = LARGE[1].to_bytes(2, "big") + LARGE[0].to_bytes(2, "big")
        begin += 5
    header = data.find(b"strf") + 8
    data[header + 4 : header + 12] = b"".join(n.to_bytes(4, "little") for n in LARGE)
    path.write_bytes(data)
    return path


def large_png(path: Path) -> Path:
    Image.new("RGB", (5000, 5000), "red").save(path)
    return path


def test_what_small_files_unpack_to_is_not_in_the_process_that_asks(tmp_path):
    """The video takes about 400 MB in the child, the picture 75 MB."""
    video, picture = large_mjpeg(tmp_path / "large.avi"), large_png(tmp_path / "large.png")
    assert video.stat().st_size + picture.stat().st_size < 300_000
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from indexer.errors import MediaError\nfrom indexer.settings import load_settings\n"
        "from indexer.media.decode.reader_process import probe_in_process, read_tracks_in_process\n"
        "from indexer.media.output.clips import cut_clip\n"
        "from indexer.media.output.proxy import make_proxy, plays_in_browsers\n"
        "from indexer.media.output.thumbnails import thumbnail\n"
        "from indexer.questions.query_pictures import keep_picture\n"
        "def peak_mb():\n"
        "    lines = open('/proc/self/status')\n"
        "    return next(int(x.split()[1]) // 1024 for x in lines if x.startswith('VmHWM'))\n"
        "video, picture, home = map(Path, sys.argv[1:])\n"
        "settings = load_settings(home=home)\n"
        "before_mb = peak_mb()\n"
        "for call in (\n"
        "    lambda: probe_in_process(video),\n"
        "    lambda: plays_in_browsers(video),\n"
        "    lambda: read_tracks_in_process(video),\n"
        "    lambda: thumbnail(video, 0.0),\n"
        "    lambda: cut_clip(video, 0.0, 0.1, home / 'clip.mp4', settings),\n"
        "    lambda: keep_picture(settings, picture.read_bytes()),\n"
        "):\n"
        "    try:\n        call()\n"
        "    except MediaError as error:\n        print(error, file=sys.stderr)\n"
        "print(before_mb, peak_mb())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, video, picture, tmp_path],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    before_mb, after_mb = map(int, done.stdout.split())
    assert after_mb - before_mb < 40, done.stderr


def test_a_file_that_takes_more_than_its_reader_may_have_is_an_error(tmp_path, make_golden):
    close_idle()
    encode(tmp_path / "large.mp4", size=(3072, 2048), count=3, preset="ultrafast")
    with ReaderProcess(tmp_path / "large.mp4", memory_mb=250) as reader:
        pid = reader.pid
        with pytest.raises(MediaError, match="more memory") as failed:
            reader.read(0.0, 1.0, 25.0, 6000)
        assert "SEEKPOINT_READER_MEMORY_MB" in failed.value.hint
    with ReaderProcess(make_golden("constant").path, memory_mb=250) as reader:
        assert reader.pid == pid, "what was taken was given back"
        assert read_number(reader.at([1.0]).images[0]) == 25


def test_a_limit_holds_for_one_request(tmp_path):
    encode(tmp_path / "large.mp4", size=(3072, 2048), count=3, preset="ultrafast")
    with pytest.raises(MediaError) as failed:
        probe_in_process(tmp_path / "large.mp4", memory_mb=1)
    assert "SEEKPOINT_READER_MEMORY_MB" in failed.value.hint
    assert probe_in_process(tmp_path / "large.mp4").width == 3072


def test_ffmpeg_has_a_limit(tmp_path):
    settings = load_settings(home=tmp_path, reader_memory_mb=500)
    source = ("-f", "lavfi", "-i", f"color=red:s={LARGE[0]}x{LARGE[1]}:d=1")
    with pytest.raises(MediaError, match="ffmpeg failed") as failed:
        run_ffmpeg([*source, "-vf", "format=rgb48", "-f", "null", "-"], 60.0, settings)
    assert "SEEKPOINT_READER_MEMORY_MB" in failed.value.hint


def test_clips_and_copies_that_take_too_much_leave_nothing(tmp_path):
    encode(tmp_path / "large.mkv", size=(4096, 3072), count=3, preset="ultrafast")
    settings = load_settings(home=tmp_path / "home", reader_memory_mb=200)
    with pytest.raises(MediaError):
        cut_clip(tmp_path / "large.mkv", 0.0, 0.12, tmp_path / "clip.mp4", settings)
    with pytest.raises(MediaError):
        make_proxy(tmp_path / "large.mkv", tmp_path / "proxy.mp4", settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.mkv"]


def test_more_threads_decode_small_pictures():
    assert decoding_threads(1920, 1080, 4) == 4
    assert decoding_threads(7680, 4320, 64) == 4
    assert decoding_threads(16_384, 8_704, 64) == 1
    assert decoding_threads(0, 0, 1) == decoding_threads(100_000, 100_000, 8) == 1
