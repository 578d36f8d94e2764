"""Vectors of the neutral prompts: what a question is compared with to know what is usual.

They are the same for every question, and embedding them takes longer than all the rest of a search,
so they are kept in the home.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from indexer.artefacts import write_atomically
from indexer.errors import StorageError
from indexer.questions.neutral_prompts import NEUTRAL_PROMPTS

log = logging.getLogger(__name__)


def neutral_vectors(
    folder: Path, key: str, embed: Callable[[Sequence[str]], np.ndarray]
) -> np.ndarray:
    """(P, D) float32, from a file in `folder` or computed and kept there. `key`: identity of the
    space that `embed` makes vectors of.
    """
    prompts = hashlib.sha256("\n".join((key, *NEUTRAL_PROMPTS)).encode()).hexdigest()
    path = folder / f"neutral-{prompts[:16]}.npy"
    try:
        kept = np.load(path, allow_pickle=False)
        if len(kept) == len(NEUTRAL_PROMPTS):
            return kept
    except (OSError, ValueError, EOFError):
        pass  # not there yet, or torn
    vectors = embed(NEUTRAL_PROMPTS)
    content = BytesIO()
    np.save(content, vectors)
    try:
        write_atomically(path, content.getvalue())
    except StorageError as error:  # it only takes longer without
        log.info("neutral vectors are not kept in %s: %s", folder, error)
    return vectors
