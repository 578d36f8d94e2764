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

from indexer.settings import load_settings
from tests.indexer.media.containers import check, check_outputs, draw_recipe, make

OUTPUTS_EVERY = 10  # one in so many is cut and copied too


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1000)
    arguments = parser.parse_args()
    started = time.monotonic()
    tried: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        sources = Path(name)
        settings = load_settings(home=sources / "home")
        for number in range(arguments.count):
            rng = np.random.default_rng((arguments.seed, number))
            recipe = draw_recipe(rng)
            tried[recipe.container] += 1
            with tempfile.TemporaryDirectory(dir=name) as folder:
                try:
                    path = make(recipe, Path(folder), sources)
                    check(recipe, path, rng)
                    if number % OUTPUTS_EVERY == 0:
                        check_outputs(path, rng, settings)
                except Exception as error:  # noqa: BLE001 - the next one is tried
                    failed[recipe.container] += 1
                    line = (str(error).splitlines() or [type(error).__name__])[0]
                    print(f"seed {arguments.seed}, number {number}: {recipe}: {line}")
    for container, count in sorted(tried.items()):
        print(f"{container}: {failed[container]} of {count} differ")
    print(f"{sum(tried.values())} containers in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
