"""Signing in and out. Both ways in, by password and by OpenID Connect, end in the same cookie."""

from __future__ import annotations

import contextlib
from html import escape
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.admin.accounts import try_password
from indexer.catalog import accounts, audit
from indexer.catalog.accounts import AccountRow
from indexer.catalog.people import sessions
from indexer.errors import TooManyAttempts, UsageError
from indexer.vocabulary import AuditAction
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.auth.oidc import Identity, forget_identity, identity_of, login_url
from search_ui.auth.password_pool import PoolBusyError
from search_ui.auth.sessions import COOKIE
from search_ui.i18n.translator import translator_of
from search_ui.routes.plain_page import plain_page, small_form

NEXT_COOKIE = "seekpoint_next"


def routes() -> list[BaseRoute]:
    """Routes to sign in and out."""
    return [
        Route("/sign-in", sign_in_form, methods=["GET"]),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-in/oidc", sign_in_by_oidc, methods=["GET"]),
        Route("/sign-out", sign_out_form, methods=["GET"]),
        Route("/sign-out", sign_out, methods=["POST"]),
    ]


async def sign_in_form(request: Request) -> Response:
    """The form to sign in."""
    return _page(request, "")


async def sign_in(request: Request) -> Response:
    """Checks name and password; sets the session cookie."""
    tr = translator_of(request)
    form = await small_form(request)
    if form is None:
        return _page(request, tr("The name or the password is wrong."), 413)
    name, password = form.get("name", ""), form.get("password", "")
    shared, address = app_state(), client_address(request)
    try:
        account = await shared.passwords.run(
            lambda: try_password(shared.library.catalog, name, password, address)
        )
    except TooManyAttempts:
        return _page(request, tr("Too many attempts. Wait some minutes."), 429)
    except PoolBusyError:
        return _page(request, tr("Too many people sign in just now. Try again."), 503)
    if account is None:
        return _page(request, tr("The name or the password is wrong."), 401)
    return await run_in_threadpool(_enter, request, account, form.get("next", "/"))


def sign_in_by_oidc(request: Request) -> Response:
    """To the provider and back: Streamlit checks who it is, we decide whether they may enter."""
    identity = identity_of(request)
    if identity is None and "_streamlit_user" not in request.cookies:
        response = RedirectResponse(login_url(), 303)
        response.set_cookie(
            NEXT_COOKIE,
            request.query_params.get("next", "/"),
            max_age=600,
            httponly=True,
            samesite="lax",
        )
        return response
    account = _account_of(identity) if identity else None
    if account is None:
        tr = translator_of(request)
        problem = ""
        if identity:
            problem = tr(
                "{name} may not enter here. Ask whoever runs this page.", name=identity.name
            )
        return forget_identity(request, _page(request, problem, 403))
    response = _enter(request, account, request.cookies.get(NEXT_COOKIE, "/"))
    response.delete_cookie(NEXT_COOKIE)
    # The session is ours from now on: an identity that was kept could begin another one later.
    return forget_identity(request, response)


def _account_of(identity: Identity) -> AccountRow | None:
    """The account of issuer and subject; at the first time one that was made for the verified
    address and has no password, or a new one where anybody of the provider may enter.
    """
    pair = (identity.issuer, identity.subject)
    with app_state().library.catalog.begin() as session:
        account = accounts.find_account(session, identity=pair)
        if account is not None:
            return account
        made = accounts.find_account(session, name=identity.email) if identity.email else None
        if made is not None:
            return made if accounts.bind_identity(session, made.id, *pair) else None
        role = app_state().settings.oidc_role
        with contextlib.suppress(UsageError):  # a name that nobody could have
            if role:
                accounts.add_account(session, identity.name, role, None, identity=pair)
        return accounts.find_account(session, identity=pair)


async def sign_out_form(request: Request) -> Response:
    """The form to sign out."""
    tr = translator_of(request)
    name, label = escape(request.state.user.name), escape(tr("Sign out"))
    body = f'<form method="post"><p>{name}</p><button>{label}</button></form>'
    return plain_page(tr, tr("Sign out"), body)


def sign_out(request: Request) -> Response:
    """Ends this session."""
    user: User = request.state.user
    if user.account_id is not None and user.session_id is not None:
        with app_state().library.catalog.begin() as session:
            sessions.end_session(session, user.account_id, user.session_id)
            audit.record(session, AuditAction.SIGNED_OUT, user.actor(client_address(request)))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return forget_identity(request, response)


def _enter(request: Request, account: AccountRow, next_path: str) -> Response:
    response = RedirectResponse(own_path(next_path), 303)
    set_session(request, response, account)
    return response


def set_session(request: Request, response: Response, account: AccountRow) -> None:
    """Begins a session of the account in the browser that sent the request."""
    shown = app_state().sessions
    browser = request.headers.get("user-agent", "")
    response.set_cookie(
        COOKIE,
        shown.begin(account, client_address(request), browser),
        max_age=shown.max_age_s,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def client_address(request: Request) -> str:
    """Where the request comes from: behind a trusted proxy, what that says."""
    return request.client.host if request.client else ""


def own_path(text: str) -> str:
    """A path of this site; anything that could lead elsewhere becomes the first page."""
    is_own = (
        text.startswith("/")
        and not text.startswith("//")
        and "\\" not in text
        and text.isprintable()
    )
    return text if is_own and not text.startswith(("/sign-in", "/sign-out")) else "/"


def _page(request: Request, problem: str, status: int = 200) -> Response:
    tr = translator_of(request)
    next_path = own_path(request.query_params.get("next", "/"))
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    other_way = ""
    if app_state().settings.oidc_metadata_url:
        href, label = (
            f"/sign-in/oidc?next={quote(next_path, safe='')}",
            tr("Sign in with your organisation"),
        )
        other_way = f'<a class="button" href="{href}">{escape(label)}</a>'
    body = f"""<form method="post">{alert}
<label for="name">{escape(tr("Name"))}</label>
<input id="name" name="name" autocomplete="username" required autofocus>
<label for="password">{escape(tr("Password"))}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<input type="hidden" name="next" value="{escape(next_path)}">
<button>{escape(tr("Sign in"))}</button>{other_way}</form>"""
    return plain_page(tr, tr("Sign in"), body, status)
