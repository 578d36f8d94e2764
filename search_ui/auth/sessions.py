"""The signed cookie that says who is there. It names an account and its epoch; what that account
may do is read at each request.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer

from indexer.catalog import accounts
from indexer.catalog.accounts import AccountRow
from indexer.catalog.database.session import Catalog
from indexer.settings import Settings
from search_ui.auth.access_rights import User

COOKIE = "seekpoint_session"


class Sessions:
    """Makes and reads the cookie's value."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self.max_age_s = int(settings.ui_session_days * 86_400)
        self._serializer = URLSafeTimedSerializer(
            settings.ui_secret or kept_secret(settings.home_path), salt=COOKIE
        )

    def issue(self, account: AccountRow) -> str:
        """A signed session token for the account."""
        return self._serializer.dumps([account.id, account.epoch])

    def user(self, cookies: Mapping[str, str]) -> User | None:
        """None: no cookie, a forged or old one, or an account that is gone or has changed since."""
        value = cookies.get(COOKIE)
        if not value:
            return None
        try:
            account_id, epoch = self._serializer.loads(value, max_age=self.max_age_s)
        except BadSignature:
            return None
        with self._catalog.read() as session:
            account = accounts.find_account(session, account_id=account_id)
        return User.of(account) if account is not None and account.epoch == epoch else None


def kept_secret(home: Path) -> str:
    """The secret in the home, made at first use; only its owner may read it."""
    path = home / "ui_secret"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=home, prefix=".ui_secret", delete=False
        ) as file:  # made with mode 0600
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(
                file.name, path
            )  # of two processes that start at once one wins, and both read its secret
        except FileExistsError:
            pass
        finally:
            os.unlink(file.name)
    return path.read_text()
