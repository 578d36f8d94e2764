"""Whose a row is: of an account, of a token that stands for itself, or (neither) of whoever is at
the local machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_

if TYPE_CHECKING:
    from indexer.catalog.tables.people import Upload
    from indexer.catalog.tables.saved import Feedback, SearchRow


def belongs_to(
    table: type[Feedback] | type[SearchRow] | type[Upload],
    account_id: int | None,
    token_id: int | None,
) -> ColumnElement[bool]:
    """The condition that a row is theirs. A token of an account has what the account has."""
    return and_(
        is_of(table.account_id, account_id),
        is_of(table.token_id, token_id if account_id is None else None),
    )


def is_of(column: Any, value: int | None) -> ColumnElement[bool]:
    """The condition that a column holds this number, or none."""
    return column.is_(None) if value is None else column == value
