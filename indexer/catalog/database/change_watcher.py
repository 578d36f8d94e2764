"""Whether anything was committed to a catalog, told cheaply."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from indexer.catalog.database.db_errors import translate

if TYPE_CHECKING:
    from indexer.catalog.database.session import Catalog


class ChangeWatcher:
    """`has_changed()` is False only when surely nothing was committed since the last call. On a
    server it is always True: ask the tables.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._version: int | None = None

    def has_changed(self) -> bool:
        """Raises CatalogError where the file cannot be read."""
        path = self._catalog.sqlite_path
        if path is None:
            return True
        try:
            version = self._connect(path).execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise translate(
                DBAPIError("PRAGMA data_version", None, error), self._catalog.url
            ) from error
        changed = version != self._version
        self._version = version
        return changed

    def _connect(self, path: Path) -> sqlite3.Connection:
        """A connection of its own: data_version does not count the commits of the connection that
        asks.
        """
        if self._connection is None or self._pid != os.getpid():
            uri = f"{path.absolute().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            self._pid = os.getpid()
            self._version = None
        return self._connection

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
