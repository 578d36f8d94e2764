"""Which files an ingest means, and how a path is written down so that other machines find it (named
roots).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import MediaError, UsageError, os_reason
from indexer.messages import Message
from indexer.settings import Settings

LOCAL_ROOT = "local"
# Names that FFmpeg's demuxers of video use. A folder is searched for these; a file that is named is
# tried whatever it is called.
VIDEO_SUFFIXES = frozenset(
    {
        ".3g2", ".3gp", ".amv", ".asf", ".avi", ".divx", ".drc", ".dv", ".f4v", ".flv", ".gxf", ".h264", ".h265", ".hevc",
        ".ivf", ".m1v", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mod", ".mov", ".mp4", ".mpe", ".mpeg",
        ".mpg", ".mts", ".mxf", ".nsv", ".nut", ".obu", ".ogm", ".ogv", ".ps", ".qt", ".rm", ".rmvb", ".roq", ".tod", ".ts",
        ".vob", ".webm", ".wmv", ".wtv", ".y4m",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundFile:
    path: Path
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file or folder that cannot be taken, with the reason."""

    path: str
    error: MediaError


@dataclass(frozen=True, slots=True)
class Roots:
    """Maps absolute paths to (root name, relative path) and back; each machine has its own folders
    behind the same names.
    """

    folders: dict[str, Path]

    @classmethod
    def of(cls, settings: Settings) -> Roots:
        """The roots that the settings name, and `local` for everything else. Raises UsageError."""
        folders = {name: folder.expanduser().absolute() for name, folder in settings.roots.items()}
        if LOCAL_ROOT in folders:
            raise UsageError(
                'the root name "{local_root}" is taken',
                "choose another name in SEEKPOINT_ROOTS",
                local_root=LOCAL_ROOT,
            )
        return cls({**folders, LOCAL_ROOT: Path("/")})

    def split(self, path: Path) -> tuple[str, str]:
        """The longest root that holds `path`, and the rest with forward slashes."""
        holding = [
            (len(folder.parts), name)
            for name, folder in self.folders.items()
            if path.is_relative_to(folder)
        ]
        name = max(holding)[1]
        return name, path.relative_to(self.folders[name]).as_posix()

    def join(self, root: str, relative_path: str) -> Path:
        """The absolute path here. Raises MediaError for a root that this machine does not know."""
        if root not in self.folders:
            raise MediaError(
                'the media root "{root}" is not known on this machine',
                'map it: SEEKPOINT_ROOTS={{"{root}": "/folder"}}',
                root=root,
            )
        return self.folders[root] / relative_path

    def vanished(self, root: str, relative_path: str, given: Sequence[Path]) -> Path | None:
        """Where a file was that lay below one of the given paths and is not there any more; None:
        it is there, or not ours to look for.
        """
        if root not in self.folders:
            return None
        path = self.join(root, relative_path)
        below = any(path.is_relative_to(folder) for folder in given)
        return (
            path if below and not os.path.exists(path) else None
        )  # it may lie in a folder that is closed to us


def given_path(name: str | os.PathLike[str]) -> Path:
    """What somebody wrote as an absolute path; links stay."""
    return Path(os.path.abspath(os.path.expanduser(os.fspath(name))))


def find_files(paths: Sequence[str | os.PathLike[str]]) -> Iterator[FoundFile | Unusable]:
    """Named files whatever their suffix, and all videos below named folders, each real file once,
    in a stable order.

    Links are followed; a folder is entered once, so that a loop of links ends.
    """
    entered: set[tuple[int, int]] = set()
    given: set[Path] = set()
    for name in paths:
        start = given_path(name)
        empty = True
        for found in _walk(start, entered, named=True):
            empty = False
            if isinstance(found, FoundFile):
                if found.path in given:
                    continue
                given.add(found.path)
            yield found
        if empty and start not in given:
            yield _unusable(
                start,
                Message("there is no video in this folder"),
                Message("name a file to try it whatever its suffix is"),
            )


def _walk(
    path: Path, entered: set[tuple[int, int]], *, named: bool
) -> Iterator[FoundFile | Unusable]:
    try:
        status = path.stat()
    except OSError as error:
        yield _unusable(path, os_reason(error), Message("check the path and its permissions"))
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _walk_folder(path, (status.st_dev, status.st_ino), entered)
    elif not named and path.suffix.lower() not in VIDEO_SUFFIXES:
        return
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
    path: Path, identity: tuple[int, int], entered: set[tuple[int, int]]
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
            yield from _walk(path / name, entered, named=False)


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


def printable(path: str | os.PathLike[str]) -> str:
    """A path as one line of valid text: control characters and bytes that are not UTF-8 are
    escaped.
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unusable(path: Path, reason: Message, hint: Message) -> Unusable:
    name = printable(path)
    return Unusable(name, MediaError("{name}: {reason}", hint, name=name, reason=reason))
