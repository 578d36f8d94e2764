"""A statement in the space of an embedder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.embedders.base import Embedder, unit
from indexer.questions.statement import Statement

DENIED_WEIGHT = 1.0
"""How far a query moves away from what is denied. Frames of a road without cars ranked above those
with cars in .04 of the pairs at 0 and in .97 at 1; the default embedder, "no cars on the road".
"""


@dataclass(frozen=True, slots=True)
class QueryVectors:
    """Unit vectors (D,) float32. `video` says which videos answer, `place` where in them: the same,
    unless something is denied.

    The video in which nobody is at the table is one with a table and people, and there the moments
    count that are unlike people at a table.
    """

    video: np.ndarray
    place: np.ndarray


def query_vectors(embedder: Embedder, statement: Statement, neutral: np.ndarray) -> QueryVectors:
    """`neutral` (P, D): vectors of neutral prompts, whose mean is the scene where none is named."""
    if statement.negation is None:
        vector = embedder.embed_texts([statement.text])[0]
        return QueryVectors(vector, vector)
    named, denied, scene = embedder.embed_texts(
        [statement.text, statement.negation.denied, statement.negation.scene or statement.text]
    )
    if not statement.negation.scene:
        scene = unit(neutral.mean(axis=0, keepdims=True))[0]
    place = scene + DENIED_WEIGHT * (scene - denied)
    return QueryVectors(named, unit(place[None])[0])
