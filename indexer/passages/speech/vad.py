"""Where somebody speaks and where nobody does (Silero VAD, https://github.com/snakers4/silero-vad,
as faster-whisper carries it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grounding.spans import Span
from indexer.process.load_once import load_once

RATE_HZ = 16_000
GROUP_S = 28.0  # Whisper hears 30 s at once
FRAME = 512  # samples that the detector takes at once, 32 ms

_PAUSE_S = 0.4  # shorter silence lies within a sentence
# stretches with a shorter pause between them (beyond the margin of each) are heard together
_JOIN_S = 0.8
_QUIET = 0.3  # probability of speech below which a frame counts as pause
_GOOD_PAUSE_S = 0.5


def speech_groups(samples: np.ndarray) -> list[Span]:
    """Stretches of speech of at most 28 s, in seconds from the first sample; none in music, noise
    and silence.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    if len(samples) < FRAME:
        return []
    options = VadOptions(
        min_speech_duration_ms=250,
        max_speech_duration_s=GROUP_S,
        min_silence_duration_ms=round(_PAUSE_S * 1000),
        speech_pad_ms=400,
    )
    found = get_speech_timestamps(samples, options)
    return join_stretches([Span(one["start"] / RATE_HZ, one["end"] / RATE_HZ) for one in found])


def join_stretches(stretches: list[Span]) -> list[Span]:
    """Neighbours joined up to 28 s. What is too long is parted at the longest pause of its second
    half, most likely between sentences.
    """
    groups: list[list[Span]] = []
    for stretch in stretches:
        if not groups or stretch.start_s - groups[-1][-1].end_s >= _JOIN_S:
            groups.append([stretch])
            continue
        while groups[-1] and stretch.end_s - groups[-1][0].start_s > GROUP_S:
            full = groups.pop()
            at = _best_break(full, stretch)
            groups += [full[:at], full[at:]]
        groups[-1].append(stretch)
    return [Span(group[0].start_s, group[-1].end_s) for group in groups]


@dataclass(frozen=True, slots=True)
class SpokenWindow:
    """Groups of speech that are heard at once, one right after the other, without what lies between
    them; at most 28 s together.
    """

    groups: tuple[Span, ...]

    @property
    def length_s(self) -> float:
        """Without what lies between."""
        return sum(group.length_s for group in self.groups)

    def samples(self, of: np.ndarray) -> np.ndarray:
        """Those of the groups, of samples (N,) at 16 kHz from which they were told."""
        edges = [(round(g.start_s * RATE_HZ), round(g.end_s * RATE_HZ)) for g in self.groups]
        return np.concatenate([of[first:last] for first, last in edges])

    def group_at(self, middle_s: float) -> tuple[Span, float]:
        """The group that is heard at a time of the window, and what to add to times in it to have
        those of the recording.
        """
        begins_s = 0.0
        for group in self.groups[:-1]:
            if middle_s < begins_s + group.length_s:
                return group, group.start_s - begins_s
            begins_s += group.length_s
        return self.groups[-1], self.groups[-1].start_s - begins_s


def spoken_windows(groups: Sequence[Span]) -> list[SpokenWindow]:
    """Short groups together: Whisper takes as long for one of 3 s as for one of 28."""
    windows: list[list[Span]] = []
    for group in groups:
        if not windows or sum(g.length_s for g in windows[-1]) + group.length_s > GROUP_S:
            windows.append([])
        windows[-1].append(group)
    return [SpokenWindow(tuple(window)) for window in windows]


def _best_break(group: list[Span], following: Span) -> int:
    """How many stretches of a full group to leave in it; the others go on with `following`."""
    half_s = group[0].start_s + GROUP_S / 2
    after = [*group[1:], following]
    pauses = [
        (later.start_s - one.end_s, at + 1)
        for at, (one, later) in enumerate(zip(group, after))
        if one.end_s >= half_s
    ]
    return max(pauses)[1] if pauses else len(group)


def quiet_cut(samples: np.ndarray, near_s: float) -> float:
    """Seconds from the first sample to the pause nearest to `near_s`; without a pause, to the frame
    that sounds least like speech.

    samples (N,) float32 at 16 kHz, a few seconds.
    """
    if len(samples) < 2 * FRAME:
        return near_s
    speech = _smooth(speech_probabilities(samples))
    runs = _quiet_runs(speech < _QUIET)
    good = [run for run in runs if run.length_s >= _GOOD_PAUSE_S] or sorted(
        runs, key=lambda run: -run.length_s
    )[:1]
    if not good:
        return (float(np.argmin(speech)) + 0.5) * FRAME / RATE_HZ
    cuts = [
        min(
            max(near_s, run.start_s + min(0.25, run.length_s / 2)),
            run.end_s - min(0.25, run.length_s / 2),
        )
        for run in good
    ]
    return min(cuts, key=lambda cut: abs(cut - near_s))


def speech_probabilities(samples: np.ndarray) -> np.ndarray:
    """(F,) float32, one for each 32 ms."""
    padded = np.pad(samples, (0, -len(samples) % FRAME))
    return np.asarray(_detector()(padded), np.float32).reshape(-1)


@load_once
def _detector() -> Any:
    from faster_whisper.vad import get_vad_model

    return get_vad_model()


def _smooth(probabilities: np.ndarray) -> np.ndarray:
    """Rounded mean of three frames: the last bits differ between two reads of the same sound, and
    the cut must not.
    """
    padded = np.pad(probabilities, 1, mode="edge")
    return np.round(np.convolve(padded, np.full(3, 1 / 3), mode="valid"), 3)


def _quiet_runs(quiet: np.ndarray) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    return [
        Span(float(first) * FRAME / RATE_HZ, float(last) * FRAME / RATE_HZ)
        for first, last in edges.reshape(-1, 2)
    ]
