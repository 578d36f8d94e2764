"""A search over the API against the same search in the process, and many clients at once.

    python -m benchmarks.api.overhead [--questions 100] [--clients 20] [--each 10] [--home HOME]

The server is `seekpoint ui --sign-in`, asked with a token over one connection that is kept. Each
question is asked both ways, one after the other, and is new, so that nothing is answered from
memory. Wanted: at most 5 ms more at the median; 20 clients at once without an error.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.page import WORDS, small_library
from benchmarks.support.measure import header, row
from indexer.catalog import accounts
from indexer.catalog.audit import Actor
from indexer.catalog.people.tokens import add_token
from indexer.library import Library
from indexer.settings import load_settings
from seekpoint import Client
from tests.search_ui.browser import serving


def main() -> None:
    """Measures both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--each", type=int, default=10, help="questions of each client")
    parser.add_argument("--home", type=Path, help="a library that is there")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = chosen.home or small_library(Path(folder))
        settings = load_settings(home=home, embedder="demo", speech=False, screen_text=False)
        library = Library(settings)
        with library.catalog.begin() as session:
            if not accounts.count_accounts(session):  # somebody has to be able to sign in
                accounts.add_account(session, "benchmark", "viewer", [], password_hash="none")
            token = add_token(session, f"benchmark {time.time()}", "viewer", None, 1, Actor())
        with serving(home, "--sign-in", api_requests_per_minute="0") as url:
            compare(library, Client(url, token), chosen.questions)
            together(url, token, chosen.clients, chosen.each)


def compare(library: Library, client: Client, questions: int) -> None:
    """The same questions in the process and over the API."""
    own_ms, api_ms, beside_ms = [], [], []
    for number in range(questions + 10):
        question = _question(number)
        began = time.perf_counter()
        library.search(question, titles=True)
        between = time.perf_counter()
        answer = client.search(question, titles=True)
        ended = time.perf_counter()
        if number >= 10:  # what is first loads models and indexes
            own_ms.append((between - began) * 1000)
            api_ms.append((ended - between) * 1000)
            beside_ms.append(api_ms[-1] - answer.took_ms)
    more_ms = [api - own for own, api in zip(own_ms, api_ms, strict=True)]
    header("search, ms")
    rows = {
        "in the process": own_ms,
        "over the API": api_ms,
        "more": more_ms,
        "beside the search that the server did": beside_ms,
    }
    for name, values in rows.items():
        tenths = statistics.quantiles(values, n=10)
        row(name, f"median {statistics.median(values):.1f}, 90 % within {tenths[8]:.1f}")


def together(url: str, token: str, clients: int, each: int) -> None:
    """Clients that ask without a pause."""
    took_ms: list[float] = []
    errors: Counter[str] = Counter()

    def ask(client_number: int) -> None:
        with Client(url, token) as client:
            for number in range(each):
                began = time.perf_counter()
                try:
                    client.search(_question(1000 * (client_number + 1) + number), titles=True)
                except Exception as error:  # noqa: BLE001 each of them counts
                    errors[f"{type(error).__name__}: {error}"] += 1
                else:
                    took_ms.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    print(f"\n{clients} clients, {len(took_ms)} answers in {seconds:.1f} s")
    if took_ms:
        tenths = statistics.quantiles(took_ms, n=10)
        print(f"median {statistics.median(took_ms):.0f} ms, 90 % within {tenths[8]:.0f} ms")
    print(f"errors: {dict(errors) or 'none'}")


def _question(number: int) -> str:
    return f"{WORDS[number % len(WORDS)]} {number}"


if __name__ == "__main__":
    main()
