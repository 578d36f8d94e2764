"""What only some need stays out of everybody's start-up."""

import subprocess
import sys

import pytest

import seekpoint
from indexer.library import Library

HEAVY = ("torch", "faiss", "transformers", "fastapi", "mcp", "opentelemetry", "streamlit")
LOADED = "import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"


@pytest.mark.parametrize("module", ["seekpoint.client", "indexer.cli", "seekpoint.mcp.cli"])
def test_nothing_heavy_is_loaded(module: str):
    code = LOADED.format(module=module, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_both_come_from_the_package():
    assert seekpoint.Client.search.__doc__
    assert seekpoint.Library is Library
