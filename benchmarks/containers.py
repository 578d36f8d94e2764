"""Thousands of generated containers, compared with ffmpeg's own decoding: `python -m
benchmarks.containers --count 3000`. What fails is printed as the recipe that makes it again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from indexer.settings import load_settings
from tests.indexer.media.containers import (
    CONTAINERS,
    Recipe,
    check,
    check_clip,
    check_copy,
    make,
    recipes,
)

CLIP_EVERY, COPY_EVERY = 2, 10  # one in so many is cut, copied


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after so long")
    arguments = parser.parse_args()
    started = time.monotonic()
    tried: Counter[str] = Counter()
    failed: Counter[str] = Counter()

    with tempfile.TemporaryDirectory() as name:

        @seed(arguments.seed)
        @settings(max_examples=arguments.count, phases=[Phase.generate], deadline=None)
        @given(st.sampled_from(sorted(CONTAINERS)).flatmap(recipes), st.integers(0, 2**32 - 1))
        def generated(recipe: Recipe, number: int) -> None:
            if time.monotonic() - started > 60 * arguments.minutes:
                return
            tried[recipe.container] += 1
            if problem := _problem(recipe, number, Path(name)):
                failed[recipe.container] += 1
                print(f"{recipe}, random numbers {number}: {problem}", flush=True)

        generated()
    for container, count in sorted(tried.items()):
        print(f"{container}: {failed[container]} of {count} differ")
    print(f"{sum(tried.values())} containers in {time.monotonic() - started:.0f} s")


def _problem(recipe: Recipe, number: int, sources: Path) -> str:
    """What is wrong with it; empty for nothing."""
    rng = np.random.default_rng(number)
    with tempfile.TemporaryDirectory(dir=sources) as folder:
        try:
            path = make(recipe, Path(folder), sources)
            check(recipe, path, rng)
            outputs = load_settings(home=Path(folder) / "home")
            if number % CLIP_EVERY == 0:
                check_clip(recipe, path, rng, outputs)
            if number % COPY_EVERY == 1:
                check_copy(recipe, path, rng, outputs)
        except Exception as error:  # noqa: BLE001 - the next one is tried
            return (str(error).splitlines() or [type(error).__name__])[0]
    return ""


if __name__ == "__main__":
    main()
