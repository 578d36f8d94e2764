"""Runs the benchmarks one after the other, and puts what they measured beside the last run:
`python -m benchmarks [NAME ...] [--quick]`.

Figures are the rows of the Markdown tables that a benchmark prints. With `--quick` each runs at a
small size, and all together in `--minutes`: what is not over by then is stopped, and said to be.
Every run is a line of the history.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
NOT_RUN = {"__init__", "__main__"}
HISTORY = HERE / "history.jsonl"
KEPT_RUNS = 100
QUICK_MINUTES = 20.0
# What a quick run says to each; those without an entry run as they are.
QUICK: Mapping[str, Sequence[str]] = {
    "api.any_request": ["--examples", "5"],
    "api.overhead": ["--questions", "20", "--clients", "5", "--each", "4"],
    "containers": ["--count", "60", "--minutes", "1"],
    "faults": ["--faults", "4", "--videos", "4", "--pause", "1"],
    "gpu": ["--quick"],
    "large": ["--rows", "50000", "--questions", "20"],
    "guests": ["--searchers", "5", "--seconds", "5", "--processes", "1"],
    "ingest": ["--quick", "--rounds", "1", "--only", "parts", "repeat"],
    "lego.generation": ["--tokens", "8", "--questions", "2", "--repeats", "1"],
    "page": ["--segments", "20000", "--gigabytes", "0.1"],
    "pgvector": ["--rows", "5000", "--questions", "20"],
    "queue": ["--minutes", "1", "--rounds", "1"],
    "search_scale": ["--rows", "10000", "100000", "--questions", "50"],
    "words.ingest": ["--minutes", "1"],
    "words.passages": ["--quick"],
}
# What needs files that nobody has by default, or changes the tree.
ON_REQUEST = {"calibration", "chapters", "lego.full_size", "quality", "sounds"}


@dataclass(frozen=True, slots=True)
class Ran:
    """A benchmark that was run. `figures`: what was measured by its name; `state`: done, failed, or
    stopped when its time was over.
    """

    name: str
    state: str
    seconds: float
    figures: dict[str, str] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is named, or all; 1 where one failed, 2 where there is not such a benchmark."""
    options = parse_options(arguments)
    there = list_benchmarks()
    for name in options.names:
        if name not in there:
            print(f"there is no benchmark {name!r}; there are: {', '.join(there)}", file=sys.stderr)
            return 2
    wanted = options.names or [name for name in there if name not in ON_REQUEST]
    before = last_run(options.history, options.quick)
    deadline = time.monotonic() + 60 * options.minutes if options.quick else None
    ran: list[Ran] = []
    for number, name in enumerate(wanted):
        print(f"\n# {name}", flush=True)
        limit_s = None
        if deadline is not None:  # what the faster ones leave goes to those after them
            limit_s = max(0.0, deadline - time.monotonic()) * 2 / (len(wanted) - number + 1)
        ran.append(run(name, QUICK.get(name, ()) if options.quick else (), limit_s))
    print("\n".join(["", *table(ran, before)]))
    note(options.history, options.quick, ran)
    return 1 if any(one.state == "failed" for one in ran) else 0


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all that need no files")
    parser.add_argument("--quick", action="store_true", help="small sizes, in --minutes")
    parser.add_argument("--minutes", type=float, default=QUICK_MINUTES)
    parser.add_argument("--history", type=Path, default=HISTORY, help="a line for each run")
    return parser.parse_args(arguments)


def list_benchmarks() -> list[str]:
    """Names below `benchmarks`: `ingest`, `words.passages`; `support` has none."""
    folders = (HERE, HERE / "api", HERE / "lego", HERE / "words")
    files = [file for folder in folders for file in folder.glob("*.py")]
    paths = [file.relative_to(HERE).with_suffix("") for file in files if file.stem not in NOT_RUN]
    paths += [file.parent.relative_to(HERE) for file in HERE.glob("*/__main__.py")]
    return sorted(".".join(path.parts) for path in paths)


def run(name: str, arguments: Sequence[str], limit_s: float | None) -> Ran:
    """Runs a benchmark, shows what it prints, and keeps its figures. Children that it started end
    with it when its time is over.
    """
    started = time.monotonic()
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        errors="replace",
        env=os.environ | {"PYTHONUNBUFFERED": "1"},  # what is stopped keeps what it had measured
    ) as process:
        assert process.stdout is not None
        over = threading.Event()
        stop = threading.Timer(limit_s or 0, _stop, (process, over))
        if limit_s is not None:
            stop.start()
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
        status = process.wait()
        stop.cancel()
    state = "stopped" if over.is_set() else "failed" if status else "done"
    return Ran(name, state, time.monotonic() - started, find_figures(lines))


def _stop(process: subprocess.Popen[str], over: threading.Event) -> None:
    over.set()
    if process.poll() is None:
        os.killpg(process.pid, 15)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)


def find_figures(lines: Iterable[str]) -> dict[str, str]:
    """The rows of Markdown tables: first cell (below its heading) -> second.

    >>> find_figures(["## Search", "| what | measured |", "|---|---|", "| median | 5 ms |"])
    {'Search: median': '5 ms'}
    """
    heading, found, is_body = "", {}, False
    for line in map(str.strip, lines):
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            is_body = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if set(cells[0]) <= {"-", ":"} and cells[0]:
            is_body = True
        elif is_body and len(cells) > 1:
            found[f"{heading}: {cells[0]}" if heading else cells[0]] = cells[1]
    return found


def last_run(history: Path, quick: bool) -> dict[str, dict[str, str]]:
    """Benchmark -> its figures of the last time that it ran at this size; newer ones win."""
    found: dict[str, dict[str, str]] = {}
    for line in history.read_text("utf-8").splitlines() if history.exists() else ():
        entry = json.loads(line)
        if entry["quick"] == quick:
            found |= entry["figures"]
    return found


def table(ran: Iterable[Ran], before: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Today's figures beside those of the last run, as a Markdown table."""
    lines = ["| benchmark | what | today | last run |", "|---|---|---|---|"]
    for one in ran:
        earlier = before.get(one.name, {})
        lines.append(f"| {one.name} | ({one.state}) | {one.seconds:.0f} s | |")
        lines += [
            f"| | {what} | {value} | {earlier.get(what, '')} |"
            for what, value in one.figures.items()
        ]
    return lines


def note(history: Path, quick: bool, ran: Iterable[Ran]) -> None:
    """Adds a run; only the latest KEPT_RUNS stay."""
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "quick": quick,
        "seconds": {one.name: round(one.seconds, 1) for one in ran},
        "figures": {one.name: one.figures for one in ran if one.figures},
    }
    lines = history.read_text("utf-8").splitlines() if history.exists() else []
    kept = [*lines[-KEPT_RUNS + 1 :], json.dumps(entry, ensure_ascii=False)]
    history.write_text("\n".join(kept) + "\n", "utf-8")


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    asked = [git, "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
