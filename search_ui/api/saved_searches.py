"""Searches that are kept, and tell by webhook when new footage matches them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from indexer.catalog.people import alerts, saved_searches
from indexer.catalog.people.alerts import AlertRow
from indexer.catalog.people.saved_searches import SavedSearch
from indexer.questions.statement import read_question
from indexer.queue.webhooks import LONGEST_URL
from search_ui.alerts import require_webhook, set_webhook
from search_ui.api.rights import LARGEST_ID, CurrentUser, chosen_collections, long_turn
from search_ui.api.values import Body, Kind, SavedSearchItem, Webhook
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator, translator_of
from search_ui.url_state import FIRST_DAY, LAST_DAY, LONGEST_QUESTION, Link, Search, parse_link

router = APIRouter(tags=["saved searches"])
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Minutes = Annotated[float, Field(ge=0, lt=1e6, allow_inf_nan=False)]


class NewWebhook(Body):
    """Where to tell of new footage."""

    url: str = Field(min_length=1, max_length=LONGEST_URL)


class NewSavedSearch(Body):
    """A search as the page has it; no `title`: the question. Days are in UTC, both included."""

    question: str = Field(min_length=1, max_length=LONGEST_QUESTION)
    title: str = Field("", max_length=saved_searches.LONGEST_TITLE)
    collections: list[Annotated[str, Field(max_length=100)]] = Field([], max_length=100)
    only: list[Kind] = Field([], max_length=10)
    recorded_from: Day | None = None
    recorded_to: Day | None = None
    shortest_min: Minutes | None = None
    longest_min: Minutes | None = None
    name: str = Field("", max_length=200)
    webhook: NewWebhook | None = None


@router.post("/saved-searches", status_code=201, dependencies=[Depends(long_turn)])
def save_search(request: Request, user: CurrentUser, wanted: NewSavedSearch) -> SavedSearchItem:
    """Keeps a search. With a webhook, each video that becomes ready from now on and shows what was
    asked is told there; the answer holds the secret that signs the messages, this once.
    """
    read_question(wanted.question)  # refuses what asks for nothing
    chosen = chosen_collections(request, user, wanted.collections) or {}
    names = tuple(chosen.values()) if wanted.collections else ()
    secret = ""
    if wanted.webhook is not None:
        require_webhook(wanted.webhook.url)
    search = _search(wanted, names)
    title, link = wanted.title.strip() or wanted.question, Link(search).href()
    if len(link) > saved_searches.LONGEST_LINK:
        raise HTTPException(422, translator_of(request)("The search is too long to be kept."))
    with app_state().library.catalog.begin() as session:
        search_id = saved_searches.save_search(
            session, user.account_id, title, link, token_id=user.token_id
        )
        if wanted.webhook is not None:
            secret = set_webhook(session, search_id, search, names, wanted.webhook.url)
    return _one(request, user, search_id, secret)


@router.get("/saved-searches")
def list_saved_searches(request: Request, user: CurrentUser) -> list[SavedSearchItem]:
    """The searches that you keep, newest first; on the page they are the same."""
    found, states = _saved(user)
    tr = translator_of(request)
    return [_item(one, states.get(one.id), tr) for one in found]


@router.get("/saved-searches/{search_id}")
def get_saved_search(
    request: Request, user: CurrentUser, search_id: Annotated[int, Path(ge=0, le=LARGEST_ID)]
) -> SavedSearchItem:
    """A search that you keep, and how its webhook does."""
    return _one(request, user, search_id)


@router.delete("/saved-searches/{search_id}", status_code=204, response_class=Response)
def delete_saved_search(
    request: Request, user: CurrentUser, search_id: Annotated[int, Path(ge=0, le=LARGEST_ID)]
) -> None:
    """Forgets a search; its webhook is told nothing any more."""
    with app_state().library.catalog.begin() as session:
        deleted = saved_searches.delete_search(
            session, user.account_id, search_id, token_id=user.token_id
        )
    if not deleted:
        raise HTTPException(404, translator_of(request)("There is no such search."))


def _search(wanted: NewSavedSearch, names: tuple[str, ...]) -> Search:
    return Search(
        text=wanted.question,
        collections=names,
        only=tuple(dict.fromkeys(wanted.only)),
        recorded_from=wanted.recorded_from,
        recorded_to=wanted.recorded_to,
        shortest_min=wanted.shortest_min,
        longest_min=wanted.longest_min,
        name=wanted.name,
    )


def _saved(user: User) -> tuple[list[SavedSearch], dict[int, AlertRow]]:
    with app_state().library.catalog.read() as session:
        found = saved_searches.list_searches(
            session, user.account_id, saved=True, token_id=user.token_id
        )
        return found, alerts.list_alerts(session, [one.id for one in found])


def _one(request: Request, user: User, search_id: int, secret: str = "") -> SavedSearchItem:
    found, states = _saved(user)
    tr = translator_of(request)
    for one in found:
        if one.id == search_id:
            return _item(one, states.get(one.id), tr, secret)
    raise HTTPException(404, tr("There is no such search."))


def _item(
    saved: SavedSearch, alert: AlertRow | None, tr: Translator, secret: str = ""
) -> SavedSearchItem:
    search = parse_link(saved.link).search
    webhook = None
    if alert is not None:
        error = tr(alert.error) if alert.error else None
        webhook = Webhook(alert.url, secret or None, alert.waiting, alert.failed, error)
    return SavedSearchItem(
        id=saved.id,
        title=saved.title,
        link=saved.link,
        asked_at=saved.asked_at,
        question=search.text,
        collections=list(search.collections),
        only=list(search.only),
        recorded_from=search.recorded_from,
        recorded_to=search.recorded_to,
        shortest_min=search.shortest_min,
        longest_min=search.longest_min,
        name=search.name,
        webhook=webhook,
    )
