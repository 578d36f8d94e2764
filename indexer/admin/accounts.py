"""Named users of the search page: passwords are kept as scrypt hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from indexer.admin.local_actor import local_actor
from indexer.catalog import accounts, audit, collections
from indexer.catalog.accounts import AccountRow
from indexer.catalog.audit import Actor
from indexer.catalog.people.sign_in_attempts import count_attempt, forget_attempts
from indexer.errors import TooManyAttempts, UsageError
from indexer.vocabulary import AuditAction

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

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
    """Adds a user. No password: somebody who signs in with OpenID Connect under this name (an
    e-mail address that the provider has verified). Raises UsageError, also for a name that is
    taken.
    """
    hashed = None if password is None else _hash_password_checked(password)
    with catalog.begin() as session:
        ids = _collection_ids(session, collection_names)
        accounts.add_account(session, name, role, ids, password_hash=hashed)
        rights = {"role": role, "collections": list(collection_names or ["all"])}
        audit.record(session, AuditAction.CHANGED_RIGHTS, local_actor(), name, rights)


def change_user(
    catalog: Catalog,
    name: str,
    *,
    role: str | None = None,
    collection_names: Sequence[str] | None = None,
    all_collections: bool = False,
    password: str | None = None,
    oidc: bool = False,
) -> AccountRow:
    """Changes what is named and leaves the rest; the account as it is then. A new password, or
    none (`oidc`), ends the sessions. Raises UsageError.
    """
    values: dict[str, Any] = {}
    if password is not None:
        values["password_hash"] = _hash_password_checked(password)
    elif oidc:
        values["password_hash"] = None
    if role is not None:
        values["role"] = role
    with catalog.begin() as session:
        account = accounts.require_account(session, name)
        if all_collections:
            values["collection_ids"] = None
        elif collection_names:
            values["collection_ids"] = _collection_ids(session, collection_names)
        if values:
            accounts.change_account(session, account.id, **values)
            what: dict[str, str | list[str]] = {"changed": sorted(values)}
            if role is not None:
                what["role"] = role
            if all_collections or collection_names:
                what["collections"] = list(collection_names or ["all"])
            audit.record(session, AuditAction.CHANGED_RIGHTS, local_actor(), account.name, what)
        return accounts.require_account(session, name)


def change_own_password(catalog: Catalog, account_id: int, current: str, new: str) -> bool:
    """False where `current` is not the password. All sessions end. Raises UsageError for a new one
    that is too short or too long.
    """
    with catalog.read() as session:
        account = accounts.find_account(session, account_id=account_id)
    if account is None or not account.password_hash or not _matches(current, account.password_hash):
        return False
    hashed = _hash_password_checked(new)
    with catalog.begin() as session:
        accounts.change_account(session, account_id, password_hash=hashed)
        actor, what = Actor(account.name, account_id), {"changed": ["password_hash"]}
        audit.record(session, AuditAction.CHANGED_RIGHTS, actor, account.name, what)
    return True


def _collection_ids(session: Session, names: Sequence[str] | None) -> list[int] | None:
    return collections.find_collections(session, list(names)) if names else None


def _hash_password_checked(password: str) -> str:
    if not MINIMUM_LENGTH <= len(password) <= LONGEST:
        raise UsageError(
            "the password is too short or too long",
            "use {minimum_length} to {longest} characters",
            minimum_length=MINIMUM_LENGTH,
            longest=LONGEST,
        )
    return hash_password(password)


def try_password(catalog: Catalog, name: str, password: str, address: str) -> AccountRow | None:
    """As `check_password`, counted before it hashes. Raises TooManyAttempts."""
    note_attempt(catalog, name, address)
    account = check_password(catalog, name, password)
    with catalog.begin() as session:
        if account is None:
            audit.record(session, AuditAction.SIGN_IN_FAILED, Actor(name, None, address))
        else:
            forget_attempts(session, name, address)
    return account


def note_attempt(catalog: Catalog, name: str, address: str) -> None:
    """Counts an attempt at the password of the name. Raises TooManyAttempts."""
    with catalog.begin() as session:
        if not count_attempt(session, name, address):
            raise TooManyAttempts("too many attempts to sign in", "wait some minutes")


def check_password(catalog: Catalog, name: str, password: str) -> AccountRow | None:
    """The account; None for a wrong name or password, which take equally long."""
    with catalog.read() as session:
        account = accounts.find_account(session, name=name)
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
