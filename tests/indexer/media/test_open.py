"""What is opened, and what is refused: each time a MediaError that names the file, at once, and
without touching anything else.
"""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import MediaError
from indexer.media.decode.reader import sample_frames
from indexer.media.open import open_container
from indexer.media.probe import probe
from indexer.paths import printable
from tests.indexer.media.golden import encode, ffmpeg

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n"
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT2S" '
    'profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet><Representation '
    'id="1" bandwidth="1" '
    'mimeType="video/mp4"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>'
)
SDP = (
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP "
    "96\na=rtpmap:96 H264/90000\n"
)
DISGUISES = {
    "hls": HLS,
    "concat": "ffconcat version 1.0\nfile '{url}'\n",
    "concat_old": "file '{url}'\n",
    "dash": DASH,
    "sdp": SDP,
}


@pytest.fixture
def video(make_golden) -> Path:
    return make_golden("constant").path


@pytest.fixture
def listener():
    """A server that notes who connects."""
    server = socket.create_server(("127.0.0.1", 0))
    visits: list[object] = []

    def accept() -> None:
        try:
            while True:
                connection, address = server.accept()
                visits.append(address)
                connection.close()
        except OSError:
            return

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield server.getsockname()[1], visits
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


@pytest.mark.parametrize("kind", DISGUISES)
@pytest.mark.parametrize("extension", ["mp4", "m3u8", "mkv"])
def test_a_playlist_in_disguise_opens_no_other_file(tmp_path, video, kind, extension):
    (tmp_path / "secret.mp4").write_bytes(video.read_bytes())
    disguised = tmp_path / f"film.{extension}"
    disguised.write_text(DISGUISES[kind].format(url=tmp_path / "secret.mp4"))
    with pytest.raises(MediaError, match=r"film\."):
        probe(disguised)
    with pytest.raises(MediaError):
        sample_frames(disguised, rate_hz=1)


@pytest.mark.parametrize("kind", ["hls", "concat", "dash"])
def test_a_playlist_in_disguise_reaches_no_address(tmp_path, listener, kind):
    port, visits = listener
    (tmp_path / "film.mp4").write_text(DISGUISES[kind].format(url=f"http://127.0.0.1:{port}/a.mp4"))
    with pytest.raises(MediaError):
        probe(tmp_path / "film.mp4")
    assert visits == []


def test_a_picture_pattern_in_the_name_is_only_a_name(tmp_path, video):
    """image2 would read film0.mp4, film1.mp4 ... here."""
    pattern = tmp_path / "film%d.mp4"
    pattern.write_bytes(video.read_bytes())
    (tmp_path / "film1.mp4").write_bytes(b"not this one")
    assert probe(pattern).width == 192
    (tmp_path / "single%d.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    with pytest.raises(MediaError):
        probe(tmp_path / "single%d.jpg")


ODD_NAMES = (
    *("with 'quotes\".mp4", "new\nline.mp4", "$(touch hacked);&|.mp4", "http:x.mp4", "-i.mp4"),
    *("concat:a|b.mp4", "%d%s.mp4", b"\xff\xfe.mp4"),
)


@pytest.mark.parametrize("name", ODD_NAMES, ids=repr)
def test_odd_names_are_names(tmp_path, video, name):
    path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
    path = Path(os.fsdecode(path))
    path.write_bytes(video.read_bytes())
    assert probe(path).width == 192
    assert len(sample_frames(path, rate_hz=2)) == 5
    assert printable(path).isprintable()
    printable(path).encode("utf-8")


@pytest.mark.timeout(10)
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "nothing.mp4")
    (tmp_path / "device.mp4").symlink_to("/dev/zero")
    for name in ("pipe", "folder", "loop", "dangling", "device", "missing"):
        with pytest.raises(MediaError, match=name):
            probe(tmp_path / f"{name}.mp4")


def test_a_symlink_to_a_video_is_a_video(tmp_path, video):
    (tmp_path / "link.mp4").symlink_to(video)
    assert probe(tmp_path / "link.mp4").width == 192


NO_VIDEOS = {
    "nothing": b"",
    "zeros": bytes(4096),
    "text": b"hello\n" * 300,
    "noise": np.random.default_rng(1).bytes(5000),
    "avi": b"RIFF\xff\xff\xff\xffAVI LIST",
    "mkv": b"\x1aE\xdf\xa3",
}


@pytest.mark.parametrize("content", NO_VIDEOS.values(), ids=NO_VIDEOS)
def test_what_is_no_video_is_refused(tmp_path, content):
    (tmp_path / "film.mp4").write_bytes(content)
    with pytest.raises(MediaError, match=r"film\.mp4"):
        probe(tmp_path / "film.mp4")
    with pytest.raises(MediaError, match=r"film\.mp4"):
        sample_frames(tmp_path / "film.mp4", rate_hz=1)


def test_a_wrong_extension_does_not_matter(tmp_path, video):
    (tmp_path / "film.txt").write_bytes(video.read_bytes())
    assert probe(tmp_path / "film.txt").codec == "h264"


def test_every_allowed_demuxer_is_known():
    import av

    from indexer.media.open import DEMUXERS

    other_names_of_mov = {"m4a", "mj2"}
    assert set(DEMUXERS) - av.formats_available == other_names_of_mov


def huge_mjpeg(path: Path) -> None:
    """A real MJPEG file whose every picture claims to be 30,000 x 30,000."""
    small = encode(path.with_name("small.avi"), "mjpeg", pix_fmt="yuvj420p", count=5).path
    data = bytearray(small.read_bytes())
    begin = 0
    while (begin := data.find(b"\xff\xc0\x00\x11\x08", begin)) >= 0:
        data[begin + 5 : begin + 9] = (30_000).to_bytes(2, "big") * 2
        begin += 5
    header = data.find(b"strf") + 8
    data[header + 4 : header + 12] = (30_000).to_bytes(4, "little") * 2
    path.write_bytes(data)


def huge_y4m(path: Path) -> None:
    path.write_bytes(b"YUV4MPEG2 W30000 H30000 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(100_000))


@pytest.mark.parametrize("make", [huge_mjpeg, huge_y4m])
def test_a_huge_picture_is_refused_before_memory_is_taken_for_it(tmp_path, make):
    """30,000 x 30,000 pixels are 1.35 GB decoded."""
    make(tmp_path / "huge.avi")
    code = (
        "import sys\nfrom indexer.errors import MediaError\n"
        "from indexer.media.probe import probe\nfrom indexer.media.decode.reader import Reader\n"
        "for call in (probe, lambda p: Reader(p).read(0, 1, 2, 224)):\n"
        "    try:\n        call(sys.argv[1])\n        print('accepted')\n"
        "    except MediaError as error:\n        print(error)\n"
        "print(next(int(line.split()[1]) // 1024 for line in open('/proc/self/status') "
        "if line.startswith('VmHWM')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "huge.avi"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    *messages, memory_mb = done.stdout.splitlines()
    assert "accepted" not in messages
    assert all("huge.avi" in message for message in messages)
    assert int(memory_mb) < 400


def test_sound_alone_can_be_probed_but_has_no_pictures(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=d=1.5", "-c:a", "aac", tmp_path / "sound.m4a")
    info = probe(tmp_path / "sound.m4a")
    assert (info.width, info.height, info.codec) == (0, 0, "aac")
    assert info.duration_s == pytest.approx(1.5, abs=0.1)
    assert info.audio_tracks == ((0, None, "aac"),)
    with pytest.raises(MediaError, match="no video stream"):
        sample_frames(tmp_path / "sound.m4a", rate_hz=1)


def test_a_cover_picture_is_no_video(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", 1, tmp_path / "cover.png")
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "sine=d=1",
        "-i",
        tmp_path / "cover.png",
        "-map",
        0,
        "-map",
        1,
        "-c:v",
        "copy",
        tmp_path / "song.mp3",
    )
    assert probe(tmp_path / "song.mp3").width == 0


def test_an_opened_container_reads_files_only(video):
    with open_container(video) as container:
        assert container.options["protocol_whitelist"] == "file"
        assert "hls" not in container.options["format_whitelist"].split(",")


def test_probe_reads_tracks_title_and_date(tmp_path, video):
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    ffmpeg(
        *(
            "-i",
            video,
            "-f",
            "lavfi",
            "-i",
            "sine=d=2",
            "-i",
            tmp_path / "words.srt",
            "-map",
            0,
            "-map",
            1,
            "-map",
            2,
            "-c:v",
            "copy",
        ),
        *(
            "-metadata",
            "title=A film",
            "-metadata",
            "creation_time=2024-05-06T07:08:09Z",
            "-metadata:s:a:0",
            "language=deu",
        ),
        *("-metadata:s:s:0", "language=eng", tmp_path / "full.mkv"),
    )
    info = probe(tmp_path / "full.mkv")
    assert info.title == "A film"
    assert info.recorded_at is not None
    assert info.recorded_at.isoformat() == "2024-05-06T07:08:09+00:00"
    assert info.audio_tracks[0][:2] == (0, "deu")
    assert info.subtitle_tracks == ((0, "eng", "subrip"),) or info.subtitle_tracks[0][:2] == (
        0,
        "eng",
    )
    assert info.fps == pytest.approx(25, abs=0.5)


def test_pictures_with_wide_pixels_are_shown_wide(tmp_path, video):
    ffmpeg("-i", video, "-vf", "setsar=2/1", "-c:v", "libx264", tmp_path / "wide.mp4")
    assert (probe(tmp_path / "wide.mp4").width, probe(tmp_path / "wide.mp4").height) == (384, 128)
    assert sample_frames(tmp_path / "wide.mp4", times_s=[0.0], short_side=64).images.shape == (
        1,
        64,
        192,
        3,
    )
    assert np.ptp(sample_frames(tmp_path / "wide.mp4", times_s=[0.0]).images) > 100
