"""numpy's BLAS multiplies on one thread, in a process of its own since the change stays."""

import subprocess
import sys

CODE = """
import faiss, numpy
from threadpoolctl import threadpool_info
from indexer.threads import numpy_on_one_thread

def threads():
    return {one["filepath"]: one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}

before = threads()
numpy_on_one_thread()
after = threads()
own = [path for path in after if "numpy.libs" in path]
print(len(own), {after[path] for path in own}, all(after[path] == before[path] for path in after if path not in own))
"""


def test_only_numpy_is_held_to_one_thread():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split(maxsplit=1) == ["1", "{1} True\n"]
