"""How many threads numpy multiplies with, and how the threads of the models wait."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
from threadpoolctl import ThreadpoolController


def wait_asleep() -> None:
    """The threads of OpenMP (PyTorch, CTranslate2) sleep while they wait for each other, unless the
    environment says otherwise.

    By default they spin, which takes the core on which the next chunk is decoded: embedding on two
    cores took .16 CPU s per second of video with it and .07 without, and longer by the clock too.
    OpenMP reads this when it is loaded, so it has to be said before.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@cache
def numpy_on_one_thread() -> None:
    """From now on numpy's own BLAS multiplies on one thread in this process; the models' libraries
    keep theirs.

    Products here are small: a question has a dozen tokens, a chunk some two hundred frames. On two
    threads each waits until the second one is scheduled, which on a machine that does something
    else too (an ingest, a player) takes a slice of the scheduler, about 12 ms, where the product
    takes a quarter of one.
    """
    wheel = Path(np.__file__).parent.parent / "numpy.libs"
    blas = ThreadpoolController().select(user_api="blas")
    own = [one["filepath"] for one in blas.info() if Path(one["filepath"]).parent == wheel]
    blas.select(filepath=own).limit(limits=1)
