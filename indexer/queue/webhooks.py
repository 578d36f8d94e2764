"""Sends signed messages to addresses that people gave, and to none that is not meant for them.

Messages are signed as Standard Webhooks 1.0 says (https://www.standardwebhooks.com), so that
libraries for receivers exist. The name is resolved here and the connection goes to the address that
was checked: a name that answers differently a moment later leads nowhere else.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import ipaddress
import secrets
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2

from indexer.errors import QueueError, UsageError
from indexer.messages import Message, as_message

SECRET_PREFIX = "whsec_"
TIMEOUT_S = 10.0
LONGEST_URL = 2000
# IPv6 addresses that hold an IPv4 address in their last bits; and what no network serves to all.
_HOLDS_IPV4 = [
    ipaddress.IPv6Network(one)
    for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
]
_NEVER_PUBLIC = ipaddress.IPv4Network("192.0.0.0/24")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def new_secret() -> str:
    """A secret as Standard Webhooks writes it: 256 random bits."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, at_s: int, body: bytes) -> str:
    """The value of the header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def check_url(url: str, *, allow_private: bool) -> str:
    """The address at which the host of a webhook is reached. Raises UsageError for what is no
    address of the web, is not found, or (unless `allow_private`) is not public.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_URL
    if parts.scheme not in ("http", "https") or not host or parts.username or not is_plain:
        raise UsageError(
            "{url!r} is not an address for a webhook",
            "give one that begins with https:// and has no user name",
            url=url[:100],
        )
    found = _resolve(host, port or (443 if parts.scheme == "https" else 80))
    if not allow_private and not all(_is_public(address) for address in found):
        raise UsageError(
            "the host {host} of the webhook is not public",
            "whoever runs this server may allow it: SEEKPOINT_WEBHOOK_PRIVATE_ADDRESSES=1",
            host=host,
        )
    return str(found[0])


def send(url: str, secret: str, message_id: str, body: bytes, *, allow_private: bool) -> None:
    """Posts the body once; redirects are not followed. Raises QueueError where it is not taken,
    UsageError as `check_url`.
    """
    address = check_url(url, allow_private=allow_private)
    parts = urlsplit(url)
    at_s = int(time.time())
    target = httpx2.URL(url).copy_with(host=address)
    headers = {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "User-Agent": "Seekpoint",
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": sign(secret, message_id, at_s, body),
    }
    deadline = _Deadline()
    asked = {"sni_hostname": parts.hostname, "trace": deadline.note}
    try:
        with (
            deadline,
            httpx2.Client(timeout=TIMEOUT_S, trust_env=False) as client,
            client.stream(
                "POST", target, content=body, headers=headers, extensions=asked
            ) as response,  # what it says is not read
        ):
            status = response.status_code
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        reason = as_message(str(error).rstrip(".") or type(error).__name__)
    else:
        if 200 <= status < 300:
            return
        reason = Message("it answered with status {status}", {"status": status})
    raise QueueError(
        "the webhook at {host} did not take the message: {reason}",
        "look at the program that receives it",
        host=parts.hostname,
        reason=reason,
    )


class _Deadline:
    """Ends the connection after TIMEOUT_S in all: a receiver that sends a byte now and then never
    runs into a time-out of the client, and would keep the messages of everybody else waiting.
    """

    def __init__(self) -> None:
        self._timer = threading.Timer(TIMEOUT_S, self._end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_over = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._socket = None

    def note(self, event: str, values: dict[str, Any]) -> None:
        """Follows the client's own report of what it does."""
        if event == "connection.connect_tcp.complete":
            with self._lock:
                self._socket = values["return_value"].get_extra_info("socket")
                if self._is_over:
                    self._shut_down()

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not that of TLS, which would wait for the other side.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UsageError(
            "the host {host} of the webhook is not found", "look at how it is spelled", host=host
        ) from None
    return [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]


def _is_public(address: Address) -> bool:
    """Of addresses that hold another one, that one counts."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if any(address in network for network in _HOLDS_IPV4):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return _is_public(inner)
        if address.is_site_local or address.teredo is not None:
            return False
    if address in _NEVER_PUBLIC:
        return False
    return address.is_global and not address.is_multicast
