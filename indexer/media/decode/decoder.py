"""The decoded pictures of a file in the order in which a player shows them, from any time on.

What is unusual here: a seek is not trusted. It may land late (broken index, MPEG-TS), in the middle
of a group of pictures, or in an open one whose first pictures lack a reference; so the landing is
checked against the time asked for and repeated further back, at last from the beginning. Errors of
the decoder are counted and survived, as players do; errors of the container end the pictures.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
from av.codec.context import ThreadType
from av.format import Flags
from av.packet import Packet
from av.stream import Discard
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from indexer.errors import MediaError
from indexer.media.clock import Clock, Place, continuous_packets, restarting_clock
from indexer.media.duration import declared_duration_s, is_late_fragments, origin_s
from indexer.media.memory import decoding_threads
from indexer.media.open import MAX_PIXELS, check_pixels, media_errors, open_container
from indexer.media.tracks import picture_stream
from indexer.messages import N_, Message, as_message, join_messages
from indexer.paths import printable

# a time asked for as k / rate may lie a rounding error before the picture's own time
EPSILON_S = 1e-6
_BACK_S = (0.0, 2.0, 10.0, 60.0)  # how much earlier to seek when a seek landed too late
# pictures without a keyframe after which a seek is given up (streams refreshed without keyframes)
_KEYLESS_LIMIT = 600
_ERROR_LIMIT = 500  # packets in a row that do not decode: nothing more will come


@dataclass(slots=True)
class Picture:
    """One decoded picture, with the time it appears and the time the next one replaces it."""

    frame: VideoFrame
    time_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Until the next picture."""
        return self.end_s - self.time_s


class PictureTrack:
    """Decoded pictures of one file. `pictures()` goes on where the last `seek()` or the pictures
    before ended.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, threads: int = 0, max_pixels: int = MAX_PIXELS
    ) -> None:
        self.path = path
        self.threads = threads
        self.max_pixels = max_pixels
        self.keyframes_only = False
        self.decoded = 0  # pictures decoded so far, those passed over after a seek included
        self.damage = Damage()
        # (time, bytes, whether a keyframe) of each packet since the last seek, where wanted
        self.packet_log: list[tuple[float, int, bool]] | None = None
        self._open()

    def _open(self) -> None:
        self.container = open_container(self.path, self.max_pixels)
        try:
            self.clock: Clock | None = restarting_clock(self.path)
            stream = picture_stream(self.container)
            if stream is None:
                raise MediaError(
                    "{path} has no video stream",
                    "give a file with pictures: this one is sound alone",
                    path=printable(self.path),
                )
            self._prepare(stream)
        except BaseException:
            self.container.close()
            raise

    def _prepare(self, stream: VideoStream) -> None:
        self.stream = stream
        context = stream.codec_context
        check_pixels(self.path, context.width, context.height, self.max_pixels)
        context.options = {**context.options, "max_pixels": str(self.max_pixels)}
        context.thread_type = ThreadType.AUTO
        context.thread_count = decoding_threads(context.width, context.height, self.threads)
        # AVI has no presentation times: those that FFmpeg guesses for its packets are in the order
        # of coding. Players show a picture at the decoding time of the packet that completes it.
        self._by_decoding_time = self.container.format.name == "avi"
        self._guesses_after_seek = self.container.format.name == "mpeg" and self.clock is None
        self._untimed = bool(self.container.format.flags & Flags.no_timestamps.value)
        # With keyframes alone, that packet would be the next keyframe's, or the count be wrong.
        counted = self._untimed or (self._by_decoding_time and context.codec.name != "mjpeg")
        self._skips = self.keyframes_only and not counted
        context.skip_frame = "NONKEY" if self._skips else "DEFAULT"
        for other in self.container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        base = stream.time_base or Fraction(1, av.time_base)
        origin = origin_s(self.container)
        # time = pts * base - origin, with one division of integers, which Python rounds correctly
        self._denominator = base.denominator * origin.denominator
        self._scale = base.numerator * origin.denominator
        self._offset = origin.numerator * base.denominator
        self._origin, self._base = origin, base
        rate = stream.average_rate or stream.guessed_rate
        self.step_s = float(1 / rate) if rate else 0.04
        self.first_s = self._seconds(stream.start_time) if stream.start_time is not None else 0.0
        self.declared_end_s = (
            self._seconds((stream.start_time or 0) + stream.duration) if stream.duration else None
        )
        self.declared_whole_s = declared_duration_s(self.container)
        if self.clock is not None or is_late_fragments(self.container):
            self.declared_end_s = self.declared_whole_s = None
        if self.container.format.name == "nut":  # each stream has the end of the whole
            self.declared_end_s = None
        self.at_start = True  # nothing was taken since the file was opened
        self.end_s = self.first_s  # of the last packet
        self.at_end = False
        self._place: Place | None = None  # from which packets are read
        self._length_s = 0.0  # of the picture before
        self._last_s: float | None = None
        self._source: Generator[Picture] = self._decode()
        self._held: Picture | None = None

    def _seconds(self, ticks: int) -> float:
        return (ticks * self._scale - self._offset) / self._denominator

    @property
    def has_own_keyframes(self) -> bool:
        """Whether keyframes can be decoded alone, and sought by their times."""
        exact = self.clock is None and not self._untimed and not self._guesses_after_seek
        return self._skips and exact

    def close(self) -> None:
        """Closes the file."""
        self._source.close()
        self.container.close()

    def set_keyframes_only(self, keyframes_only: bool) -> None:
        """Changes what is decoded; goes back to the beginning if that is a change."""
        if keyframes_only != self.keyframes_only:
            self.keyframes_only = keyframes_only
            self.close()
            self._open()

    # -- from any time on --------------------------------------------------------------------------

    def seek(self, time_s: float) -> None:
        """The next picture is one that is shown at `time_s` or before, or the first of all."""
        with media_errors(self.path):
            if self.clock is not None:
                self._seek_by_bytes(time_s)
                return
            if time_s > self.first_s + EPSILON_S and not self._untimed:
                for back_s in _BACK_S:
                    if time_s - back_s <= self.first_s:
                        break
                    if self._try_seek(time_s - back_s, time_s):
                        return
            self.rewind()

    def _seek_by_bytes(self, time_s: float) -> None:
        """To the keyframe before `time_s`: a clock that restarts cannot be sought."""
        place = self._place_before(time_s)
        if place is None:
            self.rewind()
            return
        self._source.close()
        self.at_start = self.at_end = False
        self._last_s, self._held, self._place = None, None, place
        self._source = self._after_keyframe()

    def _place_before(self, time_s: float) -> Place | None:
        assert self.clock is not None
        return self.clock.place_before(self.stream, time_s + EPSILON_S + float(self._origin))

    def rewind(self) -> None:
        """Opens the file again: the one way back to the beginning that every format knows."""
        if not self.at_start:
            self.close()
            self._forget_packets()
            self._open()

    def _forget_packets(self) -> None:
        if self.packet_log is not None:
            self.packet_log.clear()

    @property
    def reads_on(self) -> bool:
        """Whether a seek would read from the beginning, so that reading on is never slower."""
        return self._untimed

    def keyframe_before_s(self, time_s: float) -> float | None:
        """Where a seek to `time_s` would land, as far as the container's index knows (decoding
        time, not after presentation time).
        """
        if self.clock is not None:
            place = self._place_before(time_s)
            return place.shown_s - float(self._origin) if place else self.first_s
        index = self.stream.index_entries.search_timestamp(
            int((Fraction(time_s) + self._origin) / self._base)
        )
        return self._seconds(self.stream.index_entries[index].timestamp) if index >= 0 else None

    def _try_seek(self, target_s: float, time_s: float) -> bool:
        """Whether a seek to `target_s` landed on a keyframe not after `time_s`, which is then the
        next picture.
        """
        self._source.close()
        self._forget_packets()
        self.at_start = self.at_end = False
        self.stream.codec_context.skip_frame = "NONKEY" if self._skips else "DEFAULT"
        ticks = (Fraction(target_s) + self._origin) / self._base
        try:
            self.container.seek(int(ticks), stream=self.stream, backward=True)
        except av.error.FFmpegError:
            return False
        self._last_s, self._held = None, None
        self._source = self._after_keyframe()
        self._held = next(self._source, None)
        return self._held is not None and self._held.time_s <= time_s + EPSILON_S

    def _after_keyframe(self) -> Generator[Picture]:
        """Without what comes before the first keyframe: it refers to pictures that were not
        decoded. In an MPEG program stream the first picture after a seek passes for a keyframe, and
        has a guessed time: there it is the second one.
        """
        source = self._decode()
        passed = 0
        for count, picture in enumerate(source):
            if picture.frame.key_frame:
                passed += 1
                if self._guesses_after_seek and passed == 1:
                    continue
                yield picture
                yield from source
                return
            if count >= _KEYLESS_LIMIT:
                return

    # -- one after another -------------------------------------------------------------------------

    def pictures(self) -> Iterator[Picture]:
        """Goes on to the end of the file; each picture's end is the next one's time. May be left
        and called again.
        """
        with media_errors(self.path):
            while True:
                held = self._held if self._held is not None else next(self._source, None)
                if held is None:
                    return
                self._held = following = next(self._source, None)
                if following is not None:
                    held.end_s = following.time_s
                yield held

    def packet_times_s(self) -> Iterator[float]:
        """When each picture from here on appears, in the order of decoding, decoding nothing."""
        for packet in self._packets():
            ticks = packet.pts if packet.pts is not None else packet.dts
            if packet.size and not packet.is_discard and ticks is not None:
                yield self._seconds(ticks)

    def _decode(self) -> Generator[Picture]:
        """Pictures with rising times; one that is not later than the last is never shown. `end_s`
        is a first guess.
        """
        for frame in self._frames():
            self.decoded += 1
            if self.keyframes_only and not self._skips and not frame.key_frame:
                self._last_s = self._time_of(frame)
                continue
            time_s = self._time_of(frame)
            if self._last_s is not None and time_s <= self._last_s:
                self.damage.backwards += 1
                continue
            if self._last_s is not None:
                self._length_s = time_s - self._last_s
            self._last_s = time_s
            length_s = float(frame.duration * self._base) if frame.duration else 0.0
            yield Picture(frame, time_s, time_s + (length_s if length_s > 0 else self.step_s))
        yield from self._rest()

    def _rest(self) -> Iterator[Picture]:
        """What several threads held when one of them failed at the end of a damaged file: lost
        there, but not to a single thread.
        """
        last_s = self._last_s
        if (
            self.threads == 1
            or self.keyframes_only
            or last_s is None
            or last_s + 1.5 * self.step_s >= self.end_s
        ):
            return
        alone = PictureTrack(self.path, threads=1, max_pixels=self.max_pixels)
        try:
            alone.seek(last_s)
            for picture in alone.pictures():
                if picture.time_s > last_s:
                    self.decoded += 1
                    self._last_s = picture.time_s
                    yield picture
        finally:
            alone.close()

    def _time_of(self, frame: VideoFrame) -> float:
        ticks = frame.pts if frame.pts is not None else frame.dts
        if self._by_decoding_time and (frame.dts is not None or self._last_s is not None):
            ticks = frame.dts
        if ticks is not None and not self._untimed:
            return self._seconds(ticks)
        if self._last_s is None:
            return 0.0
        return self._last_s + (self._length_s or self.step_s)

    def _frames(self) -> Iterator[VideoFrame]:
        context = self.stream.codec_context
        self.at_start = False
        errors = 0
        for packet in self._packets():
            if self._skips and packet.size and not packet.is_keyframe:
                continue
            try:
                frames = context.decode(packet if packet.size else None)
            except EOFError:
                return
            except av.error.MemoryError:  # no damage: the next packet would end the same way
                raise
            except av.error.FFmpegError as error:
                errors += 1
                self.damage.note(self._last_s, error)
                if errors > _ERROR_LIMIT:
                    return
                continue
            errors = 0
            for frame in frames:
                check_pixels(self.path, frame.width, frame.height, self.max_pixels)
                yield frame

    def _packets(self) -> Iterator[Packet]:
        """Packets of the stream, then an empty one that makes the decoder give up what it holds
        back.
        """
        source = continuous_packets(self.container, self.stream, self.clock, self._place)
        while True:
            try:
                packet = next(source, None)
            except av.error.FFmpegError as error:
                self.damage.note(self._last_s, error)
                packet = None
            if packet is None:
                break
            if packet.pts is not None and not packet.is_discard:
                self.end_s = max(self.end_s, self._seconds(packet.pts + (packet.duration or 0)))
                if self.packet_log is not None:
                    noted = (self._seconds(packet.pts), packet.size, packet.is_keyframe)
                    self.packet_log.append(noted)
            yield packet
        self.at_end = True
        yield Packet()


class Damage:
    """Counts what could not be decoded, for one line of text."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets what was counted."""
        self.count = 0
        self.backwards = 0  # pictures whose time is not after that of the one before
        self.first_s: float | None = None
        self.reason = ""

    def note(self, time_s: float | None, error: av.error.FFmpegError) -> None:
        """Counts an error of the decoder; `time_s` is that of the last good picture."""
        if not self.count:
            self.first_s = time_s
            self.reason = error.strerror or type(error).__name__
        self.count += 1

    @property
    def message(self) -> Message:
        """What was counted; empty where nothing was."""
        found = []
        if self.count:
            values = {"count": self.count, "reason": as_message(self.reason.lower())}
            if self.first_s is not None:
                values["time_s"] = self.first_s
            found.append(Message(_undecoded(self.count, self.first_s), values))
        if self.backwards:
            found.append(
                Message(
                    "one picture was left out because time goes backwards there"
                    if self.backwards == 1
                    else "{count} pictures were left out because time goes backwards there",
                    {"count": self.backwards},
                )
            )
        return join_messages(found)


def _undecoded(count: int, first_s: float | None) -> str:
    if first_s is None:
        one, many = (
            N_("one packet could not be decoded ({reason})"),
            N_("{count} packets could not be decoded ({reason})"),
        )
    else:
        one, many = (
            N_("one packet could not be decoded after {time_s:.3f} s ({reason})"),
            N_("{count} packets could not be decoded after {time_s:.3f} s ({reason})"),
        )
    return one if count == 1 else many
