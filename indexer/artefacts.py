"""Files derived from videos (thumbnails, proxies), below one root that machines may share; a
video's are in one folder.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import StorageError, os_reason

SHARED_FILE = 0o640
"""Machines that share the root run under users of one group; in a home the folder is closed."""


@dataclass(frozen=True, slots=True)
class Artefacts:
    root: Path

    def video_folder(self, video_id: int) -> Path:
        # Thousands of videos in one folder are slow to list: two levels.
        """The folder of all artefacts of a video."""
        return self.root / "videos" / f"{video_id % 1000:03d}" / str(video_id)

    def thumbnail(self, video_id: int, time_s: float) -> Path:
        """Path of the thumbnail of the frame at a time; it may not be there."""
        return self.video_folder(video_id) / "thumbnails" / f"{round(time_s * 1000):09d}.jpg"

    def write_thumbnail(self, video_id: int, time_s: float, jpeg: bytes) -> None:
        """Stores a JPEG. Raises StorageError."""
        write_atomically(self.thumbnail(video_id, time_s), jpeg, mode=SHARED_FILE)

    def still(self, video_id: int, name: str) -> Path:
        """Path of a picture that was made for an answer; it may not be there."""
        return self.video_folder(video_id) / "stills" / f"{name}.webp"

    def write_still(self, video_id: int, name: str, webp: bytes, keep: int) -> None:
        """Stores a WebP; of more than `keep` the oldest go. Raises StorageError."""
        path = self.still(video_id, name)
        write_atomically(path, webp)
        newest_first = sorted(path.parent.glob("*.webp"), key=_modified_ns, reverse=True)
        for old in newest_first[keep:]:
            old.unlink(missing_ok=True)

    def clip(self, video_id: int, start_s: float, end_s: float, suffix: str = "mp4") -> Path:
        """Path of a clip that was asked for; it may not be there."""
        name = f"{round(start_s * 1000):09d}-{round(end_s * 1000):09d}.{suffix}"
        return self.video_folder(video_id) / "clips" / name

    def keep_clips(self, video_id: int, keep: int) -> None:
        """Of more than `keep` clips of a video the oldest go."""
        clips = (self.video_folder(video_id) / "clips").glob("[0-9]*.*")
        for old in sorted(clips, key=_modified_ns, reverse=True)[keep:]:
            old.unlink(missing_ok=True)

    def sprite_sheet(self, video_id: int, number: int) -> Path:
        """Path of a sheet of small pictures; it may not be there."""
        return self.video_folder(video_id) / "sprites" / f"{number:03d}.jpg"

    def chapter_names(self, video_id: int) -> Path:
        """Path of the names that a grounder gave to chapters; it may not be there."""
        return self.video_folder(video_id) / "chapters.json"

    def remove_video(self, video_id: int) -> None:
        """Deletes all artefacts of a video."""
        shutil.rmtree(self.video_folder(video_id), ignore_errors=True)

    def video_ids(self) -> set[int]:
        """The videos that have a folder here."""
        folders = (self.root / "videos").glob("*/*")
        return {int(folder.name) for folder in folders if folder.name.isdecimal()}

    def size_bytes(self) -> int:
        """Size of all artefacts together."""
        return sum(
            _size(Path(parent) / name) for parent, _, names in os.walk(self.root) for name in names
        )


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Readers see the old file or the new one, never half of it."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            os.fchmod(file.fileno(), mode)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise storage_error(path, error) from error


def storage_error(path: Path, error: OSError) -> StorageError:
    """The error of the system in words that a person can act on."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageError(
            "no space left to write {path}",
            "free some space and run the same command again: finished chunks are kept",
            path=path,
        )
    return StorageError(
        "cannot write {path}: {reason}",
        "check the folder and its permissions",
        path=path,
        reason=os_reason(error),
    )


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
