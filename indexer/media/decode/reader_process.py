"""Reading in a process that can be killed: a decoder that hangs or crashes takes nothing else with
it.

A child is a program of its own (reader_worker.py). Pictures come back through memory that both
have open, other answers through a socket. A child that did its work stays for the next file, since
starting one takes half a second.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import IO, Any, Self

import numpy as np

from indexer.errors import MediaError, MediaTimeout
from indexer.media.decode.frames import Frames, Sampling
from indexer.media.decode.reader import PictureRead
from indexer.media.decode.request import Request
from indexer.media.decode.shared_memory import anonymous_memory, read_all
from indexer.media.memory import MEMORY_MB
from indexer.media.open import MAX_PIXELS
from indexer.media.subtitles.cues import Cue
from indexer.media.subtitles.tracks import SubtitleTrack
from indexer.paths import printable
from indexer.video_info import VideoInfo

TIMEOUT_S = 300.0
SUBTITLES_TIMEOUT_S = 30.0
_SUBTITLES_MEMORY_MB = 1500  # 20 MB of text are 200,000 cues at most
_PICTURE_TIMEOUT_S = 20.0
_PICTURE_MEMORY_MB = 1000  # ten times what the largest picture takes
_START_TIMEOUT_S = 60.0
_CLOSE_TIMEOUT_S = 10.0
_MAX_IDLE = 2
_MAX_IDLE_MB = 500  # a child that still holds so much without a file is not kept


class ReadingProcessDied(MediaError):
    """The child crashed, or was killed by somebody else."""


@dataclass(slots=True)
class _Worker:
    """A running child, its end of the socket and the memory that it writes pictures to."""

    process: subprocess.Popen[bytes]
    connection: Connection
    memory: int
    log: IO[bytes]
    owner: int = field(default_factory=os.getpid)  # after a fork the copy must not be used

    def kill(self) -> None:
        """Ends it at once and lets go of everything."""
        self.process.kill()
        self.process.wait()
        self.forget()

    def forget(self) -> None:
        self.connection.close()
        self.log.close()
        os.close(self.memory)

    def last_line(self) -> str:
        """The last line it wrote, which is the error if it had time for one."""
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


_idle: list[_Worker] = []
_idle_lock = threading.Lock()


def _start_worker() -> _Worker:
    ours, theirs = socket.socketpair()
    memory = anonymous_memory()
    log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
    # The child finds the package where this process found it, whatever its own working folder and
    # paths are.
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        "from indexer.media.decode.reader_worker import main; main()"
    )
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(theirs.fileno()), str(memory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=(theirs.fileno(), memory),
        )
    return _Worker(process, Connection(ours.detach()), memory, log)


def _take_worker() -> _Worker:
    with _idle_lock:
        mine = [child for child in _idle if child.owner == os.getpid()]
        _idle[:] = mine
        while _idle:
            child = _idle.pop()
            if child.process.poll() is None:
                return child
            child.forget()
    return _start_worker()


def _give_back(child: _Worker) -> None:
    with _idle_lock:
        if len(_idle) < _MAX_IDLE and _resident_mb(child.process.pid) < _MAX_IDLE_MB:
            os.ftruncate(child.memory, 0)
            _idle.append(child)
            return
    child.kill()


def _resident_mb(pid: int) -> float:
    """0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


def close_idle() -> None:
    """Ends the children that wait for another file. They end with this process anyway."""
    with _idle_lock:
        while _idle:
            child = _idle.pop()
            if child.owner == os.getpid():
                child.kill()


class MediaProcess:
    """Sends requests to a child, one after another, and takes the answers. Raises MediaTimeout,
    MediaError.
    """

    def __init__(self, path: str | os.PathLike[str], *, memory_mb: int = MEMORY_MB) -> None:
        self.path = os.fspath(path)
        self._memory_mb = memory_mb
        self._child: _Worker | None = None
        self._deadline = 0.0
        self._timeout_s = 0.0
        self._waiting = False

    def start(self, name: str, *args: object, timeout_s: float) -> None:
        """Sends a request; its time runs from now."""
        fresh = self._child is None or self._child.owner != os.getpid()
        if fresh:
            self._child = _take_worker()
        assert self._child is not None
        try:
            self._child.connection.send(Request(name, args, self.path, timeout_s, self._memory_mb))
        except (BrokenPipeError, ConnectionResetError):
            raise self._died() from None
        self._waiting = True
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s + (_START_TIMEOUT_S if fresh else 0.0)

    def result(self) -> Any:
        """Waits for the answer to the last request."""
        assert self._child is not None, "nothing was asked for"
        assert self._waiting, "the answer was taken already"
        try:
            if not self._child.connection.poll(max(0.0, self._deadline - time.monotonic())):
                self._kill()
                raise MediaTimeout(
                    "reading {path} took longer than {timeout_s:g} s and was stopped",
                    "SEEKPOINT_CHUNK_TIMEOUT_S sets the limit; if the file plays elsewhere, "
                    "convert it with ffmpeg",
                    path=printable(self.path),
                    timeout_s=self._timeout_s,
                )
            succeeded, answer = self._child.connection.recv()
        except (EOFError, ConnectionResetError):
            raise self._died() from None
        self._waiting = False
        if not succeeded:
            raise answer
        return answer

    def call(self, name: str, *args: object, timeout_s: float) -> Any:
        """Sends a request and waits for its answer."""
        self.start(name, *args, timeout_s=timeout_s)
        return self.result()

    def frames(
        self, description: tuple[tuple[int, ...], np.ndarray, np.ndarray], at: int = 0
    ) -> Frames:
        """A copy of the pictures that an answer describes, `at` bytes behind the beginning of what
        the child wrote.
        """
        assert self._child is not None
        shape, times_s, durations_s = description
        images = np.empty(shape, np.uint8)
        read_all(self._child.memory, images, at)
        return Frames(images, times_s, durations_s)

    @property
    def pid(self) -> int | None:
        """Of the child; None where there is none."""
        return self._child.process.pid if self._child else None

    @property
    def busy(self) -> bool:
        """Is an answer outstanding, which whoever asked for it no longer waits for?"""
        return self._waiting

    def _kill(self) -> None:
        child, self._child, self._waiting = self._child, None, False
        if child is not None and child.owner == os.getpid():
            child.kill()

    def _died(self) -> ReadingProcessDied:
        child = self._child
        assert child is not None
        try:
            code = child.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = 0
        line = child.last_line()
        self._kill()
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        how += f" ({line})" if line else ""
        return ReadingProcessDied(
            "the process that read {path} ended {how}",
            "the file may be damaged, or memory ran out; the rest goes on",
            path=printable(self.path),
            how=how,
        )

    def close(self) -> None:
        """Keeps the child for another file, unless it is still busy."""
        child, self._child = self._child, None
        if child is None or child.owner != os.getpid():
            return
        if not self._waiting:
            _give_back(child)
        else:
            child.kill()
        self._waiting = False


class ReaderProcess:
    """The interface and the results of Reader, read in a child. Each read has `timeout_s`, after
    which the child is killed.

    After MediaTimeout, a child that died, or a read that was interrupted, the next read starts
    another child from the same file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        threads: int = 0,
        max_pixels: int = MAX_PIXELS,
        memory_mb: int = MEMORY_MB,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.path = path
        self._open_args = (os.fspath(path), threads, max_pixels)
        self._timeout_s = timeout_s
        self._process = MediaProcess(path, memory_mb=memory_mb)
        self._is_open = False
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the child; None after it was killed."""
        return self._process.pid

    def close(self) -> None:
        """Closes the file and keeps the child for another one, unless it is still busy."""
        self._is_open = False
        if self._process.pid is not None and not self._process.busy:
            with suppress(MediaError):  # a child that is gone has closed the file too
                self._process.call("close", timeout_s=_CLOSE_TIMEOUT_S)
        self._process.close()

    def read(
        self,
        start_s: float,
        end_s: float,
        rate_hz: float,
        short_side: int | None,
        keyframes_only: bool = False,
    ) -> PictureRead:
        """As Reader.read; MediaTimeout when it takes too long."""
        return self.read_each(start_s, end_s, [Sampling(rate_hz, short_side, keyframes_only)])[0]

    def read_each(
        self, start_s: float, end_s: float, samplings: Sequence[Sampling]
    ) -> list[PictureRead]:
        """As Reader.read_each; MediaTimeout when it takes too long."""
        reads, at = [], 0
        answers = self._ask("read", start_s, end_s, tuple(samplings))
        for description, cuts_s, damage, gaps in answers:
            frames = self._process.frames(description, at)
            reads.append(PictureRead(frames, cuts_s, damage, gaps))
            at += frames.images.nbytes
        return reads

    def at(
        self, times_s: Any, *, short_side: int | None = None, keyframes_only: bool = False
    ) -> Frames:
        """As Reader.at."""
        return self._process.frames(
            self._ask("at", np.asarray(times_s, np.float64), short_side, keyframes_only)
        )

    def window(
        self, times_s: np.ndarray, *, short_side: int | None, try_decord: bool = True
    ) -> Frames:
        """As `at`, through decord where its times agree with the container's."""
        return self._process.frames(self._ask("window", times_s, short_side, try_decord))

    def _open(self) -> None:
        self._process.call("open", *self._open_args, timeout_s=self._timeout_s)
        self._is_open = True

    def _ask(self, name: str, *args: object) -> Any:
        if self._process.busy:
            self._process.close()
        if self._process.pid is None or not self._is_open:
            self._open()
        return self._process.call(name, *args, timeout_s=self._timeout_s)


def probe_in_process(
    path: str | os.PathLike[str],
    *,
    max_pixels: int = MAX_PIXELS,
    memory_mb: int = MEMORY_MB,
    timeout_s: float = 60.0,
) -> VideoInfo:
    """`probe` in a child: for files of unknown origin, whose header may already hang or crash a
    demuxer.
    """
    return _call_once(path, "probe", max_pixels, timeout_s=timeout_s, memory_mb=memory_mb)


def is_playable_in_process(
    path: str | os.PathLike[str], *, memory_mb: int = MEMORY_MB, timeout_s: float = 60.0
) -> bool:
    """`is_playable` in a child."""
    return _call_once(path, "is_playable", timeout_s=timeout_s, memory_mb=memory_mb)


def read_text_file_in_process(
    path: str | os.PathLike[str], code_page: str = "", *, timeout_s: float = SUBTITLES_TIMEOUT_S
) -> list[Cue]:
    """`read_text_file` in a child."""
    return _call_once(
        path, "text_file", code_page, timeout_s=timeout_s, memory_mb=_SUBTITLES_MEMORY_MB
    )


def read_tracks_in_process(
    path: str | os.PathLike[str], *, memory_mb: int = MEMORY_MB, timeout_s: float = TIMEOUT_S
) -> list[SubtitleTrack]:
    """`read_tracks` in a child."""
    return _call_once(path, "subtitle_tracks", timeout_s=timeout_s, memory_mb=memory_mb)


def read_audio_in_process(
    path: str | os.PathLike[str],
    start_s: float,
    end_s: float,
    rate_hz: int = 16_000,
    track: int | None = None,
    *,
    memory_mb: int = MEMORY_MB,
    timeout_s: float = TIMEOUT_S,
) -> tuple[np.ndarray, float]:
    """`read_audio` in a child."""
    args = (start_s, end_s, rate_hz, track)
    return _call_once(path, "audio", *args, timeout_s=timeout_s, memory_mb=memory_mb)


def small_picture_in_process(data: bytes, side: int) -> bytes:
    """`small_picture` in a child."""
    return _call_once(
        "the picture",
        "small_picture",
        data,
        side,
        timeout_s=_PICTURE_TIMEOUT_S,
        memory_mb=_PICTURE_MEMORY_MB,
    )


def _call_once(
    path: str | os.PathLike[str],
    name: str,
    *args: object,
    timeout_s: float,
    memory_mb: int,
) -> Any:
    process = MediaProcess(path, memory_mb=memory_mb)
    try:
        return process.call(name, process.path, *args, timeout_s=timeout_s)
    finally:
        process.close()
