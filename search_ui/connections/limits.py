"""How many connections one process takes, and how long it waits for whoever is at the other end."""

from __future__ import annotations

import ipaddress
import resource
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.errors import UsageError

REQUEST_S = 15.0
"""Seconds for the head of a request, from the connection or the first byte on."""
BODY_PAUSE_S = 30.0
"""Seconds without a byte of a body, after which it is given up."""
SLOWEST_BYTES_PER_S = 1_000
"""A body that comes slower on average, after `BODY_PAUSE_S`, is given up."""
UNREAD_S = 300.0
"""Seconds that an answer may stand unread: a paused player reads on when it is played again."""
KEEP_ALIVE_S = 10
SHUTDOWN_S = 10
BACKLOG = 100
LARGEST_HEAD_BYTES = 16 * 1024
LARGEST_FRAME_BYTES = 1_000_000
"""Of what a browser sends through its WebSocket: clicks and texts."""
SPARE_DESCRIPTORS = 200
"""For databases, snapshots, videos and pipes to child processes."""


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`connections` at once in all, `of_an_address` of them from one client; a proxy speaks for
    many people.
    """

    connections: int
    of_an_address: int
    proxies: tuple[Network, ...] = ()

    @classmethod
    def of(cls, most: int, proxies: Sequence[str]) -> ConnectionLimits:
        """As many as were asked for and as there are descriptors for; the soft limit of the
        process is raised first. Raises UsageError for a proxy that is no address.
        """
        most = max(1, min(most, _descriptors(most + SPARE_DESCRIPTORS) - SPARE_DESCRIPTORS))
        return cls(most, max(1, most // 4), networks(proxies))

    def is_proxy(self, address: str) -> bool:
        """Whether a trusted proxy has the address."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.proxies)


def networks(names: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks as the standard library knows them. Raises UsageError."""
    try:
        return tuple(ipaddress.ip_network(name, strict=False) for name in names)
    except ValueError as error:
        raise UsageError(
            "SEEKPOINT_UI_TRUSTED_PROXIES names what is no address: {error}",
            'give addresses or networks: ["10.0.0.2", "10.1.0.0/16"]',
            error=error,
        ) from None


def _descriptors(wanted: int) -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, raised), hard))
    return max(soft, raised)
