"""Out of memory, which torch reports in different ways on a GPU and on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def out_of_memory_as(error: Exception) -> Iterator[None]:
    """Raises `error` where the block runs out of memory, and frees what the GPU's cache holds. All
    other errors pass.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as cause:
        if not is_out_of_memory(cause):
            raise
        torch.cuda.empty_cache()
        raise error from cause


def is_out_of_memory(error: BaseException) -> bool:
    """True for MemoryError, torch's OutOfMemoryError, and RuntimeErrors that say the same."""
    text = str(error)
    return (
        isinstance(error, MemoryError | torch.OutOfMemoryError)
        or "out of memory" in text
        or "allocate memory" in text
    )
