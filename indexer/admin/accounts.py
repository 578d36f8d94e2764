"""Named users of the search page: passwords are kept as scrypt hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from indexer.admin.local_actor import local_actor
from indexer.catalog import accounts, audit, collections
from indexer.catalog.accounts import AccountRow
from indexer.errors import UsageError
from indexer.vocabulary import AuditAction

if TYPE_CHECKING:
    from indexer.catalog.database.session import Catalog

# One of the equal choices of OWASP's password storage cheat sheet: N=2^14, r=8, p=5 (16 MiB).
COST, BLOCK, PARALLEL = 2**14, 8, 5
MINIMUM_LENGTH = 8
LONGEST = 1024
_MEMORY = 256 * COST * BLOCK


def add_user(
    catalog: Catalog,
    name: str,
    password: str | None,
    role: str,
    collection_names: Sequence[str] | None = None,
) -> None:
    """Adds or changes a user. No password: somebody who signs in with OpenID Connect under this
    name (an e-mail address).
    """
    if password is not None and not MINIMUM_LENGTH <= len(password) <= LONGEST:
        raise UsageError(
            "the password is too short or too long",
            "use {minimum_length} to {longest} characters",
            minimum_length=MINIMUM_LENGTH,
            longest=LONGEST,
        )
    hashed = None if password is None else hash_password(password)
    with catalog.begin() as session:
        ids = (
            None
            if not collection_names
            else collections.find_collections(session, list(collection_names))
        )
        accounts.save_account(session, name, role, ids, hashed)
        rights = {"role": role, "collections": list(collection_names or ["all"])}
        audit.record(session, AuditAction.CHANGED_RIGHTS, local_actor(), name, rights)


def check_password(catalog: Catalog, name: str, password: str) -> AccountRow | None:
    """The account; None for a wrong name or password, which take equally long."""
    with catalog.read() as session:
        account = accounts.find_account(session, name=name.strip())
    stored = account.password_hash if account is not None and account.password_hash else _NOBODY
    return account if _matches(password, stored) and stored is not _NOBODY else None


def hash_password(password: str) -> str:
    """The password as it is stored: scrypt with a random salt."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, COST, BLOCK, PARALLEL)
    return f"scrypt${COST}${BLOCK}${PARALLEL}${salt.hex()}${digest.hex()}"


def _matches(password: str, stored: str) -> bool:
    _, cost, block, parallel, salt, digest = stored.split("$")
    return hmac.compare_digest(
        _scrypt(password, bytes.fromhex(salt), int(cost), int(block), int(parallel)).hex(), digest
    )


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    # NFKC: the same letters typed on two keyboards are the same password. A huge guess must not
    # cost more than a short one.
    text = unicodedata.normalize("NFKC", password[: LONGEST + 1]).encode("utf-8", "replace")
    return hashlib.scrypt(text, salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY, dklen=32)


_NOBODY = f"scrypt${COST}${BLOCK}${PARALLEL}${'00' * 16}${'00' * 32}"
