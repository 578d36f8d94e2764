"""Questions: to the library, and to one video over time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request

from indexer.catalog.frames import get_cuts
from indexer.search.types import Answer
from search_ui.api.filters import VideoFilters
from search_ui.api.rights import LARGEST_ID, CurrentUser, VisibleVideo, chosen_collections
from search_ui.api.values import Kind, SearchAnswer, VideoCurve
from search_ui.app_state import app_state
from search_ui.i18n.translator import translator_of
from search_ui.routes.media import visible_video
from search_ui.url_state import LONGEST_QUESTION

router = APIRouter(tags=["search"])
Question = Annotated[str, Query(min_length=1, max_length=LONGEST_QUESTION)]


@router.get("/search")
def search(
    request: Request,
    user: CurrentUser,
    filters: VideoFilters,
    q: Annotated[
        str,
        Query(min_length=1, max_length=LONGEST_QUESTION, description="when does the dog jump?"),
    ],
    collection: Annotated[list[str] | None, Query(max_length=100)] = None,
    video_id: Annotated[int | None, Query(ge=0, le=LARGEST_ID)] = None,
    only: Annotated[
        list[Kind] | None, Query(max_length=10, description="The kinds of evidence that count")
    ] = None,
    weak: Annotated[bool, Query(description="Weak moments too")] = False,
    offset: Annotated[int, Query(ge=0, le=900)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> SearchAnswer:
    """Moments that answer a question, best first, page by page."""
    chosen = chosen_collections(request, user, collection or ())
    if video_id is not None:
        visible_video(request, video_id)
    answer = Answer(q, q, False, 0.0, (), 0.0)
    if chosen is None or chosen:
        with app_state().searches.measure_time() as ended:
            answer = app_state().library.search(
                q,
                collections=None if chosen is None else list(chosen.values()),
                top=offset + limit + 1,
                video_id=video_id,
                only=only,
                filters=filters,
                titles=not only,
            )
            ended(answer.matched)
    notes = [translator_of(request)(note) for note in answer.notes]
    return SearchAnswer.of(answer, offset, limit, notes, weak=weak)


@router.get("/videos/{video_id}/curve")
def get_curve(video: VisibleVideo, q: Question) -> VideoCurve:
    """How well each part of a video fits a question, for each kind of evidence; strengths are in
    [0, 1].
    """
    library = app_state().library
    lanes = library.lanes(video.id, question=q)
    with library.catalog.read() as session:
        cuts_s = get_cuts(session, [video.id]).get(video.id)
    return VideoCurve(video.id, lanes, [] if cuts_s is None else cuts_s.round(3).tolist())
