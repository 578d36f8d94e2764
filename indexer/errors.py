"""Errors that a person can act on: what went wrong, with which thing, and what to do."""


class SeekpointError(Exception):
    """Base of all errors that Seekpoint raises on purpose; the command line prints it without a
    traceback.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message

    def __reduce__(self):
        return type(self), (self.message, self.hint)


class UsageError(SeekpointError):
    """A wrong argument: exit status 2."""


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
