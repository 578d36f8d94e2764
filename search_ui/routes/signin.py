"""Signing in and out. Both ways in, by password and by OpenID Connect, end in the same cookie."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.admin.accounts import check_password
from indexer.catalog import accounts
from indexer.catalog.accounts import AccountRow
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.auth.oidc import forget_identity, identity_of, login_url
from search_ui.auth.sessions import COOKIE
from search_ui.i18n.translator import Translator, translator_of

STYLE = Path(__file__).parents[1] / "sign_in.css"
NEXT_COOKIE = "seekpoint_next"
LARGEST_FORM_BYTES = 10_000


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
    if int(request.headers.get("content-length") or LARGEST_FORM_BYTES + 1) > LARGEST_FORM_BYTES:
        return _page(request, tr("The name or the password is wrong."), 413)
    form = await request.form(max_files=0, max_fields=5)
    name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    address = request.client.host if request.client else ""
    throttle = app_state().login_throttle
    if throttle.is_blocked(name, address):
        return _page(request, tr("Too many attempts. Wait some minutes."), 429)
    account = await run_in_threadpool(check_password, app_state().library.catalog, name, password)
    if account is None:
        throttle.add_failure(name, address)
        return _page(request, tr("The name or the password is wrong."), 401)
    throttle.clear(name)
    return _enter(request, account, str(form.get("next", "/")))


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
        problem = tr("{name} may not enter here. Ask whoever runs this page.", name=identity)
        problem = problem if identity else ""
        return forget_identity(request, _page(request, problem, 403))
    response = _enter(request, account, request.cookies.get(NEXT_COOKIE, "/"))
    response.delete_cookie(NEXT_COOKIE)
    return response


def _account_of(identity: str) -> AccountRow | None:
    role = app_state().settings.oidc_role
    with app_state().library.catalog.read() as session:
        account = accounts.find_account(session, name=identity)
    if account is None and role:
        with app_state().library.catalog.begin() as session:
            accounts.save_account(session, identity, role, None, None)
            account = accounts.find_account(session, name=identity)
    return account


async def sign_out_form(request: Request) -> Response:
    """The form to sign out."""
    tr = translator_of(request)
    name, label = escape(request.state.user.name), escape(tr("Sign out"))
    body = f'<form method="post"><p>{name}</p><button>{label}</button></form>'
    return _html(tr, body)


def sign_out(request: Request) -> Response:
    """Ends all sessions of the account: a page in another window still holds the old cookie."""
    user: User = request.state.user
    if user.account_id is not None:
        with app_state().library.catalog.begin() as session:
            accounts.end_sessions(session, user.account_id)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return forget_identity(request, response)


def _enter(request: Request, account: AccountRow, next_path: str) -> Response:
    response = RedirectResponse(own_path(next_path), 303)
    sessions = app_state().sessions
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
    response.set_cookie(
        COOKIE,
        sessions.issue(account),
        max_age=sessions.max_age_s,
        httponly=True,
        samesite="lax",
        secure=secure,
    )
    return response


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
    return _html(tr, body, status)


def _html(tr: Translator, body: str, status: int = 200) -> Response:
    document = f"""<!doctype html>
<html lang="{tr.language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Seekpoint: {escape(tr("Sign in"))}</title>
<style>{STYLE.read_text(encoding="utf-8")}</style><script>{_THEME}</script>
</head>
<body><main><h1>Seekpoint</h1>{body}</main></body>
</html>"""
    return HTMLResponse(document, status, headers={"Cache-Control": "no-store"})


# The choice that somebody made on a page of Streamlit's (components/frame.js) holds here too.
_THEME = (
    "document.documentElement.dataset.theme = localStorage.getItem('seekpoint-theme') ?? 'System'"
)
