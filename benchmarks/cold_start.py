"""A search in a fresh process: CPU time, memory, and what is imported.

`python -m benchmarks.cold_start [HOME]` asks the library at HOME; without one it makes a library of
plain colours with the embedded default.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import header, row

SEEKPOINT = Path(sys.executable).parent / "seekpoint"
QUESTION = "when does the dog jump?"
RUNS = 5
SEARCH_CPU_S, SEARCH_MB, HELP_CPU_S = 1.2, 350, 0.4


@dataclass(frozen=True, slots=True)
class Cost:
    cpu_s: float
    peak_mb: float


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(sys.argv[1]) if len(sys.argv) > 1 else made_library(Path(folder))
        # Byte code is kept, as it is for users: compiling would be most of what is measured.
        environment = os.environ | {"SEEKPOINT_HOME": str(home), "PYTHONDONTWRITEBYTECODE": ""}
        search = lowest([SEEKPOINT, "search", QUESTION, "--json"], environment)
        overview = lowest([SEEKPOINT, "--help"], environment)
    header(f"A fresh process, the lowest of {RUNS} runs")
    row("search: CPU time", f"{search.cpu_s:.2f} s", f"{SEARCH_CPU_S} s")
    row("search: memory", f"{search.peak_mb:.0f} MB", f"{SEARCH_MB} MB")
    row("--help: CPU time", f"{overview.cpu_s:.2f} s", f"{HELP_CPU_S} s")


def made_library(folder: Path) -> Path:
    """A library of one small video, made with the embedded default."""
    from tests.support import colour_video

    colour_video(folder / "media" / "a.mp4", [("red", 5.0), ("blue", 5.0)])
    home = folder / "home"
    subprocess.run(
        [SEEKPOINT, "ingest", folder / "media"],
        env=os.environ | {"SEEKPOINT_HOME": str(home)},
        check=True,
        capture_output=True,
    )
    return home


def lowest(command: list, environment: dict[str, str]) -> Cost:
    """The first run is not counted: it may write what later ones read."""
    costs = [cost_of(command, environment) for _ in range(RUNS + 1)][1:]
    return Cost(min(cost.cpu_s for cost in costs), min(cost.peak_mb for cost in costs))


def cost_of(command: list, environment: dict[str, str]) -> Cost:
    """CPU time (user and system) and peak resident memory of a command."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed with status {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    if sys.platform != "linux":
        raise SystemExit("memory is measured in the units of Linux")
    main()
