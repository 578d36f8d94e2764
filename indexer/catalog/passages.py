"""Passages: text that holds during a span, from speech, screen, sound or events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import and_, case, insert, select
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import in_values
from indexer.catalog.database.half_vector import pack
from indexer.catalog.database.text_normalize import index_form
from indexer.catalog.leasing.chunk_tasks import FinishedTask, finish_task
from indexer.catalog.tables.library import Passage, Video
from indexer.vocabulary import EvidenceKind


@dataclass(frozen=True, slots=True)
class NewPassage:
    """Text that holds during `span`. `words` are (start_s, end_s, word); `vector` (D,) is its
    meaning in the space `vector_key`.
    """

    kind: str
    span: Span
    text: str
    language: str | None = None
    confidence: float | None = None
    words: Sequence[tuple[float, float, str]] = ()
    vector: np.ndarray | None = None
    vector_key: str | None = None


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A stored passage; `words` are (start_s, end_s, word) or empty."""

    id: int
    video_id: int
    chunk_id: int | None
    kind: str
    span: Span
    text: str
    language: str | None
    confidence: float | None
    words: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True, slots=True)
class PassageVector:
    """When a passage holds, and its meaning: a unit vector (D,) float32."""

    span: Span
    vector: np.ndarray


def commit_passages(
    s: Session, task_id: int, owner: str, passages: Sequence[NewPassage], seconds: float
) -> bool:
    """Stores the passages of a chunk and marks its task done, all or nothing; rows of an earlier
    attempt go. False: the owner had lost the task, and nothing was written.
    """
    task = finish_task(s, task_id, owner, seconds)
    if task is None:
        return False
    insert_passages(s, task, passages)
    return True


def insert_passages(s: Session, task: FinishedTask, passages: Sequence[NewPassage]) -> None:
    """Stores the passages of a chunk."""
    if passages:
        rows = [{**task.row_values, **_column_values(passage)} for passage in passages]
        s.execute(insert(Passage), rows)


def _column_values(passage: NewPassage) -> dict[str, Any]:
    text = sanitize_text(passage.text)
    words = [
        [float(start_s), float(end_s), sanitize_text(word)]
        for start_s, end_s, word in passage.words
    ]
    return {
        "kind": passage.kind,
        "start_s": float(passage.span.start_s),
        "end_s": float(passage.span.end_s),
        "text": text,
        "index_text": index_form(text),
        "language": passage.language,
        "confidence": None if passage.confidence is None else float(passage.confidence),
        "words": words or None,
        "vector": None if passage.vector is None else pack(passage.vector),
        "vector_key": passage.vector_key,
    }


def list_passages(
    s: Session, video_id: int, kinds: Iterable[str] | None = None
) -> list[PassageRow]:
    """Served passages of a video in the order of time; None: of all kinds."""
    statement = (
        _select_served().where(Passage.video_id == video_id).order_by(Passage.start_s, Passage.id)
    )
    if kinds is not None:
        statement = statement.where(in_values(s, Passage.kind, kinds))
    return [_passage_row(row) for row in s.execute(statement)]


def list_passage_vectors(s: Session, video_id: int, kind: str) -> list[PassageVector]:
    """Meanings of the served passages of a video, in the order of time; those in the space that
    most of them have.
    """
    is_served = and_(Video.id == Passage.video_id, Passage.key == served_passage_key())
    rows = s.execute(
        select(Passage.start_s, Passage.end_s, Passage.vector, Passage.vector_key)
        .join(Video, is_served)
        .where(Passage.video_id == video_id, Passage.kind == kind, Passage.vector.is_not(None))
        .order_by(Passage.start_s, Passage.id)
    ).all()
    spaces = Counter(row.vector_key for row in rows)
    space = spaces.most_common(1)[0][0] if rows else None
    return [
        PassageVector(
            Span(row.start_s, row.end_s), np.frombuffer(row.vector, "<f2").astype(np.float32)
        )
        for row in rows
        if row.vector_key == space
    ]


def list_kinds(s: Session, video_id: int) -> set[str]:
    """Kinds of the served passages of a video."""
    is_served = and_(Video.id == Passage.video_id, Passage.key == served_passage_key())
    statement = select(Passage.kind).join(Video, is_served).where(Passage.video_id == video_id)
    return set(s.scalars(statement.distinct()))


def get_passages(s: Session, ids: Iterable[int]) -> dict[int, PassageRow]:
    """Those of the passages that are served still, by id."""
    found = s.execute(_select_served().where(in_values(s, Passage.id, ids)))
    return {row.id: _passage_row(row) for row in found}


def served_passage_key() -> Any:
    """SQL: the key of a passage's stage that its video serves."""
    by_kind = (
        (Passage.kind == EvidenceKind.SPEECH, Video.speech_key),
        (Passage.kind == EvidenceKind.SCREEN, Video.screen_key),
        (Passage.kind == EvidenceKind.SOUND, Video.sound_key),
    )
    return case(*by_kind, else_=Video.events_key)


def _select_served() -> Any:
    columns = (
        Passage.id,
        Passage.video_id,
        Passage.chunk_id,
        Passage.kind,
        Passage.start_s,
        Passage.end_s,
        Passage.text,
        Passage.language,
        Passage.confidence,
        Passage.words,
    )
    is_served = and_(Video.id == Passage.video_id, Passage.key == served_passage_key())
    return select(*columns).join(Video, is_served)


def _passage_row(row: Any) -> PassageRow:
    return PassageRow(
        id=row.id,
        video_id=row.video_id,
        chunk_id=row.chunk_id,
        kind=row.kind,
        span=Span(row.start_s, row.end_s),
        text=row.text,
        language=row.language,
        confidence=row.confidence,
        words=tuple(map(tuple, row.words or ())),
    )
