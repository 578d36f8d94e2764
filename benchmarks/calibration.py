"""Fits the probabilities of answers: `python -m benchmarks.calibration [--home FOLDER] [--write]`.

The rows are the questions about the real videos of SEEKPOINT_TEST_DATA, each with its video and
without, and questions about what no video shows (absent_questions.json), asked in libraries of 3 to
1,968 files: whole collections, parts of them, videos joined to long mixed files, and photographs
that stand for videos. For passages there are generated talks too. Every fit is checked by leaving
whole videos out, a tenth of them at a time; both sets weigh the same. Nothing depends on chance, so
the same videos give the same constants.

`--write` puts the constants where search reads them, indexer/search/calibration.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.support.array_libraries import (
    ArrayLibrary,
    drawn,
    of_mixed_files,
    of_videos,
    read_collection,
    with_photographs,
)
from benchmarks.support.likeness_observations import LikenessObservation, observe_likeness
from benchmarks.support.logistic import fit_logistic, left_out
from benchmarks.support.observations import Observation, ask_absent, ask_rows, observe
from benchmarks.support.passage_observations import PassageObservation, observe_passages
from benchmarks.support.real_videos import (
    TRUTHS,
    absent_questions,
    data_folder,
    ingest_renamed,
    read_rows,
)
from benchmarks.words.text_search import make_talks
from grounding.metrics.reliability import calibration_error, calibration_error_by_chance
from grounding.metrics.retrieval import auroc, false_alarms
from indexer.library import Library
from indexer.search.calibration import CONSTANTS_FILE, MATCH_PROBABILITY
from indexer.search.neutral_baseline import neutral_vectors
from indexer.settings import Settings

SETS = ("natural", "more")
PART_SIZES = {"natural": 15, "more": 20}
MIXED = {"natural": 7, "more": 17}  # videos in each of three and four files
PHOTOGRAPHS = 1900
# How often a question has an answer, has one in another library, or is about something else.
GROUP_WEIGHTS = {"with": 0.5, "masked": 0.3, "absent": 0.2}
QUESTION = ("similarity", "best_photograph", "nearest_class", "margin", "size")
Truth = dict[str, list[dict[str, Any]]]


def main() -> None:
    options = parse_options()
    data = data_folder()
    if data is None:
        return
    with tempfile.TemporaryDirectory() as temporary:
        library = Library(Settings(home=options.home or Path(temporary) / "home"))
        constants = fit_all(library, data)
    text = json.dumps(constants, indent=1) + "\n"
    print(text)
    if options.write:
        CONSTANTS_FILE.write_text(text, encoding="utf-8")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--home", type=Path, help="a home to keep: what it holds is not read again")
    parser.add_argument("--write", action="store_true", help="keep the constants")
    return parser.parse_args()


def fit_all(library: Library, data: Path) -> dict[str, dict[str, float]]:
    """The constants; what they hold goes to standard output."""
    names: dict[str, str] = {}
    for name in SETS:
        names |= ingest_renamed(library, data / name, name)
    truth = {name: read_rows(data / TRUTHS[name], names) for name in SETS}
    pictures = Fit(picture_observations(library, truth), picture_weights)
    alone = Fit(picture_observations(library, truth, alone=True), picture_weights)
    passages = Fit(passage_observations(library, truth), passage_weights)
    alike = Fit(likeness_observations(library), likeness_weights)
    report(pictures.left_out(QUESTION), pictures.found, by_library)
    report(alone.left_out(("margin", "size")), alone.found, by_library)
    report(passages.left_out(("strength",)), passages.found, by_source)
    report(alike.left_out(("similarity", "best_photograph")), alike.found, by_source)
    return {
        "question": pictures.solve(QUESTION),
        "question_alone": alone.solve(("margin", "size")),
        "likeness": alike.solve(("similarity", "best_photograph")),
        "likeness_alone": alike.solve(("similarity",)),
        "passage": passages.solve(("strength",)),
    }


@dataclass(frozen=True, slots=True)
class Fit:
    """Observations with what each weighs."""

    found: Sequence[Any]
    weigh: Callable[[Sequence[Any]], np.ndarray]

    def solve(self, features: Sequence[str]) -> dict[str, float]:
        """Coefficients by name, of all observations."""
        solution = fit_logistic(self._of(features), right_of(self.found), self.weigh(self.found))
        names = (*features, "constant")
        return {name: round(float(v), 3) for name, v in zip(names, solution, strict=True)}

    def left_out(self, features: Sequence[str]) -> np.ndarray:
        """Probabilities (N,), each of a fit without the observation's video."""
        return left_out(
            self._of(features),
            right_of(self.found),
            self.weigh(self.found),
            [one.cluster for one in self.found],
        )

    def _of(self, features: Sequence[str]) -> np.ndarray:
        return np.array([[getattr(one, name) for name in features] for one in self.found])


def right_of(found: Sequence[Any]) -> np.ndarray:
    """(N,) 1 where right."""
    return np.array([one.right for one in found], dtype=np.float64)


def shares(keys: Sequence[Hashable]) -> np.ndarray:
    """(N,): 1 / the number of rows with the same key."""
    count = Counter(keys)
    return np.array([1 / count[key] for key in keys])


# ---- what is observed ----------------------------------------------------------------------------


def picture_observations(
    library: Library, truth: Truth, *, alone: bool = False
) -> list[Observation]:
    """Of every library that is made of the videos. `alone`: as an embedder without photographs and
    names of classes would be asked.
    """
    embedder = library.embedder
    neutral = neutral_vectors(library.settings.cache, embedder.key, embedder.embed_texts)
    found: list[Observation] = []
    for name in SETS:
        asked = [
            *ask_rows(embedder, neutral, truth[name], name),
            *ask_absent(embedder, neutral, absent_questions("fit"), name),
        ]
        for made, photographs in libraries_of(library, name):
            references = (None, None) if alone else (photographs, embedder.class_names)
            found += observe(made, asked, *references, neutral)
            print(f"asked: {made.name}", file=sys.stderr, flush=True)
    return found


def libraries_of(library: Library, name: str) -> Iterator[tuple[ArrayLibrary, np.ndarray]]:
    """Libraries with the videos of a set, each with the photographs that its questions are compared
    with: those that do not stand for videos in it.
    """
    random = np.random.default_rng(0)
    files = read_collection(library, name)
    photographs = library.embedder.photographs
    whole = of_videos(name, files)
    yield whole, photographs
    yield of_videos(f"{name}, a part", drawn(random, files, PART_SIZES[name])), photographs
    mixed = drawn(random, files, len(files))
    yield of_mixed_files(f"{name}, mixed files", mixed, MIXED[name]), photographs
    others = [video for other in SETS if other != name for video in read_collection(library, other)]
    yield of_videos(f"{name}, among both sets", [*files, *others]), photographs
    order = random.permutation(len(photographs))
    videos, compared = order[:PHOTOGRAPHS], order[PHOTOGRAPHS:]
    yield with_photographs(whole, photographs[videos]), photographs[compared]


def passage_observations(library: Library, truth: Truth) -> list[PassageObservation]:
    """Of generated talks among the real videos, of questions about what is seen in these, and of
    questions about what is nowhere.
    """
    folder = library.settings.home_path / "talks"
    folder.mkdir(parents=True, exist_ok=True)
    talks = make_talks(folder)
    library.ingest([folder], "talks")
    absent = [{"video": "", "query": text, "windows": []} for text in absent_questions("fit")]
    rows = {"talks": talks, "absent": absent, **{name: truth[name] for name in SETS}}
    return [
        one
        for source, asked in rows.items()
        for one in observe_passages(library, (*SETS, "talks"), asked, source)
    ]


def likeness_observations(library: Library) -> list[LikenessObservation]:
    """Of segments of both sets."""
    photographs = library.embedder.photographs
    return [
        one
        for name in SETS
        for one in observe_likeness(read_collection(library, name), photographs, name)
    ]


def picture_weights(found: Sequence[Observation]) -> np.ndarray:
    """(N,): the first moment of each answer, which says whether there is one. The sets weigh the
    same, in each its libraries, and in these the groups of questions as GROUP_WEIGHTS has it.
    """
    groups = np.array([GROUP_WEIGHTS[one.group] for one in found])
    keys = [(one.asked.source, one.library, one.group, one.place == 0) for one in found]
    return groups * shares(keys) * first_of(found)


def passage_weights(found: Sequence[PassageObservation]) -> np.ndarray:
    """(N,): of the first passages of each kind. Questions about what is said and written, and all
    others, weigh the same.
    """
    return shares([(one.source == "talks", one.place == 0) for one in found]) * first_of(found)


def likeness_weights(found: Sequence[LikenessObservation]) -> np.ndarray:
    """(N,): of the first moments. The sets weigh the same, and in each answers with something of
    the same video and without.
    """
    return shares([(one.source, one.group, one.place == 0) for one in found]) * first_of(found)


def first_of(found: Sequence[Any]) -> np.ndarray:
    """(N,) 1 where a moment is the first of its answer."""
    return np.array([one.place == 0 for one in found], dtype=np.float64)


# ---- the report ----------------------------------------------------------------------------------


def by_library(one: Observation) -> str:
    """The lines of the report on pictures."""
    return one.library


def by_source(one: Any) -> str:
    """The lines of the others."""
    return one.source


def report(promised: np.ndarray, found: Sequence[Any], line: Callable[[Any], str]) -> None:
    """What holds of videos that were left out."""
    print("| | first moment, by chance | best three | AUROC | false alarms | answered |")
    print("|---|---|---|---|---|---|")
    lines = np.array([line(one) for one in found])
    for name in dict.fromkeys(lines):
        rows = np.flatnonzero(lines == name)
        print(f"| {name} | " + " | ".join(cells(promised[rows], [found[n] for n in rows])) + " |")


def cells(promised: np.ndarray, found: Sequence[Any]) -> Iterator[str]:
    """Figures of one line."""
    right = right_of(found)
    first = np.array([one.place == 0 for one in found])
    yield (
        f"{calibration_error(promised[first], right[first]):.3f},"
        f" {calibration_error_by_chance(promised[first]):.3f}"
    )
    yield f"{calibration_error(promised, right):.3f}"
    groups = np.array([one.group for one in found])
    of = {group: promised[first & (groups == group)] for group in GROUP_WEIGHTS}
    yield f"{auroc(of['with'], of['masked']):.3f}"
    yield f"{false_alarms(of['with'], of['masked']):.2f}"
    yield ", ".join(
        f"{(values >= MATCH_PROBABILITY).sum()} of {len(values)} {group}"
        for group, values in of.items()
    )


if __name__ == "__main__":
    main()
