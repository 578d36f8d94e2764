import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of the real videos with true answers; tests that ask for it are skipped where it is not set."""
    folder = os.environ.get("SEEKPOINT_TEST_DATA", "")
    if not folder:
        pytest.skip("SEEKPOINT_TEST_DATA is not set")
    return Path(folder)
