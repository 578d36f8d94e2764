"""Pieces of statements that SQLite and PostgreSQL say differently."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Text, bindparam, func, literal, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from indexer.catalog import database
from indexer.catalog.tables.base import Base

Column: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]


def is_sqlite(s: Session) -> bool:
    """Whether the session is one of a file."""
    return s.get_bind().dialect.name == "sqlite"


def in_values(
    s: Session, column: Column, values: Iterable[int] | Iterable[str]
) -> ColumnElement[bool]:
    """`column IN values` with one bound parameter (SQLite limits how many there are); no values
    match no row.
    """
    listed = [value if isinstance(value, str) else int(value) for value in values]
    if is_sqlite(s):
        # As text: a searcher asks so ten times a question, and putting a table of values together
        # takes ten times as long.
        each = text("(SELECT value FROM json_each(:listed))")
        return column.bool_op("IN")(
            each.bindparams(bindparam("listed", json.dumps(listed), unique=True))
        )
    kind = Text() if isinstance(column.type, Text) else BigInteger()
    return column == func.any(
        bindparam(None, listed, type_=database.postgresql.array_of(kind), unique=True)
    )


def insert_or_ignore(s: Session, table: type[Base], unique: Sequence[str]) -> Any:
    """An INSERT that does nothing where a row with the same `unique` columns exists, also one that
    another writer commits meanwhile.
    """
    make = sqlite.insert if is_sqlite(s) else database.postgresql.insert
    return make(table).on_conflict_do_nothing(index_elements=list(unique))


def now_s(s: Session) -> Any:
    """Unix time by one clock for all who share the database: the server's, or this machine's for a
    file.
    """
    return literal(time.time()) if is_sqlite(s) else func.extract("epoch", func.clock_timestamp())


def count_changed(s: Session, statement: Any) -> int:
    """Runs an UPDATE or DELETE past the session's objects; how many rows it changed."""
    result: Any = s.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)
