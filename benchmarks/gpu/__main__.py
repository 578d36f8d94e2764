"""What one NVIDIA GPU does, beside the CPU of the same machine: `python -m benchmarks.gpu`.

Frames a second of the embedders at batch sizes of 1 to 256, exact search with FAISS, LEGO at its
true size with random weights, a step of each training stage, and whether results agree with the
CPU's. Needs nothing but the repository and the installed torch, and begins nothing after
`--minutes`. Without a GPU, or with `--quick`, sizes are tiny: that shows that it runs, not how fast
anything is.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import torch

from benchmarks.gpu import embedding, lego, search
from benchmarks.gpu.report import Table

PARTS = ("embedding", "search", "lego")
BATCHES = (1, 4, 16, 64, 256)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--minutes", type=float, default=4.5)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    tiny = options.quick or device.type == "cpu"
    seconds = 0.0 if tiny else 0.5
    table = Table(device, time.monotonic() + 60 * options.minutes)
    table.begin()
    if "embedding" in options.only:
        embedding.run(table, (1, 2) if tiny else BATCHES, seconds, tiny)
    if "search" in options.only:
        rows = 2_000 if tiny else 1_000_000
        table.part("FAISS", lambda: search.run(table, rows, seconds))
    if "lego" in options.only:
        lego.run(table, 4 if tiny else 64, seconds, tiny)
    if device.type != "cuda":
        print("\nNo GPU was used: tiny sizes on the CPU, which say nothing about speed.")
    if table.not_run:
        print(f"\nThe time was over before: {', '.join(table.not_run)}")


if __name__ == "__main__":
    main()
