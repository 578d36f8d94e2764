"""Errors that a person can act on: what went wrong, with which thing, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

from grounding.errors import GroundingError
from indexer.messages import N_, Message, as_message, hide_passwords, with_advice


class SeekpointError(Exception):
    """Base of all errors that Seekpoint raises on purpose; the command line prints it without a
    traceback.

    `message` says what went wrong with which thing, `hint` what to do. Both are templates whose
    fields are filled from `values`, so that they can be shown in another language.
    """

    def __init__(self, message: str | Message, hint: str | Message = "", /, **values: Any) -> None:
        self.what = _fill(message, values)
        self.advice = _fill(hint, values)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """What went wrong, in English."""
        return str(self.what)

    @property
    def hint(self) -> str:
        """What to do about it, in English; empty where there is nothing to do."""
        return str(self.advice)

    @property
    def full_message(self) -> Message:
        """What went wrong and what to do about it, as one message that can be stored."""
        return with_advice(self.what, self.advice)

    def __str__(self) -> str:
        return str(self.full_message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.advice)


def _fill(text: str | Message, values: Mapping[str, Any]) -> Message:
    """The message with those of the values that its template names."""
    if isinstance(text, Message):
        return text
    if not values:
        return Message(text)
    names = {name for _, name, _, _ in Formatter().parse(text) if name}
    if not names:
        return Message(text.format())
    return Message(text, {name: _stored(values[name]) for name in names})


def _stored(value: Any) -> Any:
    """As a message keeps it: an error of a model as a message of its own, and nothing with the
    password of a URL, as errors of settings, databases and brokers have them.
    """
    if isinstance(value, GroundingError):
        return _fill(value.template, value.values)
    return value if isinstance(value, Message | bool | int | float) else hide_passwords(str(value))


# Words of the operating system and of FFmpeg, for the catalogues of messages.
OS_REASONS = (
    N_("no such file or directory"),
    N_("permission denied"),
    N_("no space left on device"),
    N_("is a directory"),
    N_("not a directory"),
    N_("file name too long"),
    N_("read-only file system"),
    N_("input/output error"),
    N_("address already in use"),
    N_("cannot assign requested address"),
    N_("invalid data found when processing input"),
)


def os_reason(error: OSError) -> Message:
    """The operating system's reason, in lower case."""
    return as_message((error.strerror or str(error)).lower())


class UsageError(SeekpointError):
    """A wrong argument: exit status 2."""


class TooManyAttempts(UsageError):
    """Somebody tries to sign in too often."""


class MediaError(SeekpointError):
    """A file that cannot be read as video (or as what was asked of it)."""


class MediaTimeout(MediaError):
    """Reading took longer than the time-out; the reading process was killed."""


class ModelError(SeekpointError):
    """A model that is missing, of another kind, or cannot run here."""


class CatalogError(SeekpointError):
    """The database is away, locked, or of another revision."""


class CatalogBusy(CatalogError):
    """The database is away or held by others for now: the same may succeed a moment later."""


class QueueError(SeekpointError):
    """The broker is away, or refuses us: work waits in the catalog, nothing is lost."""


class SnapshotError(SeekpointError):
    """The vector snapshot does not match its own stamp or the catalog."""


class StorageError(SeekpointError):
    """No space or no permission where state is kept."""
