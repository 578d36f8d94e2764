"""Names of processes that hold work, so that a later process on the same machine knows which of
them are dead.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path


def owner_name(pid: int | None = None) -> str:
    """`host/pid/start` of this process, or of another one of this machine: the start time tells a
    process from a later one with the same number.
    """
    number = os.getpid() if pid is None else pid
    return f"{socket.gethostname()}/{number}/{_start_ticks(number)}"


def dead_owners(owners: Iterable[str]) -> list[str]:
    """Those owners that ran on this machine and do not run any more; owners elsewhere are judged by
    their lease alone.
    """
    dead = []
    for owner in owners:
        host, _, rest = owner.rpartition("/")[0].rpartition("/")
        start = owner.rpartition("/")[2]
        if host == socket.gethostname() and rest.isdigit() and _start_ticks(int(rest)) != start:
            dead.append(owner)
    return dead


def _start_ticks(pid: int) -> str:
    """Start of a process in clock ticks since boot (proc(5), field 22); "0" where there is no such
    process or no /proc.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _alive_without_proc(pid)
    return text.rpartition(")")[2].split()[19]


def _alive_without_proc(pid: int) -> str:
    if Path("/proc/self").exists():
        return "gone"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        return "0"
    return "0"
