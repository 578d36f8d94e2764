"""Real files with bytes changed, cut, repeated and exchanged: nothing crashes, hangs, or raises
anything but MediaError.

Each mutant is probed, read, sampled and listened to in a reading process; one that dies or hangs
fails the test, so a crash of a decoder is found too. The mutants are the same in every run
(derandomize); MUTATIONS in the environment asks for more.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import MediaError, MediaTimeout
from indexer.media.decode.frames import Sampling
from indexer.media.decode.reader_process import MediaProcess, ReadingProcessDied
from indexer.media.open import MAX_PIXELS
from tests.indexer.media.golden import ffmpeg

EXAMPLES = int(os.environ.get("MUTATIONS", "360"))
KINDS = (
    "h264.mp4",
    "vp9.webm",
    "mpeg4.avi",
    "hevc.mkv",
    "mpeg2.ts",
    "av1.mp4",
    "h264.flv",
    "theora.ogv",
)
CODECS = {
    "h264": "libx264",
    "vp9": "libvpx-vp9",
    "mpeg4": "mpeg4",
    "hevc": "libx265",
    "mpeg2": "mpeg2video",
    "av1": "libaom-av1",
    "theora": "libtheora",
}
TIMEOUT_S = 20.0
SAMPLINGS = [Sampling(4.0, 48), Sampling(1.0, 64)]


@dataclass(frozen=True, slots=True)
class Edit:
    """At `place` of the file (0 to 1; early places, where headers are, are likelier) for `length`
    bytes do `what` with `seed`.
    """

    what: str
    place: float
    length: int
    seed: int

    def apply(self, data: bytes) -> bytes:
        rng = np.random.default_rng(self.seed)
        at = int(self.place**2 * len(data))
        end = min(len(data), at + self.length)
        match self.what:
            case "noise":
                return data[:at] + rng.bytes(end - at) + data[end:]
            case "bit":
                return (
                    data[:at] + bytes([data[at] ^ 1 << self.seed % 8]) + data[at + 1 :]
                    if at < len(data)
                    else data
                )
            case "extreme":
                return (
                    data[:at]
                    + rng.choice([b"\0", b"\x7f", b"\x80", b"\xff"]) * min(4, end - at)
                    + data[min(end, at + 4) :]
                )
            case "cut":
                return data[:at] + data[end:]
            case "repeat":
                return data[:end] + data[at:end] + data[end:]
            case "exchange":
                other = int(rng.integers(0, max(1, len(data) - self.length)))
                return data[:at] + data[other : other + end - at] + data[end:]
            case _:
                return data[: max(1, at)]


EDITS = st.builds(
    Edit,
    what=st.sampled_from(
        ("noise", "bit", "bit", "extreme", "extreme", "cut", "repeat", "exchange", "truncate")
    ),
    place=st.floats(0, 1),
    length=st.integers(1, 600),
    seed=st.integers(0, 2**20),
)


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> Path:
    """A folder with one file of each kind."""
    folder: Path = tmp_path_factory.mktemp("originals")
    for kind in KINDS:
        codec = CODECS[kind.split(".")[0]]
        quick = {"libaom-av1": ("-cpu-used", 8), "libx265": ("-preset", "ultrafast")}.get(codec, ())
        sources = (
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=96x64:r=12:d=2",
            "-f",
            "lavfi",
            "-i",
            "sine=d=2",
        )
        ffmpeg(
            *sources,
            "-c:v",
            codec,
            *quick,
            "-pix_fmt",
            "yuv420p",
            "-g",
            8,
            "-ac",
            1,
            "-b:a",
            "32k",
            folder / kind,
        )
    return folder


@pytest.fixture(scope="module")
def outcomes():
    """How often a call succeeded or was refused; both must have happened often, or the mutations
    were too mild or too wild.
    """
    counts: Counter[str] = Counter()
    yield counts
    assert min(counts["read"], counts["refused"]) > EXAMPLES // 10, counts


def attempt(outcomes: Counter[str], call: Callable[[], object]) -> bool:
    """Whether it succeeded. Any other outcome than that and a MediaError of the reader itself is a
    failure.
    """
    try:
        call()
    except (MediaTimeout, ReadingProcessDied):
        raise
    except MediaError as error:
        if "mutant" not in error.message:
            raise
        outcomes["refused"] += 1
        return False
    outcomes["read"] += 1
    return True


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 1000,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(kind=st.sampled_from(KINDS), edits=st.lists(EDITS, min_size=1, max_size=5))
def test_mutants_do_no_harm(originals, outcomes, tmp_path, kind, edits):
    data = (originals / kind).read_bytes()
    for edit in edits:
        data = edit.apply(data)
    path = tmp_path / f"mutant.{kind.split('.')[1]}"
    path.write_bytes(data)
    process = MediaProcess(path)
    try:
        attempt(outcomes, lambda: process.call("probe", str(path), MAX_PIXELS, timeout_s=TIMEOUT_S))
        if attempt(
            outcomes, lambda: process.call("open", str(path), 1, MAX_PIXELS, timeout_s=TIMEOUT_S)
        ):
            attempt(
                outcomes, lambda: process.call("read", 0.5, 5.0, SAMPLINGS, timeout_s=TIMEOUT_S)
            )
            attempt(
                outcomes,
                lambda: process.call("at", np.array([1.5, 0.2]), 48, False, timeout_s=TIMEOUT_S),
            )
        attempt(
            outcomes,
            lambda: process.call("audio", str(path), 0.5, 1.5, 16_000, 0, timeout_s=TIMEOUT_S),
        )
    finally:
        process.close()


def test_the_originals_are_sound(originals):
    for kind in KINDS:
        process = MediaProcess(originals / kind)
        process.call("open", str(originals / kind), 1, MAX_PIXELS, timeout_s=TIMEOUT_S)
        (reported, cuts_s, damage, _), _ = process.call(
            "read", 0.0, 5.0, SAMPLINGS, timeout_s=TIMEOUT_S
        )
        assert (reported[0][1:], damage, len(cuts_s)) == ((48, 72, 3), "", 0), kind
        assert reported[0][0] in (8, 9), kind  # AVI begins a picture late
        samples, _ = process.call(
            "audio", str(originals / kind), 0.5, 1.5, 16_000, 0, timeout_s=TIMEOUT_S
        )
        assert np.abs(samples).max() > 0.05, kind
        process.close()
