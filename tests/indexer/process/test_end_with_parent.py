"""A program that a killed process had started ends; what it says and returns is its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from indexer.process.end_with_parent import ending_with_parent
from tests.workers.servers import wait_until

FOR_EVER = """
from indexer.media.ffmpeg import run_ffmpeg
from indexer.settings import Settings

run_ffmpeg("-re -f lavfi -i testsrc=size=32x32 -f null -".split(), 600, Settings())
"""


def ffmpeg_of(pid: int) -> str:
    """The child that plays for ever; empty while there is none."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        command = Path(f"/proc/{child}/cmdline").read_bytes()
        if b"ffmpeg" in command.split(b"\0")[0] and b"null" in command:
            return child
    return ""


def runs(pid: str) -> bool:
    """Also while nobody takes note of its end, it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked for it")
def test_ffmpeg_ends_with_a_killed_process():
    with subprocess.Popen([sys.executable, "-c", FOR_EVER]) as parent:
        wait_until(lambda: ffmpeg_of(parent.pid), 60, "ffmpeg runs")
        ffmpeg = ffmpeg_of(parent.pid)
        assert runs(ffmpeg)
        parent.kill()
    wait_until(lambda: not runs(ffmpeg), 60, "it ended")


def test_the_end_is_that_of_the_command():
    command = ending_with_parent(["/bin/sh", "-c", "echo no >&2; exit 3"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "no\n")


def test_what_cannot_be_started_is_named():
    done = subprocess.run(
        ending_with_parent(["/nowhere/ffmpeg"]), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (127, "/nowhere/ffmpeg: No such file or directory\n")
