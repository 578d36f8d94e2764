"""What people say of answers: whether a span of a video shows what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import count_changed, in_values
from indexer.catalog.people.owner import belongs_to
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import Video
from indexer.catalog.tables.saved import Feedback
from indexer.errors import UsageError

LONGEST_QUESTION = 2000
ROUNDING_S = 0.05  # spans that programs give back are rounded, lengths of containers too


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """`good`: the span shows what was asked. Times in UTC."""

    id: int
    question: str
    video_id: int
    span: Span
    good: bool
    created_at: datetime


def add_feedback(
    s: Session,
    question: str,
    video_id: int,
    span: Span,
    good: bool,
    *,
    account_id: int | None = None,
    token_id: int | None = None,
) -> int:
    """Notes what an account or a token says of a span, in place of what they said of it before; its
    id. Raises UsageError for an empty question and for a span that is not in the video.
    """
    question = sanitize_text(question).strip()[:LONGEST_QUESTION]
    if not question:
        raise UsageError("the question is empty", 'say what happens: "when does the dog jump?"')
    _require_inside(s, video_id, span)
    start_s, end_s = round(span.start_s, 3), round(span.end_s, 3)
    same = (
        belongs_to(Feedback, account_id, token_id)
        & (Feedback.video_id == video_id)
        & (Feedback.question == question)
        & (Feedback.start_s == start_s)
        & (Feedback.end_s == end_s)
    )
    count_changed(s, delete(Feedback).where(same))
    row = Feedback(
        account_id=account_id,
        token_id=token_id if account_id is None else None,
        video_id=video_id,
        question=question,
        start_s=start_s,
        end_s=end_s,
        good=good,
        created_at=utc_now(),
    )
    s.add(row)
    s.flush()
    return row.id


def _require_inside(s: Session, video_id: int, span: Span) -> None:
    duration_s = s.scalar(select(Video.duration_s).where(Video.id == video_id)) or 0.0
    if not (
        0 <= span.start_s < span.end_s <= duration_s + ROUNDING_S and span.start_s < duration_s
    ):
        raise UsageError(
            "{start_s:.3f} to {end_s:.3f} s is not a part of video {video_id}, whose end is at "
            "{duration_s:.3f} s",
            "give a start and an end inside the video",
            start_s=span.start_s,
            end_s=span.end_s,
            video_id=video_id,
            duration_s=duration_s,
        )


def delete_feedback(
    s: Session, feedback_id: int, *, account_id: int | None = None, token_id: int | None = None
) -> bool:
    """Takes back what an account or a token said; False where they said nothing of this id."""
    own = belongs_to(Feedback, account_id, token_id) & (Feedback.id == feedback_id)
    return count_changed(s, delete(Feedback).where(own)) > 0


def list_own_feedback(
    s: Session,
    question: str | None = None,
    *,
    account_id: int | None = None,
    token_id: int | None = None,
) -> list[FeedbackRow]:
    """What an account or a token said (of the answers to one question), newest first."""
    statement = select(Feedback).where(belongs_to(Feedback, account_id, token_id))
    if question is not None:
        statement = statement.where(Feedback.question == sanitize_text(question).strip())
    return [_row(row) for row in s.scalars(statement.order_by(Feedback.id.desc()))]


def list_feedback(s: Session, collection_ids: Sequence[int] | None = None) -> list[FeedbackRow]:
    """What anybody said of videos of these collections (None: of all), oldest first."""
    statement = select(Feedback).join(Video, Video.id == Feedback.video_id)
    if collection_ids is not None:
        statement = statement.where(in_values(s, Video.collection_id, collection_ids))
    return [_row(row) for row in s.scalars(statement.order_by(Feedback.id))]


def _row(row: Feedback) -> FeedbackRow:
    span = Span(row.start_s, row.end_s)
    return FeedbackRow(row.id, row.question, row.video_id, span, row.good, row.created_at)
