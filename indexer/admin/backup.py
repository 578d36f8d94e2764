"""Backing up all that cannot be made again, and bringing it back: the catalog, uploads, thumbnails,
secrets and settings. Vector snapshots, caches and copies for browsers are made again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from indexer.catalog.database import copies, migrate
from indexer.catalog.database.session import Catalog
from indexer.catalog.frames import count_objects
from indexer.catalog.objects.upkeep import find_missing
from indexer.context import Context
from indexer.errors import CatalogError, StorageError, UsageError, os_reason
from indexer.messages import Message
from indexer.paths import absolute_path, printable
from indexer.settings import Settings
from indexer.vectors.durable_files import flush, sha256, write_whole

MANIFEST = "backup.json"
SETTINGS = "settings.env"
HOME, ARTEFACTS = "home", "artefacts"
MADE_AGAIN = frozenset({"snapshots", "cache", "models", "artefacts"})
"""Folders of the home that hold nothing of their own; artefacts are copied apart."""

FORMAT = 1


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds. `rows` by table; `files` besides the catalog, and the `size_bytes` of
    all; `seconds`: what it took. `objects`: chunks whose vectors of frames lie in object storage,
    which a backup only names.
    """

    folder: Path
    revision: str
    rows: dict[str, int]
    files: int
    size_bytes: int
    seconds: float
    objects: int = 0


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was brought back; `verified`: it was compared with the backup, file by file and row by
    row. `other_settings`: names of settings that are set otherwise now. `kept_aside`: where the
    catalog is that was here before.
    """

    folder: Path
    revision: str
    rows: dict[str, int]
    files: int
    verified: bool
    other_settings: tuple[str, ...]
    kept_aside: Path | None
    seconds: float


# --- backing up ---


def backup(context: Context, folder: Path) -> BackupReport:
    """Copies everything into a new folder, while the library is in use. The manifest comes last:
    without it the folder is no backup. Raises UsageError, StorageError, CatalogError.
    """
    started = time.monotonic()
    folder = absolute_path(folder)
    settings = context.settings
    _make_new(folder, settings)
    try:
        # The catalog first: a file without its row is found, a row without its file shows nothing.
        _, rows = copies.dump(context.catalog, folder)
        with context.catalog.read() as session:
            objects = count_objects(session)
        _copy_tree(_files_of_home(settings), settings.home_path, folder / HOME)
        _copy_tree(_artefacts(settings), settings.artefacts, folder / ARTEFACTS)
        write_whole(folder / SETTINGS, _settings_text().encode())
        (folder / SETTINGS).chmod(0o600)
        files = {path.relative_to(folder).as_posix(): _stamp(path) for path in _below(folder)}
        revision = migrate.revision(settings.url) or ""
        manifest = {
            "format": FORMAT,
            "version": version("seekpoint"),
            "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "database": context.catalog.url.get_backend_name(),
            "revision": revision,
            "rows": rows,
            "files": files,
            "frames_url": settings.frames_url,
        }
        write_whole(folder / MANIFEST, json.dumps(manifest, indent=1).encode())
    except OSError as error:
        raise _storage_error(folder, error) from error
    size_bytes = sum(stamp["size"] for stamp in files.values())
    seconds = time.monotonic() - started
    return BackupReport(folder, revision, rows, len(files) - 2, size_bytes, seconds, objects)


def _make_new(folder: Path, settings: Settings) -> None:
    if folder.is_relative_to(settings.home_path):
        raise UsageError(
            "{folder} is inside the home that is to be backed up",
            "choose a folder elsewhere, best on another disk",
            folder=folder,
        )
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(
                "the folder {folder} is not empty",
                "choose a new one for each backup",
                folder=folder,
            )
    except OSError as error:
        raise _storage_error(folder, error) from error


def _files_of_home(settings: Settings) -> Iterator[Path]:
    home = settings.home_path
    database = Catalog(settings.url).sqlite_path
    for path in _below(home):
        first = path.relative_to(home).parts[0]
        is_database = database is not None and path.name.startswith(database.name)
        if first not in MADE_AGAIN and not is_database and not path.name.startswith(".upload-"):
            yield path


def _artefacts(settings: Settings) -> Iterator[Path]:
    return (path for path in _below(settings.artefacts) if path.name != "proxy.mp4")


def _below(folder: Path) -> list[Path]:
    """Regular files; links are left out, which could lead anywhere."""
    return sorted(
        Path(parent) / name
        for parent, _, names in os.walk(folder)
        for name in names
        if (Path(parent) / name).is_file() and not (Path(parent) / name).is_symlink()
    )


def _copy_tree(paths: Iterator[Path], base: Path, target: Path) -> None:
    for path in paths:
        copy = target / path.relative_to(base)
        try:
            _copy(path, copy)
        except FileNotFoundError:
            if path.exists():
                raise
            continue  # removed meanwhile, with its row


def _copy(path: Path, copy: Path) -> None:
    """Whole or absent, with the mode and the time of the original."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    aside = copy.with_name(f".{copy.name[:100]}.part")
    shutil.copy2(path, aside)
    flush(aside)
    aside.replace(copy)


def _settings_text() -> str:
    """As a shell or a service manager reads it, with the secrets among them."""
    lines = [
        f"{name}={json.dumps(value, ensure_ascii=False)}"
        for name, value in sorted(os.environ.items())
        if name.startswith("SEEKPOINT_")
    ]
    return "\n".join(["# The settings of the process that made the backup.", *lines, ""])


def _stamp(path: Path) -> dict[str, Any]:
    return {"size": path.stat().st_size, "sha256": sha256(path)}


# --- bringing it back ---


def restore(
    context: Context, folder: Path, *, verify: bool = False, replace: bool = False
) -> RestoreReport:
    """Brings a backup back. It is checked against its manifest before anything is touched; a
    catalog that is there is an error, or with `replace` kept aside. `verify`: what was brought back
    is compared with the backup. Raises UsageError, StorageError, CatalogError.
    """
    started = time.monotonic()
    folder = absolute_path(folder)
    manifest = _read_manifest(folder)
    settings, catalog = context.settings, Catalog(context.settings.url)
    _check_files(folder, manifest["files"], folder)
    _check_database(catalog, manifest)
    try:
        kept_aside = _make_room(catalog, replace=replace)
        name = copies.SQLITE_NAME if catalog.is_sqlite else copies.POSTGRES_NAME
        copies.load(catalog, folder / name)
        places = {HOME: settings.home_path, ARTEFACTS: settings.artefacts}
        for part, place in places.items():
            _copy_tree(iter(_below(folder / part)), folder / part, place)
    except OSError as error:
        raise _storage_error(settings.home_path, error) from error
    if verify:
        _verify(catalog, manifest, places)
        _verify_objects(context)
    catalog.close()
    files = len(manifest["files"]) - 2
    return RestoreReport(
        folder,
        manifest["revision"],
        manifest["rows"],
        files,
        verify,
        _other_settings(folder),
        kept_aside,
        time.monotonic() - started,
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        known = manifest["format"] == FORMAT and {"files", "rows", "database"} <= set(manifest)
    except FileNotFoundError:
        raise UsageError(
            "{folder} holds no complete backup ({name} is missing)",
            "name a folder that `seekpoint backup` has finished",
            folder=folder,
            name=MANIFEST,
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise UsageError(
            "{path} cannot be read as the manifest of a backup",
            "name a folder that `seekpoint backup` of this version, or an older one, has finished",
            path=folder / MANIFEST,
        )
    return manifest


def _check_files(folder: Path, files: dict[str, Any], base: Path) -> None:
    for name, stamp in files.items():
        path = base / name
        if Path(name).is_absolute() or ".." in Path(name).parts or not path.is_file():
            reason = Message("is missing")
        elif path.stat().st_size != stamp["size"] or sha256(path) != stamp["sha256"]:
            reason = Message("has changed since it was written")
        else:
            continue
        raise StorageError(
            "the backup {folder} is damaged: {path} {reason}",
            "take another backup",
            folder=folder,
            path=printable(name),
            reason=reason,
        )


def _check_database(catalog: Catalog, manifest: dict[str, Any]) -> None:
    kind = catalog.url.get_backend_name()
    if manifest["database"] != kind:
        raise UsageError(
            "the backup is of {backup}, and SEEKPOINT_DATABASE_URL names {kind}",
            "set it as in the backup's settings.env",
            backup=manifest["database"],
            kind=kind,
        )


def _make_room(catalog: Catalog, *, replace: bool) -> Path | None:
    if not copies.is_there(catalog):
        return None
    place = catalog.url.render_as_string(hide_password=True)
    path = catalog.sqlite_path
    if path is None:
        raise UsageError(
            "the database {place} has tables already",
            "restore into an empty one (createdb)",
            place=place,
        )
    if not replace:
        raise UsageError(
            "there is a catalog at {path} already",
            "stop what uses it and say --replace: it is kept aside; or choose another "
            "SEEKPOINT_HOME",
            path=path,
        )
    aside = path.with_name(f"{path.name}.replaced-{time.strftime('%Y%m%dT%H%M%S')}")
    copies.copy_file(path, aside)
    path.unlink()
    return aside


def _verify(catalog: Catalog, manifest: dict[str, Any], places: dict[str, Path]) -> None:
    if damage := copies.find_damage(catalog):
        raise CatalogError(
            "the restored catalog is damaged: {damage}", "take another backup", damage=damage
        )
    found = copies.count_rows(catalog)
    wrong = [name for name, count in manifest["rows"].items() if found.get(name) != count]
    if wrong:
        raise CatalogError(
            "the restored catalog lacks rows of {tables}",
            "restore again, with nothing else at work",
            tables=", ".join(wrong),
        )
    for part, place in places.items():
        of_part = {
            name.removeprefix(f"{part}/"): stamp
            for name, stamp in manifest["files"].items()
            if name.startswith(f"{part}/")
        }
        _check_files(place, of_part, place)


def _verify_objects(context: Context) -> None:
    with context.catalog.read() as session:
        if not count_objects(session):
            return
    _, video_ids = find_missing(context.catalog)
    if video_ids:
        raise StorageError(
            "vectors of {videos} restored videos are not all in {url}",
            "bring the objects back, or remove these videos and ingest them again: "
            "`seekpoint doctor` names them",
            videos=len(video_ids),
            url=context.settings.frames_url,
        )


def _other_settings(folder: Path) -> tuple[str, ...]:
    lines = (folder / SETTINGS).read_text().splitlines()
    backed_up = dict(line.split("=", 1) for line in lines if line.startswith("SEEKPOINT_"))
    return tuple(
        sorted(
            name for name, value in backed_up.items() if os.environ.get(name) != json.loads(value)
        )
    )


def _storage_error(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        "{path}: {reason}",
        "check that there is space and that it is yours to write",
        path=error.filename or folder,
        reason=os_reason(error),
    )
