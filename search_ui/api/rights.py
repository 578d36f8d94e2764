"""Who asks the API, what of the library that concerns, and when it is their turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Annotated

from fastapi import Depends, Path
from starlette.exceptions import HTTPException
from starlette.requests import Request

from indexer.catalog import collections
from indexer.catalog.collections import collection_name
from indexer.catalog.database.text_normalize import normalize
from indexer.catalog.videos import VideoRow
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import translator_of
from search_ui.routes.media import visible_video

LARGEST_ID = 2**63 - 1
NO = frozenset({"", "0", "off", "f", "false", "n", "no"})


async def current_user(request: Request) -> User:
    """Whom the middleware let in. (Where nothing waits, a thread would only cost time.)"""
    return request.state.user


def video_of_path(
    request: Request, video_id: Annotated[int, Path(ge=0, le=LARGEST_ID)]
) -> VideoRow:
    """The video with the number in the address; 404 for one that is unknown or not to be seen."""
    return visible_video(request, video_id)


async def long_turn(request: Request) -> AsyncIterator[None]:
    """For what takes seconds or minutes, so that it is done a few times at once, and twice for one
    person. Whoever waits for a turn holds none of the threads that answer requests.
    """
    user: User = request.state.user
    async with app_state().turns_of(user), app_state().long_slots:
        yield


async def grounder_turn(request: Request) -> AsyncIterator[None]:
    """A long turn for a search that the grounder looks at; any other takes none."""
    is_asked = any(one.lower() not in NO for one in request.query_params.getlist("ground"))
    async with asynccontextmanager(long_turn)(request) if is_asked else nullcontext():
        yield


CurrentUser = Annotated[User, Depends(current_user)]
VisibleVideo = Annotated[VideoRow, Depends(video_of_path)]


def chosen_collections(request: Request, user: User, named: Sequence[str]) -> dict[int, str] | None:
    """Name by id of the collections to look in: those that are named, or all that the user may see;
    None: everything there is. 404 for a name that is unknown or not to be seen.
    """
    if user.collection_ids is None and not named:
        return None
    with app_state().library.catalog.read() as session:
        there = collections.list_collection_names(session)
    seen = {name: id for id, name in there if user.sees(id)}
    if not named:
        return {id: name for name, id in seen.items()}
    wanted = [name if name in seen else normalize("NFC", name) for name in named]
    for name in wanted:
        if name not in seen:
            if any(name == other for _, other in there):
                app_state().note_unseen(user, name)
            raise HTTPException(404, translator_of(request)("There is no such collection."))
    return {seen[name]: name for name in wanted}


def require_editor(request: Request, user: User) -> None:
    """403 for who may only look."""
    if not user.can_edit:
        raise HTTPException(403, translator_of(request)("Viewers cannot change the library."))


def require_all(request: Request, user: User) -> None:
    """403 for who may see some collections only."""
    if user.collection_ids is not None:
        words = translator_of(request)("Only those who may see all collections may see this.")
        raise HTTPException(403, words)


def editor_of(request: Request, user: User, collection: str) -> str:
    """The collection as it is called, to which the user may add; 403 for any other."""
    if not user.can_edit:
        raise HTTPException(403, translator_of(request)("Viewers cannot add videos."))
    name = collection_name(collection)
    if not app_state().may_add_to(user, name):
        raise HTTPException(403, translator_of(request)("There is no such collection for you."))
    return name
