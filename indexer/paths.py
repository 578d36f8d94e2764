"""How a path is written down so that other machines find it (named roots), and how it is shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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

    def vanished(self, root: str, relative_path: str, folders: Sequence[Path]) -> Path | None:
        """Where a file was that lay in one of the folders and is not there any more; None: it is
        there, or not ours to look for.
        """
        if root not in self.folders:
            return None
        path = self.join(root, relative_path)
        below = any(path.is_relative_to(folder) for folder in folders)
        # It may also lie in a folder that is closed to us.
        return path if below and not os.path.exists(path) else None


def absolute_path(name: str | os.PathLike[str]) -> Path:
    """What somebody wrote as an absolute path; links stay."""
    return Path(os.path.abspath(os.path.expanduser(os.fspath(name))))


def printable(path: str | os.PathLike[str]) -> str:
    """A path as one line of valid text: control characters and what is not valid UTF-8 are
    escaped.
    """
    text = os.fspath(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
