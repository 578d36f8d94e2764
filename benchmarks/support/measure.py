"""Measuring a process and its children: wall time, CPU time, peak memory."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """What a piece of work returned and cost."""

    result: Any
    wall_s: float
    cpu_s: float
    peak_bytes: int


def measure(work: Callable[[], Any]) -> Measured:
    """Peak memory is the largest sum of the proportional set sizes (PSS: shared pages counted once)
    of this process and its children.
    """
    stop = threading.Event()
    peak = [0]

    def watch() -> None:
        while not stop.wait(0.1):
            peak[0] = max(peak[0], tree_bytes(os.getpid()))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    cpu = _cpu_s()
    started = time.perf_counter()
    result = work()
    wall = time.perf_counter() - started
    stop.set()
    thread.join()
    return Measured(result, wall, _cpu_s() - cpu, peak[0])


def _cpu_s() -> float:
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def tree_bytes(pid: int) -> int:
    """Proportional set sizes of a process and its children."""
    total = 0
    for process in [pid, *_children(pid)]:
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue  # it ended meanwhile
        total += sum(
            int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")
        )
    return total


def memory_gb(field: str) -> float:
    """Of this process. RssAnon: memory of its own, without the files that are mapped; VmHWM: the
    most ever resident, mapped pages included.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e9 for line in lines if line.startswith(f"{field}:"))


def seconds(do: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def tree_cpu_s(pid: int) -> float:
    """Seconds of CPU of a process and its children that live."""
    ticks = 0
    for process in [pid, *_children(pid)]:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in listing.read_text().split():
                found += [int(child), *_children(int(child))]
        except OSError:
            continue
    return found


def row(name: str, value: str, target: str = "") -> None:
    """A row of a Markdown table on stdout."""
    print(f"| {name} | {value} | {target} |", flush=True)


def header(title: str) -> None:
    """The beginning of such a table."""
    print(f"\n## {title}\n\n| what | measured | to reach |\n|---|---|---|", flush=True)
