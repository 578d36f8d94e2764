"""Messages to people: an English template and its values.

The template is the key under which other languages are looked up, so a message that is stored or
sent on keeps both parts. As a string it is English: the template with its values filled in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Translate = Callable[[str], str]
"""English template to the template in another language."""


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown (gettext's usual name for it)."""
    return text


def english(template: str) -> str:
    """Every template as it is."""
    return template


class Message(str):
    """An English text that remembers the template and the values that it was made from.

    `template` has a named field for each value (`str.format`); without values it is plain text. A
    value is a number, a string, or a message inside this one; anything else becomes its text.
    """

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, values: Mapping[str, Any] | None = None) -> Message:
        plain = {name: _plain(value) for name, value in (values or {}).items()}
        message = super().__new__(cls, template.format(**plain) if plain else template)
        message.template, message.values = template, plain
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return Message, (self.template, self.values)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        """In the types of the API a message is its text."""
        return handler(str)

    def text(self, translate: Translate = english) -> str:
        """The message in the language of `translate`."""
        template = translate(self.template) if self.template else ""
        if not self.values:
            return template
        values = {
            name: value.text(translate) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return template.format(**values)

    def to_json(self) -> str:
        """As the catalog stores it; `from_json` reads it back."""
        return json.dumps(_to_dict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Message:
        """Text that is not a stored message (of an older version) is a template without values."""
        try:
            return _from_dict(json.loads(text))
        except (ValueError, TypeError, KeyError):
            return cls(text)


NOTHING = Message("")


def with_advice(what: str | Message, advice: str | Message) -> Message:
    """What went wrong and what to do about it, as one message."""
    what, advice = as_message(what), as_message(advice)
    if not advice:
        return what
    return Message("{problem}. {advice}", {"problem": what, "advice": advice})


def join_messages(messages: Sequence[Message]) -> Message:
    """All of them as one message, with semicolons between."""
    if not messages:
        return NOTHING
    joined = messages[0]
    for message in messages[1:]:
        joined = Message("{first}; {second}", {"first": joined, "second": message})
    return joined


def as_message(text: str | Message) -> Message:
    """The message itself; other text, of the system or another program, is one without values."""
    return text if isinstance(text, Message) else Message(text)


def _plain(value: Any) -> Any:
    if isinstance(value, (Message, bool, int, float, str)):
        return value
    return str(value)


def _to_dict(message: Message) -> dict[str, Any]:
    values = {
        name: _to_dict(value) if isinstance(value, Message) else value
        for name, value in message.values.items()
    }
    return {"template": message.template, "values": values}


def _from_dict(stored: Mapping[str, Any]) -> Message:
    values = {
        name: _from_dict(value) if isinstance(value, dict) else value
        for name, value in stored["values"].items()
    }
    return Message(stored["template"], values)


# --- what must not reach a log or a terminal: passwords, and characters that a terminal obeys ---

HIDDEN = "***"
# A password may hold an unescaped @ or /: everything up to the last @ of the word is hidden.
_WORD = re.compile(r"[^\s'\"]+")
_BEFORE_PASSWORD = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{0,40}:(?://?)?|//)[^\s/:@'\"]{0,200}:(?=.)", re.IGNORECASE
)
_IN_QUERY = re.compile(
    r"([?&; ](?:password|passwd|pwd|token|secret|sslpassword)=)[^&\s'\"]+", re.IGNORECASE
)

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def hide_passwords(text: str) -> str:
    """The text without passwords of URLs (`scheme://user:password@host`, `?password=...`).

    >>> hide_passwords("postgresql://seek:pa@ss/word@db:5432/x is away")
    'postgresql://seek:***@db:5432/x is away'
    """
    if "@" not in text and "=" not in text:
        return text
    return _IN_QUERY.sub(rf"\1{HIDDEN}", _WORD.sub(_without_password, text))


def _without_password(word: re.Match[str]) -> str:
    last = word[0].rfind("@")
    before = _BEFORE_PASSWORD.search(word[0], 0, max(0, last))
    return word[0] if before is None else f"{word[0][: before.end()]}{HIDDEN}{word[0][last:]}"


def escape_controls(text: str, *, keep: str = "") -> str:
    """The text as one line that moves no cursor: control characters, marks that turn the direction
    of writing, and what is not valid UTF-8 become escapes, but for those in `keep`.

    In a document of JSON the escapes are its own.

    >>> escape_controls("a\\x1b[2Jb\\n")
    'a\\\\u001b[2Jb\\\\n'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _escape(c) for c in text)


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
