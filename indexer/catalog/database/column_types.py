"""Types of columns that are the same on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from indexer.messages import Message


class UtcTime(TypeDecorator[datetime]):
    """Aware times in UTC on both databases; SQLite drops the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Python to the database: in UTC."""
        return _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The database to Python: in UTC, aware."""
        return _in_utc(value)


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EnumText(TypeDecorator[StrEnum]):
    """A member of a StrEnum as its text. A plain string is taken where it is the text of one."""

    impl = Text
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Python to the database: the member's text. Raises ValueError for any other text."""
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """The database to Python: the member of the text."""
        return None if value is None else self.enum(value)


class MessageText(TypeDecorator[Message]):
    """A message as JSON; text of older versions is read as a template without values."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Message | str | None, dialect: Dialect) -> str | None:
        """Python to the database: JSON, without characters that databases refuse."""
        if value is None:
            return None
        message = value if isinstance(value, Message) else Message(value)
        return sanitize_message(message).to_json()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Message | None:
        """The database to Python: the message of the JSON."""
        return None if value is None else Message.from_json(value)


def sanitize_message(message: Message) -> Message:
    """A message whose text and values both databases take."""
    return Message(sanitize_text(message.template), _sanitize_values(message.values))


def _sanitize_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _sanitize_value(value) for name, value in values.items()}


def _sanitize_value(value: Any) -> Any:
    if isinstance(value, Message):
        return sanitize_message(value)
    return sanitize_text(value) if isinstance(value, str) else value


def sanitize_text(text: str) -> str:
    """Text that both databases take: without NUL, and without halves of surrogate pairs (names of
    files that are not UTF-8).
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
