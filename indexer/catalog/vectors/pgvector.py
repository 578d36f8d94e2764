"""The extension pgvector of a PostgreSQL server, and what else is asked of the server."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from indexer.errors import CatalogError

PGVECTOR_NEEDED = (0, 8)
"""halfvec came with 0.7, scans that go on until enough rows passed the filters (iterative scan)
with 0.8.
"""

_VERSIONS = text(
    "SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'"
)
_IS_SUPERUSER = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
_IS_TRUSTED = text(
    "SELECT coalesce(bool_or(trusted), false) FROM pg_available_extension_versions "
    "WHERE name = 'vector'"
)


def require_pgvector(connection: Connection) -> None:
    """Adds the extension to the database. Raises CatalogError where the server has none, or one
    that is too old.
    """
    found = connection.execute(_VERSIONS).one_or_none()
    wanted = ".".join(map(str, PGVECTOR_NEEDED))
    if found is None:
        raise CatalogError(
            "the PostgreSQL server has no pgvector ({wanted} or later), which holds the vectors",
            "install it there (a package of the system, such as postgresql-17-pgvector), "
            "then run: seekpoint db upgrade",
            wanted=wanted,
        )
    version = found.installed_version or found.default_version
    if tuple(int(part) for part in version.split(".")[:2]) < PGVECTOR_NEEDED:
        raise CatalogError(
            "the PostgreSQL server has pgvector {version}, {wanted} is needed",
            "upgrade it, then: ALTER EXTENSION vector UPDATE",
            version=version,
            wanted=wanted,
        )
    if found.installed_version is None:
        _add_extension(connection)


def _add_extension(connection: Connection) -> None:
    may_add = connection.execute(_IS_SUPERUSER).scalar()
    if not may_add and not connection.execute(_IS_TRUSTED).scalar():
        raise CatalogError(
            "the user of SEEKPOINT_DATABASE_URL may not add pgvector to the database",
            "let an administrator run there: CREATE EXTENSION vector; "
            "then run: seekpoint db upgrade",
        )
    connection.execute(text("CREATE EXTENSION vector"))


def try_lock(connection: Connection, number: int) -> bool:
    """An advisory lock of this connection, if nobody has it."""
    return bool(connection.execute(select(func.pg_try_advisory_lock(number))).scalar())


def unlock(connection: Connection, number: int) -> None:
    """Gives back what `try_lock` took."""
    connection.execute(select(func.pg_advisory_unlock(number)))


def set_locally(s: Session, values: dict[str, Any]) -> None:
    """SET LOCAL of several parameters in one statement."""
    s.execute(select(*[func.set_config(name, str(value), True) for name, value in values.items()]))
