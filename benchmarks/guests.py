"""Many people at once on one page: searchers that ask without a pause, and guests who search, look
at pictures and watch.

    python -m benchmarks.guests [--home HOME] [--searchers 20] [--seconds 30] [--processes 1,2]
    python -m benchmarks.guests --guests 100 --seconds 120 [--processes 1]

They speak Streamlit's own protocol, without a browser, from the machine that serves: what they
compute is taken from the page. A new question each time, so that nothing is answered from memory.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from benchmarks.page import WORDS, small_library
from benchmarks.support.measure import header, row, tree_bytes
from tests.search_ui.browser import serving

PAUSE_S = 2.0
ANSWER_S = 120.0


@dataclass
class Seen:
    """Seconds of what went well, by kind, and what did not."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    async def timed(self, kind: str, work: Awaitable[object]) -> None:
        """Waits for the work and notes how that went."""
        began = time.perf_counter()
        try:
            await work
        except Exception as error:  # noqa: BLE001 each of them counts
            self.errors[f"{kind}: {type(error).__name__}"] += 1
        else:
            self.seconds.setdefault(kind, []).append(time.perf_counter() - began)


def main() -> None:
    """Measures what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, help="library to ask; default: a small one")
    parser.add_argument("--searchers", type=int, default=20)
    parser.add_argument("--guests", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--processes", default="1,2")
    parser.add_argument("--rounds", type=int, default=1, help="memory is measured after each")
    arguments = parser.parse_args()
    counts = [int(count) for count in arguments.processes.split(",")]
    with tempfile.TemporaryDirectory() as name:
        home = arguments.home or small_library(Path(name))
        header("Many people at once")
        for count in counts:
            many = arguments.guests or arguments.searchers
            person = guest if arguments.guests else searcher
            measure(home, count, many, arguments.seconds, person, arguments.rounds)


def measure(
    home: Path,
    processes: int,
    people: int,
    seconds: float,
    person: Callable[[str, Seen, float], Awaitable[None]],
    rounds: int = 1,
) -> None:
    """Rows for so many people at a page of so many processes; the people come anew each round."""
    with serving(home, "--processes", str(processes)) as url:
        pid = int((home.parent / "server.pid").read_text())
        asyncio.run(crowd(url, min(people, 2 * processes), 5.0, searcher))  # models are loaded
        sizes, seen = [tree_bytes(pid)], Seen()
        for _ in range(rounds):
            seen = asyncio.run(crowd(url, people, seconds, person))
            sizes.append(tree_bytes(pid))
    for kind, values in seen.seconds.items():
        ordered = sorted(values)
        row(
            f"{kind}, {people} people, {processes} process(es)",
            f"{len(values) / seconds:.1f} a second, median {statistics.median(values):.2f} s, "
            f"99 in 100 within {ordered[int(len(ordered) * 0.99)]:.2f} s",
            "",
        )
    row("errors", str(dict(seen.errors) or "none"), "none")
    shown = ", ".join(f"{size / 1e6:.0f} MB" for size in sizes)
    row("memory before and after each round", shown, "flat after the first")


async def crowd(
    url: str,
    people: int,
    seconds: float,
    person: Callable[[str, Seen, float], Awaitable[None]],
) -> Seen:
    """What so many people saw in that time."""
    seen = Seen()
    until = time.monotonic() + seconds
    await asyncio.gather(*(person(url, seen, until) for _ in range(people)))
    return seen


async def searcher(url: str, seen: Seen, until: float) -> None:
    """Asks one question after another."""
    async with page(url) as connection:
        while time.monotonic() < until:
            await seen.timed("search", ask(connection, f"q={question()}"))


async def guest(url: str, seen: Seen, until: float) -> None:
    """Opens the page, searches, looks at a picture, watches a piece, and thinks in between."""
    async with httpx.AsyncClient(base_url=url, timeout=ANSWER_S) as client:
        while time.monotonic() < until:
            await seen.timed("first page", get(client, "/"))
            try:
                async with page(url) as connection:
                    await seen.timed("search", ask(connection, f"q={question()}"))
                    await seen.timed("picture", get(client, "/thumbnail/1/1000"))
                    await seen.timed("video", get(client, "/stream/1", Range="bytes=0-99999"))
                    await asyncio.sleep(random.uniform(0, 2 * PAUSE_S))
                    await seen.timed("search", ask(connection, f"q={question()}"))
            except Exception as error:  # noqa: BLE001 each of them counts
                seen.errors[f"connection: {type(error).__name__}"] += 1
                await asyncio.sleep(PAUSE_S)


async def get(client: httpx.AsyncClient, path: str, **headers: str) -> None:
    (await client.get(path, headers=headers)).raise_for_status()


def page(url: str) -> connect:
    """A session of the page."""
    return connect(
        url.replace("http", "ws", 1) + "/_stcore/stream",
        origin=Origin(url),
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
        open_timeout=ANSWER_S,
    )


async def ask(connection: ClientConnection, query: str) -> None:
    """Runs the page under this address until all is drawn. Raises ValueError where it shows that
    it failed.
    """
    message = BackMsg()
    message.rerun_script.query_string = query
    await connection.send(message.SerializeToString())
    async with asyncio.timeout(ANSWER_S):
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(await connection.recv(decode=False))
            kind = answer.WhichOneof("type")
            if kind == "script_finished":
                return
            if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
                raise ValueError(answer.delta.new_element.exception.message)


_numbers = itertools.count()


def question() -> str:
    """One that nobody asked before."""
    number = next(_numbers)
    return quote_plus(f"{WORDS[number % len(WORDS)]} {WORDS[number // 3 % len(WORDS)]} {number}")


if __name__ == "__main__":
    main()
