"""OpenID Connect by Streamlit's own login: Streamlit talks to the provider and signs a cookie with
the identity, we read that cookie.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from streamlit.user_info import generate_login_redirect_url

# These have no public name in Streamlit 1.67, whose minor version is pinned for it.
from streamlit.web.server.starlette.starlette_auth_routes import _clear_auth_cookie
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from indexer.errors import UsageError
from indexer.settings import Settings


def streamlit_secrets(settings: Settings, cookie_secret: str) -> dict[str, Any]:
    """What Streamlit's login needs; empty without a provider. Raises UsageError for half of one."""
    wanted = {
        "server_metadata_url": settings.oidc_metadata_url,
        "client_id": settings.oidc_client_id,
        "client_secret": settings.oidc_client_secret,
        "redirect_uri": settings.oidc_redirect_uri,
    }
    if not any(wanted.values()):
        return {}
    for name, value in wanted.items():
        if not value:
            setting = "METADATA_URL" if name == "server_metadata_url" else name.upper()
            raise UsageError(
                "SEEKPOINT_OIDC_{setting} is not set",
                "OpenID Connect needs all four: docs/guides/page.md",
                setting=setting,
            )
    return {"auth": {**wanted, "cookie_secret": cookie_secret or secrets.token_urlsafe(48)}}


def login_url() -> str:
    """Where the identity provider asks the person to sign in."""
    return generate_login_redirect_url("default")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for: `issuer` and `subject` are never used for anybody else.
    `email` is empty where the provider does not say that it verified it.
    """

    issuer: str
    subject: str
    email: str

    @property
    def name(self) -> str:
        """For people."""
        return self.email or self.subject


def identity_of(request: Request) -> Identity | None:
    """Who signed in at the provider just now; None where nobody did."""
    found = _get_signed_cookie_with_chunks(dict(request.cookies), USER_COOKIE_NAME)
    if not found:
        return None
    claims: Mapping[str, Any] = json.loads(found)
    issuer, subject = str(claims.get("iss") or ""), str(claims.get("sub") or "")
    is_over = float(claims.get("exp") or 0) < time.time()
    if not claims.get("is_logged_in") or not issuer or not subject or is_over:
        return None
    # An address that the provider did not check could be anybody's.
    verified = claims.get("email_verified") is True
    return Identity(issuer, subject, str(claims.get("email") or "") if verified else "")


def forget_identity(request: Request, response: Response) -> Response:
    """Makes the browser drop the identity cookie."""
    _clear_auth_cookie(response, request)
    return response
