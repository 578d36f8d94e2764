"""The reading process: opens files and answers requests over a socket, until its parent goes away.

It is started as a plain program, not forked, so that it inherits no threads, locks or models. A
decoder that hangs may hold the interpreter's lock: so an alarm of the kernel ends the process even
when nobody is left to kill it.
"""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from indexer.errors import SeekpointError
from indexer.media.decode.audio import read_audio
from indexer.media.decode.decord_frames import DecordFrames
from indexer.media.decode.frames import Frames, Sampling
from indexer.media.decode.reader import PictureRead, Reader
from indexer.media.decode.shared_memory import write_all
from indexer.media.decode.still import small_picture
from indexer.media.memory import limit_memory
from indexer.media.open import out_of_memory
from indexer.media.playable import is_playable
from indexer.media.probe import probe
from indexer.media.subtitles.cues import Cue
from indexer.media.subtitles.subtitle_files import read_text_file
from indexer.media.subtitles.tracks import SubtitleTrack, read_tracks

_ALARM_GRACE_S = 5.0  # the parent, which can say what happened, comes first


class ReaderWorker:
    """Answers requests, which are its public methods. One file is open at a time."""

    def __init__(self) -> None:
        self._reader: Reader | None = None
        self._decord: DecordFrames | None = None

    def open(self, path: str, threads: int, max_pixels: int) -> None:
        """Opens a file for the requests that follow."""
        self.close()
        self._reader = Reader(path, threads=threads, max_pixels=max_pixels)

    def read(
        self, start_s: float, end_s: float, samplings: Sequence[Sampling]
    ) -> list[PictureRead]:
        """As Reader.read_each."""
        assert self._reader is not None, "no file is open"
        return self._reader.read_each(start_s, end_s, samplings)

    def at(self, times_s: np.ndarray, short_side: int | None, keyframes_only: bool) -> Frames:
        """As Reader.at."""
        assert self._reader is not None, "no file is open"
        return self._reader.at(times_s, short_side=short_side, keyframes_only=keyframes_only)

    def window(self, times_s: np.ndarray, short_side: int | None, try_decord: bool) -> Frames:
        """As Reader.at, through decord where it agrees with the reader."""
        assert self._reader is not None, "no file is open"
        if try_decord:
            self._decord = self._decord or DecordFrames(self._reader)
            frames = self._decord.at(times_s, short_side)
            if frames is not None:
                return frames
        return self._reader.at(times_s, short_side=short_side)

    def close(self) -> None:
        """Closes the file."""
        self._decord = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def probe(self, path: str, max_pixels: int) -> Any:
        """As probe."""
        return probe(path, max_pixels=max_pixels)

    def is_playable(self, path: str) -> bool:
        """As is_playable."""
        return is_playable(path)

    def text_file(self, path: str, code_page: str) -> list[Cue]:
        """As read_text_file."""
        return read_text_file(path, code_page)

    def subtitle_tracks(self, path: str) -> list[SubtitleTrack]:
        """As read_tracks."""
        return read_tracks(path)

    def audio(
        self, path: str, start_s: float, end_s: float, rate_hz: int, track: int | None
    ) -> Any:
        """As read_audio."""
        return read_audio(path, start_s, end_s, rate_hz, track)

    def small_picture(self, name: str, data: bytes, side: int) -> bytes:
        """As small_picture; `name` is for messages."""
        del name
        return small_picture(data, side)


def put_images(answer: Any, memory: int) -> Any:
    """Moves the pictures of an answer into the shared memory; what remains is small enough for the
    socket.
    """
    if isinstance(answer, Frames):
        write_all(memory, [answer.images])
        return _description(answer)
    if isinstance(answer, list) and answer and isinstance(answer[0], PictureRead):
        write_all(memory, (read.frames.images for read in answer))
        return [(_description(read.frames), read.cuts_s, read.damage, read.gaps) for read in answer]
    return answer


def _description(frames: Frames) -> tuple[tuple[int, ...], np.ndarray, np.ndarray]:
    return frames.images.shape, frames.times_s, frames.durations_s


def serve(connection: Connection, memory: int) -> None:
    """Answers requests until the other end of the connection is closed."""
    worker = ReaderWorker()
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        signal.alarm(math.ceil(request.timeout_s + _ALARM_GRACE_S))
        limit_memory(request.memory_mb)
        try:
            answer = (True, put_images(getattr(worker, request.name)(*request.args), memory))
        except (SeekpointError, ValueError) as error:
            answer = (False, error)
        except MemoryError:
            answer = (False, out_of_memory(request.path))
        signal.alarm(0)
        connection.send(answer)


def offer_to_oom_killer() -> None:
    """When memory runs out, the kernel should end this process, not the one that it works for."""
    with suppress(OSError):  # another system, or one that does not allow it
        Path("/proc/self/oom_score_adj").write_text("500")


def main() -> None:
    """Of the child: its arguments are the file descriptors of the socket and the memory."""
    offer_to_oom_killer()
    connection = Connection(int(sys.argv[1]))
    try:
        serve(connection, int(sys.argv[2]))
    except (BrokenPipeError, ConnectionResetError):  # the parent went away while this was reading
        return


if __name__ == "__main__":
    main()
