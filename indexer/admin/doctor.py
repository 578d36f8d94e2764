"""Looks at everything that an installation leans on, and says how to mend what is wrong. A check
never changes anything.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.errors import SeekpointError, SnapshotError
from indexer.media.ffmpeg import find_ffmpeg, run_ffmpeg

if TYPE_CHECKING:
    from indexer.library import Library

LOW_DISK_BYTES = 2_000_000_000
FFMPEG_TIMEOUT_S = 30.0
WRITE_LOCK_S = 3.0  # an ingest holds the lock for milliseconds
REINDEX = "`seekpoint reindex` builds the vector index anew from the catalog"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    found: str
    mend: str = ""


def examine(library: Library) -> list[Check]:
    checks = [_guard("database", lambda: _database(library))]
    checks.append(_guard("ffmpeg", lambda: _ffmpeg(library)))
    checks.append(_guard("models", lambda: _model(library)))
    if library.settings.speech:
        checks.append(_guard("speech", lambda: _speech(library)))
    if library.settings.screen_text:
        checks.append(_guard("screen text", lambda: _screen_text(library)))
    checks.append(_guard("device", lambda: _device(library)))
    if checks[0].ok:
        checks.append(_guard("files", lambda: _files(library)))
        checks.append(_guard("work", lambda: _work(library)))
        checks += _vectors(library)
    checks.append(_guard("disk", lambda: _disk(library)))
    return checks


def _guard(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SeekpointError as error:
        return Check(name, False, error.message, error.hint)


def _database(library: Library) -> Check:
    from indexer.catalog import Catalog
    from indexer.catalog.database.migrate import revision

    opened = library.catalog
    kind = "SQLite" if opened.is_sqlite else opened.url.get_backend_name()
    with (
        Catalog(library.settings.url, busy_timeout_s=WRITE_LOCK_S) as writer,
        writer.begin() as session,
    ):
        # takes the write lock: a program that keeps it would let every ingest wait
        session.connection()
    return Check("database", True, f"{kind} at revision {revision(library.settings.url)}")


def _ffmpeg(library: Library) -> Check:
    run_ffmpeg(["-version"], FFMPEG_TIMEOUT_S, library.settings)
    return Check("ffmpeg", True, str(find_ffmpeg(library.settings)))


def _model(library: Library) -> Check:
    embedder = library.embedder
    return Check(
        "models", True, f"embedder {embedder.name} ({embedder.dimension} numbers a vector) loads"
    )


def _speech(library: Library) -> Check:
    from indexer.passages.speech import load_speech_model

    load_speech_model(library.settings)
    return Check("speech", True, f"model {library.settings.speech_model} loads")


def _screen_text(library: Library) -> Check:
    from indexer.passages.ocr import load_text_model

    load_text_model(library.settings)
    return Check("screen text", True, "its model loads")


def _device(library: Library) -> Check:
    import torch

    from indexer.embedders.devices import choose_device

    device = library.settings.torch_device
    if device.startswith("cuda") and not torch.cuda.is_available():
        return Check(
            "device",
            False,
            f"{device} was asked for, but torch sees no GPU",
            "set SEEKPOINT_DEVICE=cpu, or install a CUDA build of torch",
        )
    return Check("device", True, str(choose_device(library.settings)))


def _files(library: Library) -> Check:
    listed = library.videos()
    offline = [
        video
        for video in listed
        if video.paths
        and all(path.offline or not os.path.exists(path.path) for path in video.paths)
    ]
    if offline:
        names = ", ".join(str(video.video_id) for video in offline[:5])
        mend = "bring the files back or ingest the folder they moved to; they stay searchable meanwhile"
        return Check(
            "files",
            True,
            f"{len(offline)} of {len(listed)} videos are offline (numbers {names})",
            mend,
        )
    return Check("files", True, f"{len(listed)} videos, all there")


def _work(library: Library) -> Check:
    status = library.status()
    failed = status.chunks.get("failed", 0) + status.videos.get("failed", 0)
    if failed:
        return Check(
            "work",
            False,
            f"{status.videos.get('failed', 0)} videos failed",
            "`seekpoint videos` says why; `seekpoint retry` tries again",
        )
    waiting = status.chunks.get("waiting", 0)
    mend = "`seekpoint ingest` of the same paths goes on with them" if waiting else ""
    return Check(
        "work", True, f"{status.chunks.get('done', 0)} chunks done, {waiting} waiting", mend
    )


def _vectors(library: Library) -> Iterator[Check]:
    check = _server_index if library.settings.vectors == "pgvector" else _snapshot
    for stage, key in library.vector_keys():
        yield _guard(f"vectors {key}", lambda stage=stage, key=key: check(library, stage, key))


def _snapshot(library: Library, stage: str, key: str) -> Check:
    from indexer.vectors.store import SnapshotStore

    index = library.index_of(key, stage)
    store = SnapshotStore(library.catalog, key, index.dimension, library.settings, stage)
    try:
        if (pointer := store.pointer()) is not None:
            store.open(pointer)  # before the index does, which would replace a damaged one
    except SnapshotError as error:
        return Check(
            f"vectors {key}", False, error.message, f"{REINDEX}; a search does so by itself"
        )
    report = index.self_check()
    return Check(f"vectors {key}", report.ok, report.text, "" if report.ok else REINDEX)


def _server_index(library: Library, stage: str, key: str) -> Check:
    from indexer.vectors.pgvector_index import PgVectorIndex

    index = library.index_of(key, stage)
    assert isinstance(index, PgVectorIndex), "the settings name it"
    state = index.state_text()
    report = index.self_check()
    return Check(
        f"vectors {key}", report.ok, f"{report.text} ({state})", "" if report.ok else REINDEX
    )


def _disk(library: Library) -> Check:
    place = library.settings.home_path
    while not os.path.exists(place):  # Path.exists raises where a folder above may not be entered
        place = place.parent
    if not os.access(place, os.W_OK):
        return Check(
            "disk",
            False,
            f"{place} cannot be written",
            "make it yours to write, or set SEEKPOINT_HOME to a folder that is",
        )
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:,.1f} GB free in {library.settings.home_path}"
    return Check(
        "disk",
        free >= LOW_DISK_BYTES,
        found,
        ""
        if free >= LOW_DISK_BYTES
        else "free some space, or move SEEKPOINT_HOME to a larger disk",
    )
