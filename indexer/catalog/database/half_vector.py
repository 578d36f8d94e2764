"""The column of a vector: float16 bytes, little endian, in a file; pgvector's `halfvec` on a
server, which holds the same numbers.

So a server keeps each vector once, and searches it where it lies: what Python hands over and gets
back is the same on both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType


class HalfVec(UserDefinedType[Any]):
    """pgvector's vector of 16-bit floats; without `dimension` any length fits."""

    cache_ok = True
    name = "halfvec"

    def __init__(self, dimension: int | None = None) -> None:
        self.dimension = dimension

    def get_col_spec(self, **_: Any) -> str:
        """The type in SQL, such as `halfvec(384)`."""
        return self.name if self.dimension is None else f"{self.name}({self.dimension})"


class FullVec(HalfVec):
    """pgvector's vector of 32-bit floats, in which scores are computed exactly."""

    cache_ok = True
    name = "vector"


class _AsBytes(FunctionElement[Any]):
    """The column as a result: a server sends a halfvec as bytes (halfvec_send), which is several
    times faster than as text.
    """

    inherit_cache = True
    name = "as_bytes"


@compiles(_AsBytes)
def _of_file(element: _AsBytes, compiler: Any, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_AsBytes, "postgresql")
def _of_server(element: _AsBytes, compiler: Any, **options: Any) -> str:
    return f"halfvec_send({compiler.process(element.clauses, **options)})"


class HalfVector(TypeDecorator[bytes]):
    """(D,) float16 as little endian bytes on the Python side."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """pgvector's type on PostgreSQL, bytes on SQLite."""
        return dialect.type_descriptor(HalfVec() if dialect.name == "postgresql" else LargeBinary())

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> Any:
        """Bytes of little-endian float16 to what the database takes."""
        if value is None or dialect.name != "postgresql":
            return value
        return as_text(np.frombuffer(value, "<f2"))

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        """What the database returns to bytes of little-endian float16."""
        if value is None or dialect.name != "postgresql":
            return value
        # The numbers come after the dimension and a reserved number, 2 bytes each.
        return np.frombuffer(value, ">f2", offset=4).astype("<f2").tobytes()

    def column_expression(self, column: Any) -> Any:
        """Reads the vector in its binary form, not as text."""
        as_bytes = _AsBytes(column)
        as_bytes.type = self
        return as_bytes


def as_text(vector: np.ndarray) -> str:
    """The numbers of a vector as pgvector reads them, none of them rounded."""
    return str(vector.tolist())


def pack(vectors: np.ndarray) -> bytes:
    """float16 bytes, little endian, of unit vectors of any shape. ValueError for a number that
    float16 cannot hold.
    """
    halves = np.asarray(vectors, np.float32).astype("<f2")
    if not np.isfinite(halves).all():
        raise ValueError("vectors hold numbers that are not finite")
    return halves.tobytes()
