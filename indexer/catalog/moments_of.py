"""What is said, shown and happening in one video, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, case, select
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.tables import Passage, Video


@dataclass(frozen=True, slots=True)
class PassageRow:
    kind: str
    span: Span
    text: str


def video_passages(s: Session, video_id: int) -> list[PassageRow]:
    """Served passages of all kinds."""
    served = case((Passage.kind == "speech", Video.speech_key), (Passage.kind == "screen", Video.screen_key), else_=Video.events_key)
    statement = (
        select(Passage.kind, Passage.start_s, Passage.end_s, Passage.text)
        .join(Video, and_(Video.id == Passage.video_id, Passage.key == served))
        .where(Passage.video_id == video_id)
        .order_by(Passage.start_s, Passage.id)
    )
    return [PassageRow(row[0], Span(row[1], row[2]), row[3]) for row in s.execute(statement)]
