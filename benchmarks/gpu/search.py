"""FAISS on the GPU beside the CPU, exact search over random unit vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.gpu.report import Table, time_s

DIMENSION = 256
QUERIES = 16
NEAREST = 10
RECALL = 0.99  # least share of the nearest that both name


def run(table: Table, rows: int, seconds: float) -> None:
    """Milliseconds a question, alone and of several at once, and whether both name the same."""
    import faiss  # one of two packages, or none

    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((rows, DIMENSION), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = vectors[:QUERIES] + 0.3 * rng.standard_normal((QUERIES, DIMENSION), dtype=np.float32)
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(vectors)
    on_gpu = _to_gpu(faiss, index) if table.device.type == "cuda" else None
    for count in (1, QUERIES):
        asked = queries[:count]
        cpu_ms = 1000 * time_s(table.device, lambda a=asked: index.search(a, NEAREST), seconds)
        measured = "not measured: no GPU, or FAISS without one"
        if on_gpu is not None:
            gpu_s = time_s(table.device, lambda a=asked: on_gpu.search(a, NEAREST), seconds)
            measured = f"{1000 * gpu_s:.2f} ms"
        table.row(f"FAISS, {rows:,} rows, {count} at once", measured, f"{cpu_ms:.2f} ms")
    if on_gpu is not None:
        found, exact = on_gpu.search(queries, NEAREST)[1], index.search(queries, NEAREST)[1]
        recall = np.mean(
            [len(set(a) & set(b)) / NEAREST for a, b in zip(found, exact, strict=True)]
        )
        verdict = "within" if recall >= RECALL else "NOT within"
        table.row("FAISS, nearest that both name", f"{recall:.3f}, {verdict} {RECALL}")


def _to_gpu(faiss: Any, index: Any) -> Any:
    if not getattr(faiss, "get_num_gpus", lambda: 0)():
        return None
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
