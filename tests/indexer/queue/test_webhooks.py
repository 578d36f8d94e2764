"""Webhooks are signed as the standard says, and lead to no address that is not meant for them."""

import contextlib
import socket
import threading

import pytest

from indexer.errors import QueueError, UsageError
from indexer.queue import webhooks
from indexer.queue.webhooks import check_url, new_secret, send, sign


def test_a_signature_is_that_of_the_standards_example():
    """The example of Standard Webhooks' own libraries."""
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert new_secret() != new_secret()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8501/",
        "http://127.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://[64:ff9b:1::a00:1]/",
        "http://[::a00:1]/",
        "http://[2002:a00:1::]/",
        "http://[fd00::1]/",
        "http://[fec0::1]/",
        "http://10.0.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://192.0.0.8/",
        "http://192.168.1.1/",
        "http://224.0.0.1/",
        "http://0.0.0.0/",
    ],
)
def test_no_address_that_is_not_public(url):
    with pytest.raises(UsageError, match="is not public"):
        check_url(url, allow_private=False)
    assert check_url(url, allow_private=True)


def test_public_addresses_are_fine():
    assert check_url("https://93.184.215.14/hook?a=b", allow_private=False) == "93.184.215.14"
    found = check_url("https://[2001:4860:4860::8888]:8443/", allow_private=False)
    assert found == "2001:4860:4860::8888"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://93.184.215.14/",
        "file:///etc/passwd",
        "https:///hook",
        "https://user:word@93.184.215.14/",
        "https://93.184.215.14:99999/",
        "https://93.184.215.14/a b",
        "https://93.184.215.14/\r\nX: y",
        "https://93.184.215.14/" + "x" * 3000,
        "https://[::1",
    ],
)
def test_what_is_no_address(url):
    with pytest.raises(UsageError, match="is not an address for a webhook"):
        check_url(url, allow_private=True)


def test_a_name_counts_by_each_of_its_addresses(monkeypatch):
    """One public address beside a private one is no way in."""
    both = [(2, 1, 6, "", (address, 80)) for address in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(UsageError, match=r"two\.example of the webhook is not public"):
        check_url("https://two.example/", allow_private=False)


def test_nobody_there(free_url):
    with pytest.raises(QueueError, match="did not take the message"):
        send(free_url, new_secret(), "msg_1", b"{}", allow_private=True)


def test_a_receiver_that_trickles_does_not_hold_up_the_others(monkeypatch):
    """A byte now and then, without end: none of the client's own time-outs is reached."""
    monkeypatch.setattr(webhooks, "TIMEOUT_S", 0.5)
    is_over = threading.Event()

    def trickle() -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not is_over.wait(0.1):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        try:
            with pytest.raises(QueueError, match="did not take the message"):
                send(url, new_secret(), "msg_1", b"{}", allow_private=True)
        finally:
            is_over.set()
            thread.join(10)
