"""Requests that schemathesis makes of the OpenAPI document, far more than the tests make.

    python -m benchmarks.api.any_request [--examples 200]

Every operation, by the document and against it, over a library that the requests change. Ends with
1 where an answer breaks the document or is a defect.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from starlette.applications import Starlette

from benchmarks.support.measure import header, row
from search_ui.app_state import open_app_state
from search_ui.routes import all_routes
from search_ui.server import middleware
from tests.search_ui.api.test_any_request import OPERATIONS, ask, load
from tests.support import colour_video, demo_library, demo_settings


def main() -> int:
    """Asks, and prints what was answered."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--examples", type=int, default=200, help="of each operation")
    chosen = parser.parse_args()
    total, broken = Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        schema = load(_app(Path(folder)))
        header("requests by operation")
        for method, path in OPERATIONS:
            began = time.perf_counter()
            statuses: list[int] = []
            try:
                statuses = ask(schema[path][method], chosen.examples)
            except Exception as error:  # noqa: BLE001 all of them are counted
                broken.append(f"{method} {path}: {type(error).__name__}: {error}")
            total.update(statuses)
            counts = ", ".join(f"{n} x {code}" for code, n in Counter(statuses).most_common())
            seconds = f"{time.perf_counter() - began:.1f} s"
            row(f"{method} {path}", f"{len(statuses)} in {seconds}: {counts or 'broken'}")
    counts = ", ".join(f"{n} x {code}" for code, n in total.most_common())
    print(f"\n{total.total()} requests: {counts}; {len(broken)} operations broken")
    print("\n".join(broken))
    return 1 if broken else 0


def _app(folder: Path) -> Starlette:
    library = demo_library(folder / "home")
    colour_video(folder / "videos" / "light.mp4", [("red", 3), ("green", 3)])
    library.ingest([folder / "videos"], "colours")
    settings = demo_settings(folder / "home", ui_folders=[folder / "home" / "uploads"])
    shared = open_app_state(settings, sign_in=False)
    shared.jobs.supervisor.stop()  # no work is done meanwhile
    routes = all_routes()
    return Starlette(routes=routes, middleware=middleware(shared, routes, has_oidc=False))


if __name__ == "__main__":
    sys.exit(main())
