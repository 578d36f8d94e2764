"""Tokens of the API: who shows one may do what it opens, and nothing else."""

from __future__ import annotations

import contextlib

from starlette.datastructures import Headers

from indexer.catalog.database.session import Catalog
from indexer.catalog.people import tokens
from indexer.catalog.tables.base import utc_now
from indexer.errors import SeekpointError
from search_ui.auth.access_rights import User

USED_EVERY_S = 60.0


class Tokens:
    """Read from the catalog at each request: one that is revoked opens nothing from then on."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def user(self, token: str) -> User | None:
        """None for a token that is unknown, revoked or expired."""
        with self._catalog.read() as session:
            found = tokens.find_token(session, token)
        if found is None:
            return None
        if found.used_at is None or (utc_now() - found.used_at).total_seconds() > USED_EVERY_S:
            # When it was used last is nice to know, and no reason to refuse it.
            with contextlib.suppress(SeekpointError), self._catalog.begin() as session:
                tokens.touch_token(session, found.id)
        return User.of_token(found)


def bearer_token(headers: Headers) -> str | None:
    """What stands behind `Authorization: Bearer`; None where nothing of the kind is sent."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
