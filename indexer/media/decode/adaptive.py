"""Reads a span by its keyframes, and in full only where something happens.

The keyframes come first, from a track of their own, together with the sizes of all packets. What is
chosen by these (groups.py) is decoded as a plain read would, with the same pictures and cuts; of
the rest there is the keyframe, and a gap that says that nothing else was looked at.

What is found depends on the groups that touch the span alone, never on earlier reads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from grounding.spans import Span
from indexer.media.decode.decoder import EPSILON_S, PictureTrack
from indexer.media.decode.frames import Gap, Sampling
from indexer.media.decode.groups import Group, choose_groups, is_cut_between
from indexer.media.decode.samples import Chosen, Sample, Sizes, collect
from indexer.media.shot_boundaries import SmallPicture, difference, small_picture
from indexer.media.shots import ShotPictures

_MIN_GROUP_S = 0.75  # on average: of shorter ones the keyframes are as dear as everything
_MAX_SHARE = 0.85  # of a span: more is decoded as one, which passes no picture twice


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A decoded keyframe: `images` of each sampling."""

    time_s: float
    small: SmallPicture
    images: tuple[np.ndarray, ...]


@dataclass(slots=True)
class Parts:
    """What was read of a span: the pictures of each sampling, cuts and gaps. `shots`: what the next
    span can go on with.
    """

    chosen: list[Chosen]
    cuts_s: list[float] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    shots: ShotPictures | None = None


class KeyframeTrack:
    """The keyframes of one file and the sizes of its packets."""

    def __init__(self, sizes: Sizes, track: PictureTrack) -> None:
        self._sizes = sizes
        self.track = track
        track.packet_log = []
        track.set_keyframes_only(True)

    def close(self) -> None:
        """Closes the file."""
        self.track.close()

    def groups(
        self, span: Span, samplings: Sequence[Sampling]
    ) -> tuple[list[Group], list[Keyframe]]:
        """The groups that touch a span, each with its keyframe. None at all where the keyframes
        cannot stand for it: they are too close, not known, or damaged.
        """
        if not self.track.has_own_keyframes:
            return [], []
        self.track.damage.clear()
        keyframes, following = self._keyframes(span, samplings)
        if not keyframes or self.track.damage.count or self.track.damage.backwards:
            return [], []
        if span.length_s < _MIN_GROUP_S * len(keyframes):
            return [], []
        edges_s = [keyframe.time_s for keyframe in keyframes]
        edges_s.append(following.time_s if following else max(self.track.end_s, edges_s[-1]))
        smalls = [keyframe.small for keyframe in (*keyframes, following) if keyframe]
        changes: list[float | None] = [difference(*pair) for pair in itertools.pairwise(smalls)]
        changes += [None] * (len(keyframes) - len(changes))
        groups = self._with_packets(edges_s, changes)
        return groups, keyframes

    def _keyframes(
        self, span: Span, samplings: Sequence[Sampling]
    ) -> tuple[list[Keyframe], Keyframe | None]:
        """Those that are shown during a span, and the one after them."""
        scales = [Chosen(self._sizes, sampling.short_side) for sampling in samplings]
        self.track.seek(span.start_s + EPSILON_S)
        found: list[Keyframe] = []
        begins_s = max(span.start_s, self.track.first_s) if self.track.at_start else span.start_s
        for picture in self.track.pictures():
            if not found and picture.time_s > begins_s + EPSILON_S:  # what comes before has none
                return [], None
            small = small_picture(picture.frame)
            if picture.time_s >= span.end_s - EPSILON_S:
                return found, Keyframe(picture.time_s, small, ())
            images = tuple(one.scaled(picture) for one in scales)
            found.append(Keyframe(picture.time_s, small, images))
        return found, None

    def _with_packets(
        self, edges_s: Sequence[float], changes: Sequence[float | None]
    ) -> list[Group]:
        log = sorted(self.track.packet_log or ())
        times_s = np.array([time_s for time_s, _, _ in log])
        sizes = np.array([size for _, size, _ in log])
        groups = []
        for (start_s, end_s), change in zip(itertools.pairwise(edges_s), changes, strict=True):
            first, end = np.searchsorted(times_s, [start_s - EPSILON_S, end_s - EPSILON_S])
            key_bytes = int(sizes[first]) if first < end else 0
            groups.append(Group(Span(start_s, end_s), key_bytes, sizes[first + 1 : end], change))
        return groups


def read_parts(
    keys: KeyframeTrack,
    begin: Callable[[float, bool], ShotPictures],
    sizes: Sizes,
    span: Span,
    samplings: Sequence[Sampling],
) -> Parts | None:
    """The parts of a span; None where all of it should be read as one. `begin`: gives the pictures
    from a time on, and is told whether that is the time of a keyframe.
    """
    groups, keyframes = keys.groups(span, samplings)
    wanted = choose_groups(groups, span, samplings[0].budget or 0.0)
    share_s = sum(group.span.overlap_s(span) for group, full in zip(groups, wanted) if full)
    if not groups or share_s > _MAX_SHARE * span.length_s:
        return None
    parts = Parts([Chosen(sizes, sampling.short_side) for sampling in samplings])
    last = len(groups) - 1
    at = 0
    while at <= last:
        start_s = max(groups[at].span.start_s, span.start_s) if at else span.start_s
        if wanted[at]:
            end = next((n for n in range(at, last + 1) if not wanted[n]), last + 1)
            end_s = groups[end].span.start_s if end <= last else span.end_s
            shots = begin(start_s, at > 0)
            _read_run(parts, shots, Span(start_s, end_s), samplings)
            parts.shots = shots if end > last else None
            if end <= last and _starts_shot(shots, end_s):
                parts.cuts_s.append(end_s)
            at = end
        else:
            _pass_over(parts, groups[at], keyframes[at], span)
            if at < last and is_cut_between(groups[at]):
                parts.cuts_s.append(groups[at].span.end_s)
            at += 1
    return parts


def _read_run(parts: Parts, shots: ShotPictures, run: Span, samplings: Sequence[Sampling]) -> None:
    samples = [
        Sample(chosen, run.start_s, run.end_s, sampling.rate_hz)
        for chosen, sampling in zip(parts.chosen, samplings, strict=True)
    ]
    parts.cuts_s += collect(shots, run.start_s, run.end_s, samples)


def _starts_shot(shots: ShotPictures, time_s: float) -> bool:
    """Whether the next picture starts a shot, and is the one at this time."""
    shot = next(iter(shots), None)
    return (
        shot is not None
        and abs(shot.picture.time_s - time_s) < EPSILON_S
        and bool(shot.starts_shot)
    )


def _pass_over(parts: Parts, group: Group, keyframe: Keyframe, span: Span) -> None:
    start_s = max(group.span.start_s, span.start_s)
    end_s = min(group.span.end_s, span.end_s)
    for chosen, image in zip(parts.chosen, keyframe.images, strict=True):
        chosen.add_scaled(image, start_s, end_s - start_s)
    parts.gaps.append(Gap(Span(start_s, end_s), keyframe.time_s))
