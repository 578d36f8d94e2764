"""The cookie that says who is there: a random token. Whose it is, and what that account may do, is
read from the catalog at each request, by whichever process answers.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from indexer.catalog import audit
from indexer.catalog.accounts import AccountRow
from indexer.catalog.audit import Actor
from indexer.catalog.database.session import Catalog
from indexer.catalog.people import sessions
from indexer.catalog.tables.base import utc_now
from indexer.errors import SeekpointError
from indexer.settings import Settings
from indexer.vocabulary import AuditAction
from search_ui.auth.access_rights import User

COOKIE = "seekpoint_session"
SEEN_EVERY_S = 300.0


class Sessions:
    """Makes and reads the cookie's value."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self.max_age_s = int(settings.ui_session_days * 86_400)

    def begin(self, account: AccountRow, address: str, browser: str) -> str:
        """The token of a new session of the account."""
        token = secrets.token_urlsafe(32)
        with self._catalog.begin() as session:
            sessions.add_session(session, account.id, token, address, browser, self.max_age_s)
            audit.record(session, AuditAction.SIGNED_IN, Actor(account.name, account.id, address))
        return token

    def user(self, cookies: Mapping[str, str]) -> User | None:
        """None: no cookie, or one of a session that has ended."""
        token = cookies.get(COOKIE)
        if not token or len(token) > 100:
            return None
        with self._catalog.read() as session:
            found = sessions.find_session(session, token)
        if found is None:
            return None
        account, row = found
        if (utc_now() - row.seen_at).total_seconds() > SEEN_EVERY_S:
            # When somebody was seen last is nice to know, and no reason to refuse them.
            with contextlib.suppress(SeekpointError), self._catalog.begin() as session:
                sessions.touch_session(session, row.id)
        return User.of(account, row.id)


def kept_secret(home: Path) -> str:
    """The secret in the home, made at first use; only its owner may read it."""
    path = home / "ui_secret"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
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
