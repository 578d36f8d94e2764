"""One table of what a GPU does, beside the CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(slots=True)
class Table:
    """Rows are printed as they come. Nothing is begun after `deadline` (of time.monotonic)."""

    device: torch.device
    deadline: float
    not_run: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Prints the head."""
        print(f"\n## {device_name(self.device)}\n\n| what | measured | on the CPU |\n|---|---|---|")

    def row(self, what: str, measured: str, on_cpu: str = "") -> None:
        """Prints a row."""
        print(f"| {what} | {measured} | {on_cpu} |", flush=True)

    def part(self, what: str, work: Callable[[], None]) -> None:
        """Does a part of the whole. What does not fit into memory, or is not installed, is a row;
        after the deadline it is left out.
        """
        if time.monotonic() > self.deadline:
            self.not_run.append(what)
            return
        try:
            work()
        except (torch.OutOfMemoryError, ImportError) as error:
            self.row(what, f"not measured: {str(error).splitlines()[0][:80]}")
        finally:
            if self.device.type == "cuda":
                torch.cuda.empty_cache()


def device_name(device: torch.device) -> str:
    """As people know it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def time_s(device: torch.device, work: Callable[[], Any], seconds: float) -> float:
    """Of one call, after one to warm up: the mean of those that fit into `seconds`, or one."""
    work()
    wait(device)
    count, started = 0, time.perf_counter()
    while not count or time.perf_counter() - started < seconds:
        work()
        count += 1
        wait(device)
    return (time.perf_counter() - started) / count


def peak_gb(device: torch.device) -> str:
    """Memory of a GPU since the last call; empty on a CPU."""
    if device.type != "cuda":
        return ""
    peak = torch.cuda.max_memory_allocated(device) / 1e9
    torch.cuda.reset_peak_memory_stats(device)
    return f", {peak:.1f} GB"


def busy_share(device: torch.device, work: Callable[[], Any]) -> float | None:
    """The share of the time of `work` in which the GPU computed or copied; None on a CPU."""
    if device.type != "cuda":
        return None
    work()
    wait(device)
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profiler:
        started = time.perf_counter()
        work()
        wait(device)
        wall_s = time.perf_counter() - started
    busy_us = sum(event.self_device_time_total for event in profiler.key_averages())
    return min(1.0, busy_us / 1e6 / wall_s)
