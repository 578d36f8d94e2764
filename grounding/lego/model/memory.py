"""Out of memory, which torch says in different ways on a GPU and on a CPU."""

from __future__ import annotations

import torch


def is_out_of_memory(error: BaseException) -> bool:
    said = str(error)
    return (
        isinstance(error, MemoryError | torch.OutOfMemoryError)
        or "out of memory" in said
        or "allocate memory" in said
    )
