"""Text from outside that databases, logs and terminals can take."""

from __future__ import annotations

from indexer.errors import UsageError

SHOWN = 60


def is_valid_text(text: str) -> bool:
    """Whether it has neither NUL nor half of a surrogate pair (bytes that were no UTF-8)."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def require_valid_text(*texts: str) -> None:
    """Raises UsageError for the first that is not valid."""
    for text in texts:
        if not is_valid_text(text):
            raise UsageError(
                "{text} has a NUL character, or bytes that are not UTF-8",
                "write it as text in UTF-8",
                text=ascii(text[:SHOWN]),
            )
