"""Who works at this machine, for the audit log."""

from __future__ import annotations

import getpass
import socket

from indexer.catalog.audit import Actor


def local_actor() -> Actor:
    """The user of the operating system, with the machine as the address."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number and no name
        name = "unknown"
    return Actor(f"{name} (shell)", None, socket.gethostname())
