"""JSON as Python writes it, for a parser that keeps to the standard: NaN, infinities and numbers
beyond a float become null.
"""

from __future__ import annotations

import re
from typing import Protocol

_PIECE_BYTES = 1 << 20
_MAY_GO_ON = b"\\+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What words, numbers and escapes are made of: at the end of a piece they wait for the next."""
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_TOO_MANY = b"0" * 309
"""A float has at most 309 digits before its point."""
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_TOKEN = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|-?Infinity|NaN|-?\d{309,}[\d.eE+-]*', re.DOTALL
)
"""Strings are matched so that nothing inside them is taken for a number; one may be open at the
end.
"""


class Bytes(Protocol):
    """A binary file, as far as it is read."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; all that are left if negative."""
        ...


class FiniteJson:
    """A file for ijson, over one whose NaN, Infinity and numbers beyond a float's range would end
    the parsing of all rows behind them.
    """

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self._rest = b""
        self._ready = b""
        self._in_string = False

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, all that are left if negative; empty only at the end (ijson asks
        for 0 bytes first).
        """
        while size and (size < 0 or not self._ready):
            piece = self._file.read(_PIECE_BYTES)
            text = self._rest + piece
            cut = len(text.rstrip(_MAY_GO_ON)) if piece else len(text)
            self._rest = text[cut:]
            self._ready += self._clean(text[:cut])
            if not piece:
                break
        size = len(self._ready) if size < 0 else size
        ready, self._ready = self._ready[:size], self._ready[size:]
        return ready

    def _clean(self, text: bytes) -> bytes:
        if (
            b"NaN" not in text
            and b"Infinity" not in text
            and _TOO_MANY not in text.translate(_DIGITS)
        ):
            self._in_string ^= bool(_ESCAPE.sub(b"", text).count(b'"') % 2)
            return text
        begun = b'"' if self._in_string else b""
        done: list[bytes] = []
        text, at = begun + text, 0
        for token in _TOKEN.finditer(text):
            is_string = token[1] is not None
            done += (text[at : token.start()], token[0] if is_string else b"null")
            at = token.end()
            self._in_string = is_string and not token[1]
        return b"".join((*done, text[at:]))[len(begun) :]
