"""Faults while workers work: at least a hundred, at moments that a seed decides, against real Redis
and PostgreSQL.

    python -m benchmarks.faults [--faults N] [--videos N] [--seed N] [--pause SECONDS]

At the end the rows (content hash, stage, key, span; vectors bit for bit) must be those of a run
without faults; exit status 1 if not. As root a small disk is mounted and filled; otherwise that
kind of fault is left out, and the output says so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.support.measure import header, row
from tests.workers.faults import (
    Storm,
    check,
    expected,
    make_videos,
    mount_small_disk,
    storm_fleet,
    unmount,
)


def main() -> int:
    """0 where the rows are those of a run without faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=120)
    parser.add_argument("--videos", type=int, default=36)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--pause", type=float, default=3.0, help="longest pause between two faults, seconds"
    )
    arguments = parser.parse_args()
    header(f"{arguments.faults} faults over {arguments.videos} videos, seed {arguments.seed}")
    with storm_fleet() as fleet, tempfile.TemporaryDirectory() as whole:
        disk = mount_small_disk(fleet.home)
        try:
            files = make_videos(fleet.folder / "media", arguments.videos, arguments.seed)
            wanted = expected(Path(whole), files, "films")
            storm = Storm(fleet)
            storm.start()
            started = time.monotonic()
            storm.run(
                storm.schedule(arguments.seed, arguments.faults, arguments.pause), files, "films"
            )
            stormy = time.monotonic() - started
            storm.settle(600)
            wrong = check(storm, wanted)
        finally:
            unmount(fleet.home)
        for kind, count in sorted(storm.happened.items()):
            row(kind, str(count))
        if not disk:
            row("the disk is full", "left out: only root may mount a small disk")
        row(
            "seconds with faults; until all was done",
            f"{stormy:.0f}; {time.monotonic() - started:.0f}",
        )
        row("works (stages of chunks) compared", str(len(wanted)))
        row("differences to the run without faults", str(len(wrong)), "0")
        if wrong:
            print("\n".join(wrong), fleet.logs(), sep="\n", file=sys.stderr)
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
