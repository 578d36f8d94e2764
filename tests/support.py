"""What several tests need: small videos of plain colours (the demo embedder tells colours apart)
and libraries in a folder of their own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

import numpy as np

from indexer.cli import main
from indexer.embedders.demo import COLOURS
from indexer.library import Library
from indexer.media.output.encode import write_video
from indexer.settings import Settings

RATE = 25


def colour_video(
    path: Path,
    shots: Sequence[tuple[str, float]],
    size: tuple[int, int] = (64, 96),
    rate: int = RATE,
) -> Path:
    """One plain colour per shot, with a small moving square so that no two frames are equal. A
    long one is made sooner at a lower rate.
    """
    path.parent.mkdir(parents=True, exist_ok=True)

    def images():
        number = 0
        for colour, length_s in shots:
            for _ in range(round(length_s * rate)):
                image = np.full((*size, 3), COLOURS[colour], np.uint8)
                x = number * 2 % (size[1] - 4)
                image[:4, x : x + 4] = 255 - image[0, 0]
                number += 1
                yield image

    write_video(path, images(), rate)
    return path


def demo_settings(home: Path, **overrides) -> Settings:
    return Settings(
        **{
            "home": home,
            "embedder": "demo",
            "threads": 1,
            "speech": False,
            "screen_text": False,
            "sound": False,
            **overrides,
        }
    )


def demo_environment(home: Path, **environment: str) -> dict[str, str]:
    """What a process needs in order to use such a library."""
    own = {
        "HOME": str(home),
        "EMBEDDER": "demo",
        "THREADS": "1",
        "SPEECH": "0",
        "SCREEN_TEXT": "0",
        "SOUND": "0",
        **environment,
    }
    return {
        **os.environ,
        "COLUMNS": "200",
        **{f"SEEKPOINT_{name}": value for name, value in own.items()},
    }


def demo_library(home: Path, **overrides) -> Library:
    return Library(demo_settings(home, **overrides))


def run_command(
    home: Path, *arguments: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`seekpoint ARGUMENTS` with the exit status and what is printed, in this process: starting
    one takes longer than most commands.
    """
    return run_in(demo_environment(home, **environment), *arguments)


def run_in(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    """The same with a whole environment."""
    argv = ["seekpoint", *map(str, arguments)]
    out, err, status = StringIO(), StringIO(), 0
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", argv),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return subprocess.CompletedProcess(argv, status, out.getvalue(), err.getvalue())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class TooMuchCpu(AssertionError):
    """What was called took more CPU time than it may."""


def within_cpu_s(limit_s: float, call: Callable[[], object], tries: int = 4) -> None:
    """Calls it; TooMuchCpu where it takes longer than `limit_s` of this process's CPU time, each
    time. The clock of the machine, which others keep busy, says nothing.

    It is stopped then, also inside a regular expression.
    """
    for left in reversed(range(tries)):
        try:
            with _stopped_after(limit_s):
                call()
            return
        except TooMuchCpu:
            if not left:
                raise


@contextmanager
def _stopped_after(limit_s: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooMuchCpu(f"more than {limit_s:g} s of CPU time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)
