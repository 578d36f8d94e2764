"""How a path is written down so that other machines find it (named roots), and how it is shown."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import MediaError, UsageError
from indexer.settings import Settings

LOCAL_ROOT = "local"


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

    def find_vanished(self, root: str, relative_path: str, folders: Sequence[Path]) -> Path | None:
        """Where a file was that lay in one of the folders and is not there any more; None: it is
        there, or not ours to look for.
        """
        if root not in self.folders:
            return None
        path = self.join(root, relative_path)
        below = any(path.is_relative_to(folder) for folder in folders)
        # It may also lie in a folder that is closed to us.
        return path if below and not os.path.exists(path) else None


@dataclass(frozen=True, slots=True)
class Reach:
    """Which files may be read on behalf of somebody: those in `within`, wherever links lead (None:
    all), but for those in `without`.
    """

    within: tuple[Path, ...] | None = None
    without: tuple[Path, ...] = ()

    @classmethod
    def of(cls, within: Sequence[Path] | None, without: Sequence[Path] = ()) -> Reach:
        """Of folders as people name them: links in their own paths are followed."""
        real = None if within is None else tuple(_real(folder) for folder in within)
        return cls(real, tuple(_real(folder) for folder in without))

    def to_json(self) -> dict[str, list[str] | None]:
        """As a job keeps it; `from_json` reads it back."""
        within = None if self.within is None else [str(folder) for folder in self.within]
        return {"within": within, "without": [str(folder) for folder in self.without]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Reach:
        """Of a job."""
        within = stored["within"]
        return cls(
            None if within is None else tuple(Path(folder) for folder in within),
            tuple(Path(folder) for folder in stored["without"]),
        )

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Whether the file, or folder, at the end of all links is one of these."""
        try:
            return self._holds_real(_real(path))
        except ValueError:  # NUL, or half of a character: no path
            return False

    def open(self, path: str | os.PathLike[str]) -> int:
        """A descriptor of the regular file at the path, whose true place was checked after it was
        opened: nobody can exchange it in between. The caller closes it. Raises OSError,
        MediaError.
        """
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            state = os.fstat(descriptor)
            real = _opened_path(descriptor, path)
            if not stat.S_ISREG(state.st_mode) or not self._holds_real(real):
                raise MediaError(
                    "{path} is no file that may be read from here",
                    "links must lead to a folder of SEEKPOINT_ROOTS or SEEKPOINT_UI_FOLDERS",
                    path=printable(path),
                )
            there = os.stat(real, follow_symlinks=False)
            if (there.st_dev, there.st_ino) != (state.st_dev, state.st_ino):
                raise MediaError(
                    "{path} was exchanged while it was opened", "try again", path=printable(path)
                )
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _holds_real(self, real: Path) -> bool:
        if any(real.is_relative_to(folder) for folder in self.without):
            return False
        return self.within is None or any(real.is_relative_to(folder) for folder in self.within)


def _real(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.realpath(os.path.expanduser(os.fspath(path))))


def _opened_path(descriptor: int, path: str | os.PathLike[str]) -> Path:
    """Where the opened file is. Linux knows; elsewhere links are followed once more, and the file
    there must be the opened one.
    """
    try:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}"))
    except OSError:
        return _real(path)


EVERYTHING = Reach()


def make_private_folder(folder: Path, *, is_ours: bool) -> None:
    """Makes the folder for its owner alone; one that is there is closed to others where `is_ours`
    says that nobody else keeps anything in it. Raises OSError.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = folder.stat()
    # Folders that many share, such as /tmp, and the person's own are left as they are.
    is_shared = state.st_mode & stat.S_ISVTX or folder in (Path.home(), Path("/"))
    if made or (is_ours and not is_shared and state.st_uid == os.getuid()):
        folder.chmod(0o700)


def make_private_file(path: Path) -> None:
    """An existing file of this user is closed to all others. Raises OSError."""
    state = path.stat()
    if state.st_uid == os.getuid() and state.st_mode & 0o077:
        path.chmod(0o600)


def absolute_path(name: str | os.PathLike[str]) -> Path:
    """What somebody wrote as an absolute path; links stay."""
    return Path(os.path.abspath(os.path.expanduser(os.fspath(name))))


def printable(path: str | os.PathLike[str]) -> str:
    """A path as one line of valid text: control characters and what is not valid UTF-8 are
    escaped.
    """
    text = os.fspath(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
