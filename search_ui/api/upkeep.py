"""Looking after the library: what fails or waits, what is installed, its words as one file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from indexer.admin.export import transcripts_text
from search_ui.api.rights import (
    CurrentUser,
    VisibleVideo,
    chosen_collections,
    require_all,
    require_editor,
)
from search_ui.api.values import CheckItem, Dropped, ModelItem, PublishedItem
from search_ui.app_state import app_state
from search_ui.i18n.translator import translator_of

router = APIRouter(tags=["upkeep"])


@router.get("/transcripts", response_class=Response)
def get_transcripts(
    request: Request,
    user: CurrentUser,
    collection: Annotated[list[str] | None, Query(max_length=100)] = None,
) -> Response:
    """Everything that is said, written or heard in collections, a JSON object a line."""
    chosen = chosen_collections(request, user, collection or ())
    names = None if chosen is None else list(chosen.values())
    nothing_to_see = names is not None and not names
    text = "" if nothing_to_see else transcripts_text(app_state().library.context, names)
    return Response(text.encode(), media_type="application/jsonl")


@router.post("/videos/{video_id}/cancel")
def cancel_video(request: Request, user: CurrentUser, video: VisibleVideo) -> Dropped:
    """Drops what waits to be done of a video; what is done stays searchable."""
    require_editor(request, user)
    return Dropped(app_state().library.cancel([video.id]))


@router.post("/cancel")
def cancel_all(request: Request, user: CurrentUser) -> Dropped:
    """Drops all that waits; for editors who may see all collections."""
    require_editor(request, user)
    require_all(request, user)
    return Dropped(app_state().library.cancel())


@router.post("/reindex")
def reindex(request: Request, user: CurrentUser) -> list[PublishedItem]:
    """Writes all vector snapshots again, and answers when that is done; for editors who may see
    all collections.
    """
    require_editor(request, user)
    require_all(request, user)
    return [PublishedItem.of(one) for one in app_state().library.reindex()]


@router.get("/checks")
def get_checks(request: Request, user: CurrentUser) -> list[CheckItem]:
    """What `seekpoint doctor` finds; for those who may see all collections."""
    require_all(request, user)
    tr = translator_of(request)
    return [CheckItem.of(check, tr) for check in app_state().library.doctor()]


@router.get("/models")
def list_models(request: Request, user: CurrentUser) -> list[ModelItem]:
    """The models that are known, and whether they are installed and in use."""
    del user
    tr = translator_of(request)
    return [ModelItem.of(model, tr) for model in app_state().library.models()]
