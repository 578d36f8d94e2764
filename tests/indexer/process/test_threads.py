"""What is said to numpy's BLAS and to OpenMP, in processes of their own since it stays."""

import os
import subprocess
import sys

import pytest

CODE = """
import faiss, numpy
from threadpoolctl import threadpool_info
from indexer.process.threads import numpy_on_one_thread

def threads():
    pools = [one for one in threadpool_info() if one["user_api"] == "blas"]
    return {one["filepath"]: one["num_threads"] for one in pools}

before = threads()
numpy_on_one_thread()
after = threads()
own = [path for path in after if "numpy.libs" in path]
others = [path for path in after if path not in own]
print(len(own), {after[path] for path in own}, all(after[p] == before[p] for p in others))
"""


def test_only_numpy_is_held_to_one_thread():
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split(maxsplit=1) == ["1", "{1} True\n"]


@pytest.mark.parametrize(
    ("passed", "policy"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")]
)
def test_threads_of_models_sleep_while_they_wait_unless_told_otherwise(tmp_path, passed, policy):
    """OpenMP prints what it goes by when it is loaded, so this fails too where a library is opened
    after that.
    """
    pytest.importorskip("torch")
    env = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    env |= {"OMP_DISPLAY_ENV": "TRUE", "SEEKPOINT_HOME": str(tmp_path), **passed}
    code = "from indexer.library import Library; library = Library(); import torch"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    reported = [
        line.split("=")[1].strip(" '")
        for line in done.stderr.splitlines()
        if "OMP_WAIT_POLICY" in line
    ]
    assert reported
    assert set(reported) == {policy}
