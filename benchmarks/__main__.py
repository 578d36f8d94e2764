"""Runs every benchmark, one after the other: `python -m benchmarks [NAME ...]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NOT_RUN = {"__init__", "__main__"}


def _benchmarks() -> list[str]:
    """Names below `benchmarks`: `ingest`, `words.passages`; `support` has none."""
    folders = (HERE, HERE / "api", HERE / "lego", HERE / "words")
    files = [file for folder in folders for file in folder.glob("*.py")]
    paths = [file.relative_to(HERE).with_suffix("") for file in files if file.stem not in NOT_RUN]
    return sorted(".".join(path.parts) for path in paths)


def main() -> int:
    """Runs what is named, or all; 1 where one failed, 2 where there is not such a benchmark."""
    there = _benchmarks()
    wanted = sys.argv[1:] or there
    for name in wanted:
        if name not in there:
            print(f"there is no benchmark {name!r}; there are: {', '.join(there)}", file=sys.stderr)
            return 2
    failed = []
    for name in wanted:
        print(f"\n# {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall ran")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
