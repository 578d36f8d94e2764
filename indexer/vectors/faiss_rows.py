"""What rows are to FAISS, loaded when first used: a library of few rows is searched without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
import numpy as np


def fp16_index(dimension: int) -> Any:
    """An empty FAISS index that stores float16 and compares by inner product."""
    return faiss.IndexScalarQuantizer(
        dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )


def index_of(codes: np.ndarray, dimension: int) -> Any:
    """An fp16 index of codes (N, 2 D) uint8."""
    index = fp16_index(dimension)
    if len(codes):
        index.add_sa_codes(np.ascontiguousarray(codes))
    return index


def read_index(path: Path) -> Any:
    """The index of a file, mapped."""
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)


def codes_of(index: Any) -> np.ndarray:
    """(N, code size) uint8 of an index, not copied: valid while it lives."""
    count, width = index.ntotal, index.code_size
    if not count:
        return np.empty((0, width), np.uint8)
    return faiss.rev_swig_ptr(index.codes.data(), count * width).reshape(count, width)


def search_rows(
    index: Any, query: np.ndarray, k: int, mask: np.ndarray | None, **parameters: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and row numbers, best first, of the rows that the mask lets through; `parameters` are
    those of an IVF search.
    """
    selector = None
    bits = None
    if mask is not None:
        bits = np.packbits(
            mask, bitorder="little"
        )  # FAISS keeps a pointer into it: alive until the search is over
        selector = faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(bits))
    kind = faiss.SearchParametersIVF if parameters else faiss.SearchParameters
    with one_thread():
        scores, rows = index.search(
            query[None], k, params=kind(**parameters, **({"sel": selector} if selector else {}))
        )
    del bits
    found = rows[0] >= 0
    return scores[0][found], rows[0][found]


@contextmanager
def one_thread() -> Iterator[None]:
    """One question is answered by one thread: waking others costs more than they help, above all on
    a busy machine.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
