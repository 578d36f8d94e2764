"""Several processes at one address: sessions, jobs and metrics are of all of them."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import urllib.request
from pathlib import Path

import httpx
import pytest

from search_ui.server import listen
from tests.search_ui.browser import PASSWORD

PATIENCE_S = 120


def members(parent: int) -> set[int]:
    """The processes that serve, but for the one that watches over resources."""
    found = set()
    for listing in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in listing.read_text().split():
            if "resource_tracker" not in Path(f"/proc/{child}/cmdline").read_text():
                found.add(int(child))
    return found


def test_both_answer_and_know_the_same_session(pair):
    url, parent = pair.url, pair.pid
    deadline = time.monotonic() + PATIENCE_S
    while len(members(parent)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
        client.post("/sign-in", data={"name": "vera", "password": PASSWORD})
        cookies = dict(client.cookies)
    for _ in range(20):
        answer = httpx.get(f"{url}/stream/1", cookies=cookies, timeout=PATIENCE_S)
        assert answer.status_code == 200


def test_an_address_is_taken_once(pair):
    with pytest.raises(Exception, match="cannot be used"):
        listen("127.0.0.1", int(pair.url.rpartition(":")[2]))


def test_metrics_are_of_all_processes(pair):
    request = urllib.request.Request(
        f"{pair.url}/metrics", headers={"Authorization": "Bearer token"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()
    assert re.search(r"^seekpoint_catalog_up 1", text, re.MULTILINE)


def test_one_that_is_killed_is_replaced_and_all_end_together(pair):
    url, parent = pair.url, pair.pid
    before = members(parent)
    os.kill(min(before), signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while len(members(parent) - before) < 1 or len(members(parent)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    while True:
        try:
            assert json.loads(httpx.get(f"{url}/healthz", timeout=PATIENCE_S).content)["ok"]
            break
        except httpx.HTTPError:  # it was the killed one's connection
            assert time.monotonic() < deadline
