"""Signing in and out. Both ways in, by password and by OpenID Connect, end in the same cookie."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.admin.accounts import check_password
from indexer.catalog import accounts
from indexer.catalog.accounts import AccountRow
from search_ui.app_state import site
from search_ui.oidc import forget_identity, identity_of, login_url
from search_ui.sessions import COOKIE
from search_ui.strings import Texts, texts_of
from search_ui.user import Viewer

NEXT_COOKIE = "seekpoint_next"
LARGEST_FORM_BYTES = 10_000


def routes() -> list[BaseRoute]:
    return [
        Route("/sign-in", ask, methods=["GET"]),
        Route("/sign-in", check, methods=["POST"]),
        Route("/sign-in/oidc", by_oidc, methods=["GET"]),
        Route("/sign-out", ask_out, methods=["GET"]),
        Route("/sign-out", leave, methods=["POST"]),
    ]


async def ask(request: Request) -> Response:
    return _page(request, "")


async def check(request: Request) -> Response:
    texts = texts_of(request)
    if int(request.headers.get("content-length") or LARGEST_FORM_BYTES + 1) > LARGEST_FORM_BYTES:
        return _page(request, texts("sign_in.wrong"), 413)
    form = await request.form(max_files=0, max_fields=5)
    name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    address = request.client.host if request.client else ""
    failures = site().failures
    if failures.too_many(name, address):
        return _page(request, texts("sign_in.wait"), 429)
    account = await run_in_threadpool(check_password, site().library.catalog, name, password)
    if account is None:
        failures.add(name, address)
        return _page(request, texts("sign_in.wrong"), 401)
    failures.clear(name)
    return _enter(request, account, str(form.get("next", "/")))


def by_oidc(request: Request) -> Response:
    """To the provider, and back from it: Streamlit has then checked who it is; whether they may
    enter is decided here.
    """
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
        problem = texts_of(request)("sign_in.unknown", name=identity) if identity else ""
        return forget_identity(request, _page(request, problem, 403))
    response = _enter(request, account, request.cookies.get(NEXT_COOKIE, "/"))
    response.delete_cookie(NEXT_COOKIE)
    return response


def _account_of(identity: str) -> AccountRow | None:
    role = site().settings.oidc_role
    with site().library.catalog.read() as session:
        account = accounts.find_account(session, name=identity)
    if account is None and role:
        with site().library.catalog.begin() as session:
            accounts.save_account(session, identity, role, None, None)
            account = accounts.find_account(session, name=identity)
    return account


async def ask_out(request: Request) -> Response:
    texts = texts_of(request)
    body = f'<form method="post"><p>{escape(request.state.viewer.name)}</p><button>{escape(texts("sign_out"))}</button></form>'
    return _html(texts, body)


def leave(request: Request) -> Response:
    """Everywhere: a page that is open in another window holds the old cookie for as long as it is
    open.
    """
    viewer: Viewer = request.state.viewer
    if viewer.account_id is not None:
        with site().library.catalog.begin() as session:
            accounts.end_sessions(session, viewer.account_id)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return forget_identity(request, response)


def _enter(request: Request, account: AccountRow, next_path: str) -> Response:
    response = RedirectResponse(own_path(next_path), 303)
    sessions = site().sessions
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
    plain = (
        text.startswith("/")
        and not text.startswith("//")
        and "\\" not in text
        and text.isprintable()
    )
    return text if plain and not text.startswith(("/sign-in", "/sign-out")) else "/"


def _page(request: Request, problem: str, status: int = 200) -> Response:
    texts = texts_of(request)
    next_path = own_path(request.query_params.get("next", "/"))
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    other = f'<a class="button" href="/sign-in/oidc?next={quote(next_path, safe="")}">{escape(texts("sign_in.oidc"))}</a>'
    body = f"""<form method="post">{alert}
<label for="name">{escape(texts("sign_in.name"))}</label>
<input id="name" name="name" autocomplete="username" required autofocus>
<label for="password">{escape(texts("sign_in.password"))}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<input type="hidden" name="next" value="{escape(next_path)}">
<button>{escape(texts("sign_in"))}</button>{other if site().settings.oidc_metadata_url else ""}</form>"""
    return _html(texts, body, status)


def _html(texts: Texts, body: str, status: int = 200) -> Response:
    title = escape(texts("sign_in"))
    return HTMLResponse(
        f"""<!doctype html><html lang="{texts.language}"><head><meta charset="utf-8"><title>Seekpoint: {title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style><script>{_THEME}</script></head>
<body><main><h1>Seekpoint</h1>{body}</main></body></html>""",
        status,
        headers={"Cache-Control": "no-store"},
    )


# The choice that somebody made on a page of Streamlit's (components/frame.js) holds here too.
_THEME = (
    "document.documentElement.dataset.theme = localStorage.getItem('seekpoint-theme') ?? 'System'"
)
_STYLE = """
:root { color-scheme: light; --ground: #fbfaf7; --ink: #1f2421; --line: #d9d6cd; --accent: #0f766e; --on: #fff }
[data-theme=Dark] { color-scheme: dark; --ground: #14171a; --ink: #e8e6e1; --line: #33383d; --accent: #5eb8ae; --on: #10201e }
@media (prefers-color-scheme: dark) {
  :root:not([data-theme=Light]) { color-scheme: dark; --ground: #14171a; --ink: #e8e6e1; --line: #33383d; --accent: #5eb8ae; --on: #10201e }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink) }
body, input, button { font: 16px/1.5 system-ui, sans-serif }
main { width: min(22rem, 100vw - 2rem) }
h1 { font-weight: 650; margin: 0 0 1rem }
form { display: grid; gap: .5rem }
label { font-size: .9rem }
input, button, .button { padding: .65rem .8rem; border-radius: .6rem; border: 1px solid var(--line); background: transparent }
input, button, .button { color: inherit; text-align: center; text-decoration: none }
input { text-align: left }
button { margin-top: .5rem; background: var(--accent); color: var(--on); border-color: transparent; cursor: pointer }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
[role=alert] { color: #c2410c; margin: 0 }
"""
