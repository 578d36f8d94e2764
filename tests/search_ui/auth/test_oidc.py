"""Signing in with OpenID Connect, against a provider that runs here: discovery, authorization code,
signed token, all over HTTP.
"""

from __future__ import annotations

import http.cookiejar
import json
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from indexer.admin.accounts import add_user
from search_ui.auth.sessions import COOKIE
from tests.search_ui.browser import serving
from tests.support import demo_library, free_port

KEY = RSAKey.generate_key(2048, {"kid": "k"})


class Provider(BaseHTTPRequestHandler):
    """Whoever comes is `server.claims`; nothing is asked."""

    def do_GET(self):
        server: ThreadingHTTPServer = self.server
        base = f"http://127.0.0.1:{server.server_port}"
        path = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(path.query))
        if path.path == "/.well-known/openid-configuration":
            places = {
                "authorization_endpoint": "/authorize",
                "token_endpoint": "/token",
                "jwks_uri": "/keys",
            }
            self._json(
                {
                    "issuer": base,
                    "id_token_signing_alg_values_supported": ["RS256"],
                    **{k: base + v for k, v in places.items()},
                }
            )
        elif path.path == "/authorize":
            server.nonce = query.get("nonce")
            self.send_response(302)
            self.send_header("Location", f"{query['redirect_uri']}?code=c&state={query['state']}")
            self.end_headers()
        else:
            self._json({"keys": [KEY.as_dict(private=False)]})

    def do_POST(self):
        server: ThreadingHTTPServer = self.server
        now = int(time.time())
        claims = {
            "iss": f"http://127.0.0.1:{server.server_port}",
            "aud": "seekpoint",
            "sub": "1",
            "iat": now,
            "exp": now + 600,
        }
        token = jwt.encode(
            {"alg": "RS256", "kid": "k"}, {**claims, "nonce": server.nonce, **server.claims}, KEY
        )
        self._json({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def _json(self, value: dict):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def provider():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.claims = {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def url(provider, tmp_path_factory):
    home = tmp_path_factory.mktemp("oidc") / "home"
    library = demo_library(home)
    add_user(library.catalog, "vera@example.com", None, "editor")
    add_user(library.catalog, "anna@example.com", None, "viewer")
    add_user(library.catalog, "paul@example.com", "a password", "editor")
    port = free_port()
    settings = {
        "oidc_metadata_url": f"http://127.0.0.1:{provider.server_port}/.well-known/openid-configuration",
        "oidc_client_id": "seekpoint",
        "oidc_client_secret": "s",
        "oidc_redirect_uri": f"http://127.0.0.1:{port}/oauth2callback",
    }
    with serving(home, "--sign-in", port=port, **settings) as url:
        yield url


def visit(url: str, path: str) -> tuple[int, str, str, dict[str, str]]:
    """Follows where it leads, with a cookie jar, as a browser would: status, address, page,
    cookies.
    """
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.addheaders = [("Accept", "text/html")]
    try:
        with opener.open(url + path, timeout=30) as answer:
            return (
                answer.status,
                answer.url,
                answer.read().decode(),
                {cookie.name: cookie.value or "" for cookie in jar},
            )
    except urllib.error.HTTPError as error:
        return (
            error.code,
            error.url or "",
            error.read().decode(),
            {cookie.name: cookie.value or "" for cookie in jar},
        )


def test_somebody_who_is_listed_enters_and_is_where_they_wanted(url, provider):
    provider.claims = {"email": "Vera@Example.com", "email_verified": True}
    status, at, _, cookies = visit(url, "/sign-in/oidc?next=%2F%3Fq%3Dgreen")
    assert (status, at) == (200, f"{url}/?q=green")
    assert COOKIE in cookies


def test_somebody_who_is_not_listed_does_not(url, provider):
    provider.claims = {
        "email": "<b>mallory</b>@example.com",
        "email_verified": True,
        "sub": "mallory",
    }
    status, _, page, cookies = visit(url, "/sign-in/oidc")
    assert status == 403
    assert "&lt;b&gt;mallory&lt;/b&gt;@example.com may not enter here" in page
    assert COOKIE not in cookies
    assert "_streamlit_user" not in cookies


def test_an_address_that_nobody_checked_is_nobodys(url, provider):
    provider.claims = {"email": "anna@example.com", "email_verified": False, "sub": "nobody"}
    assert visit(url, "/sign-in/oidc")[0] == 403


def test_a_forged_identity_is_refused(url, provider):
    provider.claims = {"email": "vera@example.com", "aud": "another application"}
    _, at, _, cookies = visit(url, "/sign-in/oidc")
    assert COOKIE not in cookies
    assert "/sign-in" in at
    request = urllib.request.Request(
        f"{url}/sign-in/oidc", headers={"Cookie": '_streamlit_user="2|1:0|10:1|5:x|forged"'}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == 403


def test_an_address_of_which_nothing_is_said_is_not_verified(url, provider):
    provider.claims = {"email": "anna@example.com", "sub": "anna"}
    assert visit(url, "/sign-in/oidc")[0] == 403


def test_somebody_is_known_by_issuer_and_subject_from_then_on(url, provider):
    provider.claims = {"email": "anna@example.com", "email_verified": True, "sub": "anna"}
    assert visit(url, "/sign-in/oidc?next=%2F")[0] == 200
    provider.claims = {"email": "married@example.com", "email_verified": True, "sub": "anna"}
    assert visit(url, "/sign-in/oidc?next=%2F")[0] == 200
    provider.claims = {"email": "anna@example.com", "email_verified": True, "sub": "another"}
    assert visit(url, "/sign-in/oidc")[0] == 403, "an address that was given to somebody else"


def test_an_account_with_a_password_is_nobodys_at_the_provider(url, provider):
    provider.claims = {"email": "Paul@example.com", "email_verified": True, "sub": "paul"}
    assert visit(url, "/sign-in/oidc")[0] == 403


def test_no_identity_is_kept_that_could_begin_another_session(url, provider):
    provider.claims = {"email": "vera@example.com", "email_verified": True}
    assert "_streamlit_user" not in visit(url, "/sign-in/oidc?next=%2F")[3]


def test_the_way_in_is_offered(url):
    assert "/sign-in/oidc" in visit(url, "/")[2]
