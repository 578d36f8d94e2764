"""What people say of answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grounding.spans import Span
from indexer.catalog.people import feedback
from search_ui.api.rights import LARGEST_ID, CurrentUser
from search_ui.api.values import Body, FeedbackItem
from search_ui.app_state import app_state
from search_ui.i18n.translator import translator_of
from search_ui.routes.media import visible_video
from search_ui.url_state import LONGEST_QUESTION

router = APIRouter(tags=["feedback"])
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class NewFeedback(Body):
    """Whether a span of a video shows what was asked."""

    question: str = Field(min_length=1, max_length=LONGEST_QUESTION)
    video_id: int = Field(ge=0, le=LARGEST_ID)
    start_s: Seconds
    end_s: Seconds
    good: bool


@router.post("/feedback", status_code=201)
def give_feedback(request: Request, user: CurrentUser, body: NewFeedback) -> FeedbackItem:
    """Says whether a moment answers a question, in place of what you said of it before.
    `seekpoint evaluate --feedback` takes it as ground truth.
    """
    tr = translator_of(request)
    if body.end_s <= body.start_s or not body.question.strip():
        raise HTTPException(422, tr("Give a question, and a span that is longer than nothing."))
    video = visible_video(request, body.video_id)
    span = Span(body.start_s, body.end_s)
    with app_state().library.catalog.begin() as session:
        feedback.add_feedback(session, body.question, video.id, span, body.good, **user.owner)
        newest = feedback.list_own_feedback(session, None, **user.owner)[0]
    return FeedbackItem.of(newest)


@router.get("/feedback")
def list_feedback(
    user: CurrentUser,
    q: Annotated[str | None, Query(min_length=1, max_length=LONGEST_QUESTION)] = None,
) -> list[FeedbackItem]:
    """What you said, of the answers to one question or of all, newest first."""
    with app_state().library.catalog.read() as session:
        found = feedback.list_own_feedback(session, q, **user.owner)
    return [FeedbackItem.of(one) for one in found]


@router.delete("/feedback/{feedback_id}", status_code=204, response_class=Response)
def take_back_feedback(
    request: Request,
    user: CurrentUser,
    feedback_id: Annotated[int, Path(ge=0, le=LARGEST_ID)],
) -> None:
    """Takes back what you said."""
    with app_state().library.catalog.begin() as session:
        if not feedback.delete_feedback(session, feedback_id, **user.owner):
            raise HTTPException(404, translator_of(request)("You have not said that."))
