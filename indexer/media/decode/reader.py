"""Reads a video span by span: sampled pictures and the cuts between shots, each picture decoded
once.

A read that starts where the last one ended goes on decoding; any other one seeks. Both give the
same: what a read reports depends on the pictures of its span and a few around it, never on earlier
reads.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from grounding.spans import Span
from indexer.errors import MediaError
from indexer.media.decode.adaptive import KeyframeTrack, read_parts
from indexer.media.decode.decoder import EPSILON_S, Picture, PictureTrack
from indexer.media.decode.frames import Frames, Gap, Sampling
from indexer.media.decode.samples import Chosen, Sample, collect, on_grid
from indexer.media.duration import scan_packets
from indexer.media.geometry import Scaler, displayed_size, fit_short_side, orientation
from indexer.media.open import MAX_PIXELS, media_errors, open_container
from indexer.media.shots import NEEDED_BEFORE, ShotPictures
from indexer.messages import Message, join_messages
from indexer.paths import printable

MAX_READ_BYTES = 2 << 30  # of pictures in one answer
# how far before a span to begin, until enough pictures come before it to tell a cut at its start
_CONTEXT_S = (1.0, 5.0, 30.0, 300.0)


@dataclass(frozen=True, slots=True)
class PictureRead:
    """frames: sampled pictures; cuts_s: (K,) float64, starts of new shots inside the span; damage:
    what could not be decoded, or ""; gaps: stretches of which a keyframe alone was read.
    """

    frames: Frames
    cuts_s: np.ndarray
    damage: Message
    gaps: tuple[Gap, ...] = ()


class Reader:
    """Use as a context manager. `threads` of the decoder, 0: all cores. Raises MediaError."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        threads: int = 0,
        max_pixels: int = MAX_PIXELS,
        max_bytes: int = MAX_READ_BYTES,
    ) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self._track = PictureTrack(path, threads=threads, max_pixels=max_pixels)
        self._shots: ShotPictures | None = None
        self._next_s: float | None = None  # where `_shots` stands
        self._cut_off: tuple[float | None] | None = None  # None: not looked at yet
        self._keys: KeyframeTrack | None = None
        self._scalers: dict[int | None, Scaler] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._track.close()
        if self._keys is not None:
            self._keys.close()

    @property
    def decoded(self) -> int:
        """Pictures decoded so far, those before a span that a seek had to pass included."""
        return self._track.decoded

    def read(
        self,
        start_s: float,
        end_s: float,
        rate_hz: float,
        short_side: int | None,
        keyframes_only: bool = False,
    ) -> PictureRead:
        """Pictures at the grid times k / rate_hz in [start_s, end_s), one for each shorter shot
        that the grid misses, and the cuts.

        A picture comes once however many grid times it holds; the first may have begun before
        `start_s`. With `keyframes_only` the pictures are the keyframes on which grid times fall,
        and cuts are told from keyframes alone.
        """
        return self.read_each(start_s, end_s, [Sampling(rate_hz, short_side, keyframes_only)])[0]

    def read_each(
        self, start_s: float, end_s: float, samplings: Sequence[Sampling]
    ) -> list[PictureRead]:
        """What `read` gives for each of the samplings, which all want keyframes or all do not, and
        have the same budget, from decoding the span once.
        """
        for sampling in samplings:
            _check_span(start_s, end_s, sampling.rate_hz)
        if len({(sampling.keyframes_only, sampling.budget) for sampling in samplings}) != 1:
            raise ValueError(
                "samplings of one read take all pictures, or all keyframes alone, or have one "
                f"budget, not {samplings!r}"
            )
        self._track.damage.clear()
        if samplings[0].budget is not None and not samplings[0].keyframes_only:
            reads = self._read_parts(Span(start_s, end_s), samplings)
            if reads is not None:
                return reads
        with media_errors(self.path):
            shots = self._position(start_s, samplings[0].keyframes_only)
            self._next_s = None  # where it stands is known again when all went well
            samples = [
                Sample(Chosen(self, sampling.short_side), start_s, end_s, sampling.rate_hz)
                for sampling in samplings
            ]
            cuts = collect(shots, start_s, end_s, samples)
        self._next_s = end_s
        self._require_pictures()
        return [
            PictureRead(
                sample.chosen.frames(), np.array(cuts, np.float64), self._damage(self._track)
            )
            for sample in samples
        ]

    def _read_parts(self, span: Span, samplings: Sequence[Sampling]) -> list[PictureRead] | None:
        """By keyframes, and in full where something happens; None where a plain read is better."""
        with media_errors(self.path):
            if self._keys is None:
                track = PictureTrack(
                    self.path, threads=self._track.threads, max_pixels=self._track.max_pixels
                )
                self._keys = KeyframeTrack(self, track)
            parts = read_parts(self._keys, self._begin, self, span, samplings)
        if parts is None:
            return None
        self._shots, self._next_s = parts.shots, None
        if self._shots is not None and self._shots.is_settled:
            self._next_s = span.end_s
        found = (self._track.damage.message, self._damage(self._keys.track))
        damage = join_messages([message for message in found if message])
        return [
            PictureRead(
                chosen.frames(), np.unique(np.array(parts.cuts_s)), damage, tuple(parts.gaps)
            )
            for chosen in parts.chosen
        ]

    def _begin(self, start_s: float, at_keyframe: bool) -> ShotPictures:
        if not at_keyframe:
            return self._position(start_s, False)
        self._track.set_keyframes_only(False)
        self._track.seek(start_s + EPSILON_S)  # rounded down it would lie before the keyframe
        self._shots, self._next_s = ShotPictures(self._track), None
        _skip_to(self._shots, start_s)
        return self._shots

    def sample(
        self,
        start_s: float,
        end_s: float | None,
        rate_hz: float,
        short_side: int | None,
        keyframes_only: bool = False,
    ) -> Frames:
        """Pictures at the grid times alone, without looking for cuts; `end_s` None: to the end."""
        end_s = math.inf if end_s is None else end_s
        _check_span(start_s, end_s, rate_hz)
        chosen = Chosen(self, short_side)
        for picture, is_first in self._from(start_s, keyframes_only):
            if picture.time_s >= end_s:
                break
            if on_grid(picture, is_first, start_s, end_s, rate_hz):
                chosen.add(picture)
        self._require_pictures()
        return chosen.frames()

    def at(
        self,
        times_s: Sequence[float] | np.ndarray,
        *,
        short_side: int | None = None,
        keyframes_only: bool = False,
    ) -> Frames:
        """The picture shown at each time, in the order asked; the first before the first, the last
        after the last.
        """
        wanted = np.asarray(times_s, np.float64)
        if wanted.ndim != 1 or not np.isfinite(wanted).all():
            raise ValueError(f"times_s must be a flat list of finite seconds, not {times_s!r}")
        chosen = Chosen(self, short_side)
        order = np.argsort(wanted, kind="stable")
        place = np.empty(len(wanted), np.intp)
        shown: Picture | None = None
        source: Iterator[tuple[Picture, bool]] = iter(())
        for i in order:
            time_s = float(wanted[i])
            if shown is None or self._worth_seeking(shown, time_s):
                source, shown = self._from(time_s, keyframes_only), None
            added = shown
            shown = _advance(source, shown, time_s)
            if shown is None:
                self._require_pictures()
                raise MediaError(
                    "{path} has no picture at {time_s:.3f} s",
                    "copy it again: it is cut off or damaged there",
                    path=printable(self.path),
                    time_s=time_s,
                )
            if shown is not added:
                chosen.add(shown)
            place[i] = len(chosen) - 1
        frames = chosen.frames()
        return (
            Frames(frames.images[place], frames.times_s[place], frames.durations_s[place])
            if len(wanted)
            else frames
        )

    # -- where to begin ----------------------------------------------------------------------------

    def _from(self, time_s: float, keyframes_only: bool) -> Iterator[tuple[Picture, bool]]:
        """(picture, whether it is the first of the file) from the one shown at `time_s` or before;
        ends what `read` could go on with.
        """
        self._shots = None
        self._track.set_keyframes_only(keyframes_only)
        self._track.seek(time_s)
        is_first = self._track.at_start
        for picture in self._track.pictures():
            yield picture, is_first
            is_first = False

    def _position(self, start_s: float, keyframes_only: bool) -> ShotPictures:
        """Pictures from the one shown at `start_s` on, with enough seen before it."""
        if (
            self._shots is not None
            and self._next_s == start_s
            and self._track.keyframes_only == keyframes_only
        ):
            return self._shots
        self._track.set_keyframes_only(keyframes_only)
        for context_s in _CONTEXT_S:
            self._track.seek(start_s - context_s)
            from_start = self._track.at_start
            self._shots = ShotPictures(self._track)
            if _skip_to(self._shots, start_s) >= NEEDED_BEFORE or from_start:
                break
        assert self._shots is not None
        return self._shots

    def _worth_seeking(self, shown: Picture, time_s: float) -> bool:
        if self._track.reads_on:
            return False
        keyframe_s = self._track.keyframe_before_s(time_s)
        if keyframe_s is None:
            return time_s - shown.end_s > 2.0
        return keyframe_s > shown.end_s

    # -- what comes out ----------------------------------------------------------------------------

    def scaler(self, picture: Picture, short_side: int | None) -> Scaler:
        """One size for the whole file, so that pictures stack: from the stream's size and this
        picture's orientation.
        """
        if short_side not in self._scalers:
            context, frame = self._track.stream.codec_context, picture.frame
            size = (
                (context.width, context.height)
                if context.width and context.height
                else (frame.width, frame.height)
            )
            turned = orientation(frame).quarters % 2 == 1
            width, height = displayed_size(*size, self._track.stream.sample_aspect_ratio, turned)
            self._scalers[short_side] = Scaler(*fit_short_side(width, height, short_side))
        return self._scalers[short_side]

    def _require_pictures(self) -> None:
        if not self._track.decoded:
            reason = self._track.damage.message
            raise MediaError(
                "{path} holds no picture that can be decoded: {reason}"
                if reason
                else "{path} holds no picture that can be decoded",
                "check that it plays elsewhere",
                path=printable(self.path),
                reason=reason,
            )

    def _damage(self, track: PictureTrack) -> Message:
        found = [counted] if (counted := track.damage.message) else []
        if track.at_end and (declared_s := self._cut_off_from_s(track)) is not None:
            values = {"end_s": float(track.end_s), "declared_s": float(declared_s)}
            found.append(Message("the pictures end at {end_s:.3f} s of {declared_s:.3f} s", values))
        return join_messages(found)

    def _cut_off_from_s(self, track: PictureTrack) -> float | None:
        """The length that the file should have had, if it breaks off. Sound may go on after the
        pictures: that is no damage.
        """
        if self._cut_off is None:
            whole_s = track.declared_whole_s
            declared_s = track.declared_end_s if track.declared_end_s is not None else whole_s
            is_short = declared_s is not None and _is_short(track.end_s, declared_s)
            # Some containers give each stream the length of the whole.
            is_own = track.declared_end_s is not None and track.declared_end_s != whole_s
            if is_short and not is_own and len(track.container.streams) > 1:
                # Formats without an index may seek past what is there: then all is read.
                for from_s in (track.end_s, 0.0):
                    with open_container(self.path) as container:
                        end_s, _ = scan_packets(container, from_s)
                    is_short = _is_short(end_s, whole_s or 0.0)
                    if not is_short:
                        break
            self._cut_off = (declared_s if is_short else None,)
        return self._cut_off[0]


def _is_short(end_s: float, declared_s: float) -> bool:
    return declared_s - end_s > max(1.0, 0.01 * declared_s)


def _check_span(start_s: float, end_s: float, rate_hz: float) -> None:
    if not (math.isfinite(start_s) and start_s <= end_s and rate_hz > 0):
        raise ValueError(
            f"a read needs start_s <= end_s and rate_hz > 0, not {start_s}, {end_s}, {rate_hz}"
        )


def _skip_to(shots: ShotPictures, start_s: float) -> int:
    """Passes pictures that are over at `start_s`; returns how many."""
    count = 0
    for shot in shots:
        if shot.picture.end_s > start_s + EPSILON_S:
            break
        shots.advance()
        count += 1
    return count


def _advance(
    source: Iterator[tuple[Picture, bool]], shown: Picture | None, time_s: float
) -> Picture | None:
    """The picture shown at `time_s`: the last that has begun by then, or the first there is."""
    while shown is None or shown.end_s <= time_s + EPSILON_S:
        following = next(source, None)
        if following is None:
            break
        shown = following[0]
    return shown


def sample_frames(
    path: str | os.PathLike[str],
    *,
    times_s: Sequence[float] | np.ndarray | None = None,
    rate_hz: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    short_side: int | None = None,
    keyframes_only: bool = False,
) -> Frames:
    """The pictures shown at `times_s` (one each, in the order asked), or at the grid times k /
    rate_hz inside [start_s, end_s).

    The picture at t is the last one whose time is not after t; before the first it is the first,
    after the last the last. On the grid a picture that holds several grid times comes once.
    `short_side` scales to that many pixels on the shorter side, keeping the displayed aspect
    (rotation applied), up as well as down. `keyframes_only` decodes keyframes alone: the picture at
    t is then the last keyframe. Raises MediaError for a file that cannot be read, ValueError for
    arguments.
    """
    if (times_s is None) == (rate_hz is None):
        raise ValueError("give either times_s or rate_hz")
    with Reader(path) as reader:
        if times_s is not None:
            return reader.at(times_s, short_side=short_side, keyframes_only=keyframes_only)
        assert rate_hz is not None
        return reader.sample(start_s, end_s, rate_hz, short_side, keyframes_only=keyframes_only)
