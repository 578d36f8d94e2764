"""What is said to PostgreSQL alone, loaded when first used: SQLAlchemy's dialect of it takes as
long to import as a file takes to answer a question.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, insert
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import TypeEngine

from indexer.catalog.database.half_vector import HalfVec
from indexer.catalog.tables.metadata import metadata

__all__ = ["TSQUERY", "adapt_tables", "array_of", "insert"]


def array_of(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type of a list of values, bound as one parameter."""
    return ARRAY(kind)


def adapt_tables() -> None:
    """Completes the tables of the catalog by what a server alone knows: the type of vectors in
    what it says about its tables, and that indexes of a part of the rows are such there too.
    """
    ischema_names[HalfVec.name] = HalfVec
    for table in metadata.tables.values():
        for index in table.indexes:
            if (where := index.dialect_options["sqlite"]["where"]) is not None:
                index.dialect_options["postgresql"]["where"] = where
