"""How well chapters begin where the content changes: `python -m benchmarks.chapters [--home
FOLDER]`.

The real videos of natural/ and more/ are each indexed once, and their frames and sounds are put one
after another in random order: films whose true boundaries are where one video ends. Each set is
judged by itself. The two compilations of the test data are measured as the files that they are.

Baselines get the same number of parts: equal lengths, and the cuts between the shots that differ
most. F1 of boundaries, which may be `TOLERANCE_S` away; one answers one.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.support.real_videos import data_folder
from indexer.catalog import videos
from indexer.catalog.frames import FrameBlock, get_video_frames
from indexer.chapters.chapters import features_of
from indexer.chapters.segmentation import make_atoms, part_starts
from indexer.library import Library
from indexer.settings import Settings
from indexer.vocabulary import StageName

SETS = ("natural", "more")
FILMS, SEED = 100, 7
VIDEOS = 6, 12  # in a film
LENGTHS_S = 6.0, 40.0  # of each that is used
TOLERANCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Source:
    """What is stored of a video."""

    duration_s: float
    pictures: FrameBlock
    sounds: FrameBlock | None


@dataclass(frozen=True, slots=True)
class Film:
    """Frames of a film; `true_s`: where its content changes."""

    times_s: np.ndarray
    features: np.ndarray
    cuts_s: np.ndarray
    duration_s: float
    true_s: np.ndarray


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="keeps the index between runs")
    args = parser.parse_args()
    data = data_folder()
    if data is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        home = args.home or Path(folder)
        library = Library(Settings(home=home, speech=False, screen_text=False))
        measure(library, data)


def measure(library: Library, data: Path) -> None:
    """Indexes what is not there yet, and prints a line for each set and method."""
    for name in (*SETS, "compilations"):
        library.ingest([data / name], name)
    sources = {name: read_sources(library, name) for name in SETS}
    films = {name: compose(sources[name], np.random.default_rng(SEED)) for name in SETS}
    films["compilations"] = compilations(library, data)
    print(f"{'set':14} {'method':24} {'F1':>6} {'precision':>9} {'recall':>6} {'parts':>6}")
    for name, some in films.items():
        for method, find in METHODS.items():
            scores = np.array([scored(film, find(film)) for film in some])
            f1, precision, recall, parts = scores.mean(axis=0)
            print(f"{name:14} {method:24} {f1:6.3f} {precision:9.3f} {recall:6.3f} {parts:6.1f}")


def scored(film: Film, found_s: Sequence[float]) -> tuple[float, float, float, float]:
    """F1, precision, recall, number of parts. `found_s`: boundaries, without the start."""
    free, hits = list(found_s), 0
    for true_s in film.true_s:
        nearest = min(free, key=lambda one: abs(one - true_s), default=None)
        if nearest is not None and abs(nearest - true_s) <= TOLERANCE_S:
            free.remove(nearest)
            hits += 1
    precision, recall = hits / max(1, len(found_s)), hits / max(1, len(film.true_s))
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return f1, precision, recall, len(found_s) + 1.0


# --- methods ---


def ours(film: Film) -> list[float]:
    """As the product does."""
    return part_starts(film.times_s, film.features, film.cuts_s, film.duration_s)[1:]


def known_number(film: Film) -> list[float]:
    """With the number of parts given."""
    count = len(film.true_s) + 1
    return part_starts(film.times_s, film.features, film.cuts_s, film.duration_s, count)[1:]


def equal_lengths(film: Film) -> list[float]:
    """As many parts as ours, all of the same length."""
    return np.linspace(0, film.duration_s, len(ours(film)) + 2)[1:-1].tolist()


def strongest_cuts(film: Film) -> list[float]:
    """As many as ours, between the neighbouring shots that differ most."""
    atoms = make_atoms(film.times_s, film.features, film.cuts_s, film.duration_s)
    apart = ((atoms.means[1:] - atoms.means[:-1]) ** 2).sum(axis=1)
    return sorted(atoms.starts_s[1:][np.argsort(-apart)[: len(ours(film))]].tolist())


def every_cut(film: Film) -> list[float]:
    """Each shot a part."""
    return [cut_s for cut_s in film.cuts_s.tolist() if cut_s > 0]


METHODS: dict[str, Callable[[Film], list[float]]] = {
    "chapters": ours,
    "chapters, number known": known_number,
    "strongest cuts": strongest_cuts,
    "every cut": every_cut,
    "equal lengths": equal_lengths,
}


# --- films ---


def read_sources(library: Library, collection: str) -> list[Source]:
    """The videos of a collection that have pictures."""
    found = [read_source(library, video.video_id) for video in library.videos([collection])]
    return [source for source in found if len(source.pictures.times_s)]


def read_source(library: Library, video_id: int) -> Source:
    """What is stored of one video."""
    with library.catalog.read() as session:
        video = videos.get_video(session, video_id)
        pictures, sounds = (
            get_video_frames(session, video_id, key) if (key := video.keys.get(stage)) else None
            for stage in (StageName.PICTURE, StageName.SOUND)
        )
    assert pictures is not None
    return Source(video.duration_s, pictures, sounds)


def compose(sources: Sequence[Source], rng: np.random.Generator) -> list[Film]:
    """Films of some of the videos, in random order, a random stretch of each."""
    return [_film(sources, rng) for _ in range(FILMS)]


def _film(sources: Sequence[Source], rng: np.random.Generator) -> Film:
    chosen = rng.choice(len(sources), rng.integers(VIDEOS[0], VIDEOS[1] + 1), replace=False)
    times, features, cuts, true, at_s = [], [], [], [], 0.0
    for source in (sources[number] for number in chosen):
        length_s = min(source.duration_s, rng.uniform(*LENGTHS_S))
        start_s = rng.uniform(0, source.duration_s - length_s)
        part = _features(source)
        inside = (part[0] >= start_s) & (part[0] < start_s + length_s)
        own_cuts = part[2][(part[2] > start_s) & (part[2] < start_s + length_s)]
        times.append(part[0][inside] - start_s + at_s)
        features.append(part[1][inside])
        cuts += [at_s, *(own_cuts - start_s + at_s)]
        true.append(at_s)
        at_s += length_s
    return Film(
        np.concatenate(times), np.vstack(features), np.array(cuts), at_s, np.array(true[1:])
    )


def _features(source: Source) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """With columns for sound in any case, so that videos with and without stand side by side."""
    times_s, features, cuts_s = features_of(source.pictures, source.sounds, [], source.duration_s)
    whole = np.zeros((len(times_s), source.pictures.vectors.shape[1] + 521), np.float32)
    whole[:, : features.shape[1]] = features
    return times_s, whole, cuts_s


def compilations(library: Library, data: Path) -> list[Film]:
    """The files of the test data, whose sources are known to the frame."""
    parts = json.loads((data / "compilations" / "segments.json").read_text())
    films = []
    for video in library.videos(["compilations"]):
        source = read_source(library, video.video_id)
        edges = {edge for part in parts[Path(video.paths[0].path).name] for edge in _edges(part)}
        inside = sorted(edge for edge in edges if 0.5 < edge < source.duration_s - 0.5)
        films.append(Film(*_features(source), source.duration_s, np.array(inside)))
    return films


def _edges(part: dict[str, float]) -> tuple[float, float]:
    return part["start"], part["end"]


if __name__ == "__main__":
    main()
