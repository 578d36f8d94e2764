"""One's own account: the password, and the browsers in which one is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.admin.accounts import change_own_password, note_attempt
from indexer.catalog import accounts, audit
from indexer.catalog.accounts import AccountRow
from indexer.catalog.people import sessions
from indexer.catalog.people.sessions import SessionRow
from indexer.errors import TooManyAttempts, UsageError
from indexer.vocabulary import AuditAction
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.auth.password_pool import PoolBusyError
from search_ui.i18n.translator import Translator, translator_of
from search_ui.routes.plain_page import plain_page, small_form
from search_ui.routes.signin import client_address, set_session


def routes() -> list[BaseRoute]:
    """Routes of one's own account."""
    return [
        Route("/account", account_page, methods=["GET"]),
        Route("/account/password", change_password, methods=["POST"]),
        Route("/account/sessions/{session_id:int}", end_session, methods=["POST"]),
        Route("/account/sessions", end_other_sessions, methods=["POST"]),
    ]


def account_page(request: Request) -> Response:
    """Forms to change the password and to end sessions."""
    return _page(request, "")


async def change_password(request: Request) -> Response:
    """Ends all sessions, and begins a new one here."""
    user, tr = _require_user(request), translator_of(request)
    form = await small_form(request) or {}
    current, new = form.get("current", ""), form.get("new", "")
    if new != form.get("again"):
        return await run_in_threadpool(
            _page, request, tr("The two new passwords are not the same."), 422
        )
    address, catalog = client_address(request), app_state().library.catalog

    def change() -> bool:
        # Whoever finds an open browser may not guess the password there.
        note_attempt(catalog, user.name, address)
        return change_own_password(catalog, user.account_id or 0, current, new)

    try:
        changed = await app_state().passwords.run(change)
    except TooManyAttempts:
        return await run_in_threadpool(
            _page, request, tr("Too many attempts. Wait some minutes."), 429
        )
    except PoolBusyError:
        return await run_in_threadpool(
            _page, request, tr("Too many people sign in just now. Try again."), 503
        )
    except UsageError as error:
        return await run_in_threadpool(_page, request, tr(error.full_message), 422)
    if not changed:
        return await run_in_threadpool(_page, request, tr("The current password is wrong."), 403)
    response = RedirectResponse("/account", 303)
    await run_in_threadpool(set_session, request, response, _account(user))
    return response


def end_session(request: Request) -> Response:
    """Ends one session of one's own."""
    user = _require_user(request)
    session_id = min(request.path_params["session_id"], 2**62)
    with app_state().library.catalog.begin() as session:
        if sessions.end_session(session, user.account_id or 0, session_id):
            _note(session, request, user, 1)
    return RedirectResponse("/account", 303)


def end_other_sessions(request: Request) -> Response:
    """Ends all sessions but this one."""
    user = _require_user(request)
    with app_state().library.catalog.begin() as session:
        count = accounts.end_sessions(session, user.account_id or 0, but=user.session_id)
        _note(session, request, user, count)
    return RedirectResponse("/account", 303)


def _note(session: Session, request: Request, user: User, count: int) -> None:
    actor = user.actor(client_address(request))
    audit.record(session, AuditAction.SIGNED_OUT, actor, details={"sessions": count})


def _require_user(request: Request) -> User:
    user: User = request.state.user
    if user.account_id is None:
        raise HTTPException(404, translator_of(request)("Nobody signs in on this page."))
    return user


def _account(user: User) -> AccountRow:
    with app_state().library.catalog.read() as session:
        account = accounts.find_account(session, account_id=user.account_id)
    if account is None:
        raise HTTPException(401)
    return account


def _page(request: Request, problem: str, status: int = 200) -> Response:
    user, tr = _require_user(request), translator_of(request)
    account = _account(user)
    with app_state().library.catalog.read() as session:
        found = sessions.list_sessions(session, account.id)
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    form = _password_form(tr) if account.password_hash else ""
    body = (
        f"<p>{escape(tr('Signed in as {name}', name=user.name))}</p>{alert}{form}"
        f"{_sessions(found, user, tr)}"
        f'<p><a href="/">{escape(tr("Back"))}</a> · '
        f'<a href="/sign-out">{escape(tr("Sign out"))}</a></p>'
    )
    return plain_page(tr, tr("Your account"), body, status)


def _password_form(tr: Translator) -> str:
    fields = (
        ("current", tr("Current password"), "current-password"),
        ("new", tr("New password"), "new-password"),
        ("again", tr("New password again"), "new-password"),
    )
    inputs = "".join(
        f'<label for="{name}">{escape(label)}</label>'
        f'<input id="{name}" name="{name}" type="password" autocomplete="{kind}" required>'
        for name, label, kind in fields
    )
    button = f"<button>{escape(tr('Change the password'))}</button>"
    return f'<form method="post" action="/account/password">{inputs}{button}</form>'


def _sessions(found: Sequence[SessionRow], user: User, tr: Translator) -> str:
    rows = "".join(_session(one, one.id == user.session_id, tr) for one in found)
    others = (
        f'<form method="post" action="/account/sessions">'
        f"<button>{escape(tr('End all others'))}</button></form>"
        if len(found) > 1
        else ""
    )
    return f"<h2>{escape(tr('Where you are signed in'))}</h2><ul>{rows}</ul>{others}"


def _session(one: SessionRow, here: bool, tr: Translator) -> str:
    seen = tr("seen {time} UTC", time=f"{one.seen_at:%Y-%m-%d %H:%M}")
    text = " · ".join(filter(None, (tr("this browser") if here else "", one.address, seen)))
    button = (
        ""
        if here
        else f'<form method="post" action="/account/sessions/{one.id}">'
        f"<button>{escape(tr('End'))}</button></form>"
    )
    return f"<li>{escape(text)}<br><small>{escape(one.browser)}</small>{button}</li>"
