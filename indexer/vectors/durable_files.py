"""Files that are whole or absent: written aside, checksummed, flushed to the disk and renamed into
place.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from indexer.errors import StorageError

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """A file, or the entries of a folder, reach the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a small file: a reader sees the old content or the new, never a mixture."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(content)
    flush(aside)
    aside.replace(path)
    flush(path.parent)


def save_array(path: Path, array: np.ndarray) -> None:
    """Like numpy.save, which hides what the disk said."""
    content = io.BytesIO()
    np.save(content, array)
    path.write_bytes(content.getbuffer())


@contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Errors of the disk in words; FAISS reports them as RuntimeError with the text of errno."""
    try:
        yield
    except OSError as error:
        raise _storage_error(folder, error.errno, error.strerror or str(error)) from error
    except RuntimeError as error:
        number = next(
            (n for n in (*_NO_SPACE, errno.EACCES, errno.EIO) if os.strerror(n) in str(error)), None
        )
        if number is None and "write error" not in str(error):
            raise
        raise _storage_error(
            folder, number, os.strerror(number) if number else "write error"
        ) from error


def _storage_error(folder: Path, number: int | None, reason: str) -> StorageError:
    if number in _NO_SPACE:
        return StorageError(
            "no space left for the vector snapshot in {folder}",
            "free space there, then run: seekpoint reindex",
            folder=folder,
        )
    return StorageError(
        "the vector snapshot in {folder} could not be written ({reason})",
        "check that the folder is yours to write",
        folder=folder,
        reason=reason,
    )
