"""Which files an ingest means, and what identifies their content."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import MediaError, os_reason
from indexer.media.formats import VIDEO_SUFFIXES
from indexer.messages import Message
from indexer.paths import EVERYTHING, Reach, absolute_path, printable


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to take, and what tells whether it changed."""

    path: Path
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file or folder that cannot be taken, with the reason."""

    path: str
    error: MediaError


def find_files(
    paths: Sequence[str | os.PathLike[str]], reach: Reach = EVERYTHING
) -> Iterator[FoundFile | Unusable]:
    """Named files whatever their suffix, and all videos below named folders, each real file once,
    in a stable order.

    Links are followed as far as `reach` goes; a folder is entered once, so that a loop of links
    ends.
    """
    entered: set[tuple[int, int]] = set()
    seen: set[Path] = set()
    for name in paths:
        start = absolute_path(name)
        empty = True
        for found in _walk(start, entered, reach, named=True):
            empty = False
            if isinstance(found, FoundFile):
                if found.path in seen:
                    continue
                seen.add(found.path)
            yield found
        if empty and start not in seen:
            yield _unusable(
                start,
                Message("there is no video in this folder"),
                Message("name a file to try it whatever its suffix is"),
            )


def _walk(
    path: Path, entered: set[tuple[int, int]], reach: Reach, *, named: bool
) -> Iterator[FoundFile | Unusable]:
    try:
        status = path.stat()
    except OSError as error:
        yield _unusable(path, os_reason(error), Message("check the path and its permissions"))
        return
    is_folder = stat.S_ISDIR(status.st_mode)
    if not is_folder and not named and path.suffix.lower() not in VIDEO_SUFFIXES:
        return
    if reach != EVERYTHING and not reach.holds(path):
        if named or path.is_symlink():  # what belongs to others is not even spoken of
            yield _unusable(
                path,
                Message("it leads to a place that may not be read from here"),
                Message("name its folder in SEEKPOINT_ROOTS or SEEKPOINT_UI_FOLDERS"),
            )
    elif is_folder:
        yield from _walk_folder(path, (status.st_dev, status.st_ino), entered, reach)
    elif not _is_utf8(path):
        yield _unusable(path, Message("the name is not valid UTF-8"), Message("rename the file"))
    elif not stat.S_ISREG(status.st_mode):
        yield _unusable(
            path,
            Message("it is not a regular file (a pipe, a socket or a device)"),
            Message("copy its content to a file first"),
        )
    else:
        yield FoundFile(path, status.st_size, status.st_mtime_ns)


def _walk_folder(
    path: Path, identity: tuple[int, int], entered: set[tuple[int, int]], reach: Reach
) -> Iterator[FoundFile | Unusable]:
    if identity in entered:
        return
    entered.add(identity)
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        yield _unusable(path, os_reason(error), Message("check the permissions of the folder"))
        return
    for name in names:
        if not name.startswith("."):
            yield from _walk(path / name, entered, reach, named=False)


def content_hash(path: Path) -> str:
    """SHA-256 of the bytes, hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(
            "{path}: {error}",
            "check the file and its permissions",
            path=printable(path),
            error=os_reason(error),
        ) from error


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unusable(path: Path, reason: Message, hint: Message) -> Unusable:
    name = printable(path)
    return Unusable(name, MediaError("{name}: {reason}", hint, name=name, reason=reason))
