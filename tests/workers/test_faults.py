"""A short storm (the long one is benchmarks/faults.py): one fault of every kind, and the rows of a
run without any.
"""

from __future__ import annotations

from tests.workers.conftest import needs_redis
from tests.workers.faults import (
    Storm,
    check,
    expected,
    make_videos,
    mount_small_disk,
    storm_fleet,
    unmount,
)

SEED = 5


def test_no_fault_loses_or_doubles_a_row(tmp_path, record_property):
    needs_redis()
    with storm_fleet() as fleet:
        record_property(
            "small disk", mount_small_disk(fleet.home)
        )  # without it the disk is not filled
        try:
            files = make_videos(fleet.folder / "media", 6, SEED)
            wanted = expected(tmp_path / "whole", files, "films")
            storm = Storm(fleet)
            storm.start()
            storm.run(storm.schedule(SEED, len(storm.kinds), 1.5), files, "films")
            storm.settle(600)
            assert check(storm, wanted) == [], fleet.logs()
            assert len(wanted) >= 2 * len(files)
            assert set(storm.happened) == set(storm.kinds)
        finally:
            unmount(fleet.home)
