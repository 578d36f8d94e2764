"""`python -m grounding.lego.parity FOLDER`: is this model equal to the public code? One line a
quantity, exit status 0 only if all hold. What FOLDER holds: grounding/lego/parity/compare.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

from grounding.lego.parity.compare import compare


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the comparison; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m grounding.lego.parity", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    failed = total = 0
    try:
        for quantity in compare(folder):
            print(quantity, flush=True)
            total += 1
            failed += not quantity.holds
    except (OSError, LookupError, ValueError, RuntimeError, TypeError, BadZipFile) as error:
        print(f"FAIL {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"{total - failed} of {total} quantities hold")
    return 1 if failed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
