"""Files that this machine may not reach, though others do."""

from __future__ import annotations

from pathlib import Path

from indexer.context import Context
from indexer.errors import MediaError


class RootUnavailable(MediaError):
    """The file's root is not on this machine: others may have it."""


def reachable_path(context: Context, root: str, relative_path: str) -> Path:
    """Where a file would be on this machine. Raises RootUnavailable where its root is not mapped,
    or not mounted.
    """
    folder = context.roots.folders.get(root)
    if folder is None:
        raise RootUnavailable(
            "the media root {root!r} is not mapped on this machine: its files are left to other "
            "workers",
            "SEEKPOINT_ROOTS maps it",
            root=root,
        )
    if not folder.is_dir():
        raise RootUnavailable(
            "the media root {root!r} is not mounted at {folder}: its files are left to other "
            "workers",
            "mount it, or map it to another folder with SEEKPOINT_ROOTS",
            root=root,
            folder=folder,
        )
    return folder / relative_path
