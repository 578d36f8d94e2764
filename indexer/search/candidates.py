"""Which chunks are worth reading, and how well their frames fit a question."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def candidate_chunks(
    chunk_ids: np.ndarray, video_ids: np.ndarray, scores: np.ndarray, limit: int = 64
) -> list[int]:
    """Chunks worth reading, of the segments that were found, (N,) each: the best chunk of every
    video first, then by score.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    chunks = list(dict.fromkeys((int(video_ids[k]), int(chunk_ids[k])) for k in order))
    firsts = dict(reversed(chunks))
    leading = [chunk for video, chunk in chunks if firsts[video] == chunk]
    rest = [chunk for video, chunk in chunks if firsts[video] != chunk]
    half = max(limit // 2, limit - len(rest))
    return (leading[:half] + rest)[:limit]


def similarities(query: np.ndarray, matrices: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Products of matrices (N, D) float16 or float32, finite, with `query` (D,): (N,) float32 each.

    numpy turns float16 into float32 one number at a time. Moving sign, exponent and fraction to
    their places in a float32 instead gives the number times 2**-112 (the exponents' biases are 15
    and 127), which the query makes up for: the same bits, eight times faster.
    """
    half_precision = [len(matrix) for matrix in matrices if matrix.dtype == np.float16]
    scratch = np.empty((max(half_precision, default=0), len(query)), dtype=np.int32)
    scaled = query.astype(np.float32) * np.float32(2.0**112)
    return [
        _half_product(scaled, matrix, scratch) if matrix.dtype == np.float16 else matrix @ query
        for matrix in matrices
    ]


def _half_product(scaled: np.ndarray, matrix: np.ndarray, scratch: np.ndarray) -> np.ndarray:
    bits = scratch[: len(matrix)]
    np.copyto(
        bits, np.ascontiguousarray(matrix).view(np.int16)
    )  # the sign is copied into all upper bits,
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _SIGN_AND_NUMBER, out=bits)  # of which one is kept
    return bits.view(np.float32) @ scaled


_SIGN_AND_NUMBER = np.array(0x8FFFE000, dtype=np.uint32).view(np.int32)
