import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from indexer.errors import MediaError, MediaTimeout
from indexer.media.decode import reader_process
from indexer.media.decode.frames import Sampling
from indexer.media.decode.reader import Reader
from indexer.media.decode.reader_process import (
    MediaProcess,
    ReaderProcess,
    ReadingProcessDied,
    close_idle,
    probe_in_process,
    read_audio_in_process,
)
from tests.indexer.media.golden import ffmpeg, read_number


@pytest.fixture(autouse=True)
def _no_child_left_over():
    close_idle()
    yield
    close_idle()


@pytest.fixture
def video(make_golden):
    return make_golden("constant").path


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_decoder_that_hangs_is_killed_and_the_next_read_works(video):
    with ReaderProcess(video, timeout_s=0.7) as reader:
        pid = reader.pid
        os.kill(
            pid, signal.SIGSTOP
        )  # a process that answers no more, as one that spins in a decoder
        began = time.monotonic()
        with pytest.raises(MediaTimeout, match=r"constant\.mp4 took longer than 0\.7 s"):
            reader.read(0.0, 1.0, 5.0, 64)
        assert time.monotonic() - began < 5
        assert not is_running(pid)
        assert reader.pid is None
        assert [read_number(i) for i in reader.read(0.0, 1.0, 5.0, 64).frames.images[:3]] == [
            0,
            5,
            10,
        ]


def test_a_child_that_dies_is_an_error_that_names_the_file_and_the_next_read_works(video):
    with ReaderProcess(video) as reader:
        os.kill(reader.pid, signal.SIGSEGV)
        with pytest.raises(MediaError, match=r"constant\.mp4 ended by SIGSEGV"):
            reader.read(0.0, 1.0, 5.0, 64)
        assert len(reader.read(0.0, 0.5, 5.0, 64).frames) >= 3


def test_errors_of_the_reader_come_through(tmp_path, video):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(MediaError, match=r"bad\.mp4"):
        ReaderProcess(tmp_path / "bad.mp4")
    with pytest.raises(MediaError, match="no such file"):
        probe_in_process(tmp_path / "missing.mp4")
    with ReaderProcess(video) as reader:
        with pytest.raises(ValueError, match="rate_hz"):
            reader.read(0.0, 1.0, -1.0, 64)
        assert len(reader.read(0.0, 1.0, 2.0, 64).frames) >= 2


def test_pictures_of_two_sizes_come_from_one_read(video):
    samplings = [Sampling(10.0, 64), Sampling(3.0, 101)]
    with ReaderProcess(video) as process, Reader(video) as reader:
        for got, expected in zip(
            process.read_each(0.2, 1.4, samplings),
            reader.read_each(0.2, 1.4, samplings),
            strict=True,
        ):
            np.testing.assert_array_equal(got.frames.images, expected.frames.images)
            np.testing.assert_array_equal(got.frames.times_s, expected.frames.times_s)
            np.testing.assert_array_equal(got.cuts_s, expected.cuts_s)


@pytest.fixture
def interrupted():
    """Interrupts a read of a child that does not answer, as Ctrl+C does."""

    def interrupt(reader: ReaderProcess) -> None:
        os.kill(reader.pid, signal.SIGSTOP)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            reader.read(0.0, 1.0, 10.0, 64)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield interrupt
    signal.signal(signal.SIGALRM, before)


def test_a_read_after_one_that_was_interrupted(video, interrupted):
    with ReaderProcess(video) as process, Reader(video) as reader:
        for _ in range(2):
            interrupted(process)
            got = process.read(1.0, 2.0, 10.0, 64)
            np.testing.assert_array_equal(
                got.frames.images, reader.read(1.0, 2.0, 10.0, 64).frames.images
            )
        interrupted(process)
        assert read_number(process.at([1.0], short_side=64).images[0]) == 25


def test_a_child_serves_one_file_after_another(make_golden):
    with ReaderProcess(make_golden("constant").path) as reader:
        first = reader.pid
    with ReaderProcess(make_golden("vp9").path) as reader:
        assert reader.pid == first
        assert len(reader.read(0.0, 1.0, 5.0, 64).frames) >= 5
        with ReaderProcess(make_golden("ntsc").path) as other:
            assert other.pid != first


def test_closing_after_an_interrupted_read_leaves_no_child(video, interrupted):
    with ReaderProcess(video) as reader:
        pid = reader.pid
        interrupted(reader)
    assert not is_running(pid)


def test_a_child_that_holds_much_memory_is_not_kept(video, monkeypatch):
    with ReaderProcess(video) as reader:
        pid = reader.pid
    assert is_running(pid)
    monkeypatch.setattr(reader_process, "_MAX_IDLE_MB", 1)
    probe_in_process(video)
    assert not is_running(pid)


def test_children_end_with_their_parent(video):
    code = (
        "import os, sys\nfrom indexer.media.decode.reader_process import ReaderProcess\n"
        "reader = ReaderProcess(sys.argv[1])\nprint(reader.pid, flush=True)\nos._exit(1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, video], capture_output=True, text=True, timeout=60
    )
    pid = int(done.stdout)
    until = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(pid)


def test_a_fork_does_not_use_the_child_of_its_parent(video):
    """Two processes on one socket would take each other's answers."""
    code = (
        "import os, sys\nfrom indexer.media.decode.reader_process import ReaderProcess\n"
        "ReaderProcess(sys.argv[1]).close()\n"
        "pid = os.fork()\n"
        "with ReaderProcess(sys.argv[1]) as reader:\n"
        "    for _ in range(20):\n        assert len(reader.read(0.0, 1.0, 5.0, 64).frames) >= 5\n"
        "os.write(1, b'.')\n"
        "if pid == 0:\n    os._exit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, video], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == ("..", 0), done.stderr


def test_threads_each_with_a_reader(video):
    found: list[list[int]] = []

    def read() -> None:
        with ReaderProcess(video) as reader:
            found.append([read_number(i) for i in reader.at([0.0, 1.0, 2.0], short_side=64).images])

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [[0, 25, 50]] * 3


def test_sound_and_facts_in_a_child(tmp_path, video):
    ffmpeg("-f", "lavfi", "-i", "sine=440:d=1", tmp_path / "a.wav")
    samples, start_s = read_audio_in_process(tmp_path / "a.wav", 0.25, 0.75)
    assert samples.shape == (8000,)
    assert start_s == 0.25
    assert probe_in_process(video).width == 192


def test_what_a_dying_child_said_is_told(video):
    process = MediaProcess(video)
    with pytest.raises(ReadingProcessDied, match="AssertionError: no file is open"):
        process.call("read", 0.0, 1.0, [], timeout_s=30)
    process.close()
