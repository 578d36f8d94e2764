"""Questions: to the library, and to one video over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grounding.spans import Span
from indexer.catalog.frames import get_cuts, get_filled
from indexer.catalog.video_queries import Filters
from indexer.search.types import Answer
from search_ui.api.filters import VideoFilters
from search_ui.api.rights import (
    LARGEST_ID,
    CurrentUser,
    VisibleVideo,
    chosen_collections,
    grounder_turn,
)
from search_ui.api.values import KeptPicture, Kind, SearchAnswer, VideoCurve
from search_ui.app_state import app_state
from search_ui.i18n.translator import translator_of
from search_ui.routes.media import visible_video
from search_ui.routes.upload import receive_picture
from search_ui.url_state import LONGEST_QUESTION, Place, is_picture, read_like

router = APIRouter(tags=["search"])
BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
Question = Annotated[str, Query(max_length=LONGEST_QUESTION, description="when does the dog jump?")]
PictureName = Annotated[
    str,
    Query(pattern="^([0-9a-f]{64})?$", description="The name of a picture that was sent before"),
]
_ANSWER = TypeAdapter(SearchAnswer)
MomentPlace = Annotated[
    str,
    Query(
        pattern=r"^(\d{1,18}@\d{1,7}(\.\d{1,6})?-\d{1,7}(\.\d{1,6})?)?$",
        description="VIDEO@START-END: what looks like that moment",
    ),
]


@router.get("/search", response_model=SearchAnswer, dependencies=[Depends(grounder_turn)])
def search(
    request: Request,
    user: CurrentUser,
    filters: VideoFilters,
    q: Question = "",
    picture: PictureName = "",
    like: MomentPlace = "",
    collection: Annotated[list[str] | None, Query(max_length=100)] = None,
    video_id: Annotated[int | None, Query(ge=0, le=LARGEST_ID)] = None,
    only: Annotated[
        list[Kind] | None, Query(max_length=10, description="The kinds of evidence that count")
    ] = None,
    titles: Annotated[
        bool, Query(description="Names and dates of files count too, unless `only` is given")
    ] = True,
    weak: Annotated[bool, Query(description="Weak moments too")] = False,
    ground: Annotated[bool, Query(description="The grounder looks at the best again")] = False,
    offset: Annotated[int, Query(ge=0, le=900)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Response:
    """Moments that answer a question, that look like a picture (with a question: both), or that
    look like a moment of the library; best first, page by page.
    """
    tr = translator_of(request)
    if not (q.strip() or picture or like) or (like and (q.strip() or picture)):
        raise HTTPException(422, tr("Ask with a question, a picture or both, or with a moment."))
    if (picture or like) and (video_id is not None or only or ground):
        words = tr("A video, kinds of evidence and the grounder go with a question alone.")
        raise HTTPException(422, words)
    _require_picture(request, picture)
    place = _place_of(request, like)
    chosen = chosen_collections(request, user, collection or ())
    if video_id is not None:
        visible_video(request, video_id)
    answer = Answer(q, q, False, 0.0, (), 0.0)
    if chosen is None or chosen:
        names = None if chosen is None else list(chosen.values())
        asked = _Asked(names, offset + limit + 1, video_id, only, filters, titles, ground)
        with app_state().searches.measure_time() as ended:
            answer = _ask(q, picture, place, asked)
            ended(answer.matched)
    notes = [tr(note) for note in answer.notes]
    found = SearchAnswer.of(answer, offset, limit, notes, weak=weak or bool(place))
    # Checking what is made here would take longer than writing it, and a thread more.
    return Response(_ANSWER.dump_json(found), media_type="application/json")


def _require_picture(request: Request, picture: str) -> None:
    if picture and not is_picture(picture):
        words = translator_of(request)("This picture is not kept: send it first.")
        raise HTTPException(422, words)


def _place_of(request: Request, like: str) -> Place | None:
    """The moment that is written, of a video that may be seen; 422 and 404."""
    place = read_like(like) if like else None
    if like and place is None:
        words = translator_of(request)("A moment is written VIDEO@START-END, in seconds.")
        raise HTTPException(422, words)
    if place is not None:
        visible_video(request, place.video_id)
    return place


def _span_of(place: Place) -> Span:
    return Span(place.start_s, place.end_s or place.start_s)


@dataclass(frozen=True, slots=True)
class _Asked:
    names: list[str] | None
    top: int
    video_id: int | None
    only: list[Kind] | None
    filters: Filters
    titles: bool
    ground: bool


def _ask(q: str, picture: str, place: Place | None, asked: _Asked) -> Answer:
    library = app_state().library
    if place is not None:
        return library.more_like(
            place.video_id,
            _span_of(place),
            collections=asked.names,
            top=asked.top,
            filters=asked.filters,
        )
    if picture:
        return library.search_picture(
            picture,
            question=q,
            collections=asked.names,
            top=asked.top,
            filters=asked.filters,
        )
    return library.search(
        q,
        collections=asked.names,
        top=asked.top,
        video_id=asked.video_id,
        only=asked.only,
        filters=asked.filters,
        titles=asked.titles and not asked.only,
        ground=asked.ground,
    )


@router.post("/pictures", status_code=201, openapi_extra=BYTES)
async def keep_picture(request: Request) -> KeptPicture:
    """Takes the body (JPEG, PNG, WebP, GIF, BMP, AVIF) as a picture to search by. The oldest of
    many go.
    """
    return KeptPicture(await receive_picture(request))


@router.get("/videos/{video_id}/curve")
def get_curve(
    request: Request,
    video: VisibleVideo,
    q: Question = "",
    picture: PictureName = "",
    like: MomentPlace = "",
) -> VideoCurve:
    """How well each part of a video fits a question, a picture or a moment, for each kind of
    evidence; strengths are in [0, 1]. Where nothing is asked, its cuts alone.
    """
    if sum((bool(q.strip()), bool(picture), bool(like))) > 1:
        words = translator_of(request)("Ask with a question, a picture or a moment.")
        raise HTTPException(422, words)
    place = _place_of(request, like)
    _require_picture(request, picture)
    library = app_state().library
    moment = None if place is None else (place.video_id, _span_of(place))
    lanes = library.lanes(video.id, question=q, like=moment, picture=picture)
    with library.catalog.read_replica() as session:
        cuts_s = get_cuts(session, [video.id]).get(video.id)
        filled = get_filled(session, video.id)
    return VideoCurve(
        video.id,
        lanes,
        [] if cuts_s is None else cuts_s.round(3).tolist(),
        [(round(span.start_s, 3), round(span.end_s, 3)) for span in filled],
    )
