"""Passages that answer questions, how well, and whether they are right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grounding.spans import Span
from indexer.library import Library
from indexer.questions.statement import read_question
from indexer.search.evidence.text import TextSearch
from indexer.search.types import PassageHit, Scope

KINDS = ("speech", "screen")
BEST = 3


@dataclass(frozen=True, slots=True)
class PassageObservation:
    """A passage among the best of its kind for a row of `source`, about the video `cluster`.
    `group`: with its video, masked, or absent; `place` from 0.
    """

    source: str
    cluster: str
    group: str
    kind: str
    place: int
    strength: float
    right: bool


def observe_passages(
    library: Library, collections: Sequence[str], rows: Sequence[dict[str, Any]], source: str
) -> Iterator[PassageObservation]:
    """The best passages of each kind for each row that one video alone answers, with its video and
    without; for a row without windows all are wrong.
    """
    search = TextSearch(library.context)
    ids = {Path(v.paths[0].path).name: v.video_id for v in library.videos(list(collections))}
    for row in rows:
        if not row.get("corpus_unique", True):
            continue
        right_id = ids.get(row["video"]) if row["windows"] else None
        windows = [Span(*window) for window in row["windows"]]
        for without in (None, right_id) if right_id is not None else (None,):
            scope = Scope(video_ids=tuple(id for id in ids.values() if id != without))
            statement = read_question(row["query"]).statements[0]
            group = ("with" if without is None else "masked") if right_id else "absent"
            for kind, hits in search.find(statement, scope, KINDS).hits.items():
                for place, hit in enumerate(hits[:BEST]):
                    right = hit.video_id == right_id and _holds(hit, windows)
                    cluster = row["video"] or row["query"]
                    yield PassageObservation(source, cluster, group, kind, place, hit.score, right)


def _holds(hit: PassageHit, windows: Sequence[Span]) -> bool:
    return any(hit.span.overlap_s(window) > 0 for window in windows)
