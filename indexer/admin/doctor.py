"""Looks at everything that an installation leans on, and says how to fix what is wrong. A check
never changes anything.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indexer.admin.status import status
from indexer.admin.videos import list_videos
from indexer.catalog.database.migrate import revision
from indexer.catalog.database.session import Catalog
from indexer.context import Context
from indexer.errors import SeekpointError, SnapshotError
from indexer.media.ffmpeg import find_ffmpeg, run_ffmpeg

LOW_DISK_BYTES = 2_000_000_000
FFMPEG_TIMEOUT_S = 30.0
WRITE_LOCK_S = 3.0  # an ingest holds the lock for milliseconds
REINDEX = "`seekpoint reindex` rebuilds the vector index from the catalog"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    found: str
    mend: str = ""


def examine(context: Context) -> list[Check]:
    """Runs every check; one that fails does not keep the others from running."""
    checks = [_guard("database", lambda: _database(context))]
    checks.append(_guard("ffmpeg", lambda: _ffmpeg(context)))
    checks.append(_guard("models", lambda: _model(context)))
    if context.settings.speech:
        checks.append(_guard("speech", lambda: _speech(context)))
    if context.settings.screen_text:
        checks.append(_guard("screen text", lambda: _screen_text(context)))
    checks.append(_guard("device", lambda: _device(context)))
    if checks[0].ok:
        checks.append(_guard("files", lambda: _files(context)))
        checks.append(_guard("work", lambda: _work(context)))
        checks += _vectors(context)
    checks.append(_guard("disk", lambda: _disk(context)))
    return checks


def _guard(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SeekpointError as error:
        return Check(name, False, error.message, error.hint)


def _database(context: Context) -> Check:
    opened = context.catalog
    kind = "SQLite" if opened.is_sqlite else opened.url.get_backend_name()
    with (
        Catalog(context.settings.url, busy_timeout_s=WRITE_LOCK_S) as writer,
        writer.begin() as session,
    ):
        # takes the write lock: a program that keeps it would let every ingest wait
        session.connection()
    return Check("database", True, f"{kind} at revision {revision(context.settings.url)}")


def _ffmpeg(context: Context) -> Check:
    run_ffmpeg(["-version"], FFMPEG_TIMEOUT_S, context.settings)
    return Check("ffmpeg", True, str(find_ffmpeg(context.settings)))


def _model(context: Context) -> Check:
    embedder = context.embedder
    return Check(
        "models", True, f"embedder {embedder.name} ({embedder.dimension} numbers a vector) loads"
    )


def _speech(context: Context) -> Check:
    from indexer.passages.speech import load_speech_model

    load_speech_model(context.settings)
    return Check("speech", True, f"model {context.settings.speech_model} loads")


def _screen_text(context: Context) -> Check:
    from indexer.passages.ocr import load_text_model

    load_text_model(context.settings)
    return Check("screen text", True, "its model loads")


def _device(context: Context) -> Check:
    import torch

    from indexer.embedders.devices import choose_device

    device = context.settings.torch_device
    if device.startswith("cuda") and not torch.cuda.is_available():
        return Check(
            "device",
            False,
            f"{device} was asked for, but torch sees no GPU",
            "set SEEKPOINT_DEVICE=cpu, or install a CUDA build of torch",
        )
    return Check("device", True, str(choose_device(context.settings)))


def _files(context: Context) -> Check:
    listed = list_videos(context)
    offline = [
        video
        for video in listed
        if video.paths
        and all(path.offline or not os.path.exists(path.path) for path in video.paths)
    ]
    if offline:
        names = ", ".join(str(video.video_id) for video in offline[:5])
        mend = (
            "bring the files back or ingest the folder they moved to; they stay searchable "
            "meanwhile"
        )
        return Check(
            "files",
            True,
            f"{len(offline)} of {len(listed)} videos are offline (numbers {names})",
            mend,
        )
    return Check("files", True, f"{len(listed)} videos, all there")


def _work(context: Context) -> Check:
    found = status(context)
    failed = found.chunks.get("failed", 0) + found.videos.get("failed", 0)
    if failed:
        return Check(
            "work",
            False,
            f"{found.videos.get('failed', 0)} videos failed",
            "`seekpoint videos` says why; `seekpoint retry` tries again",
        )
    waiting = found.chunks.get("waiting", 0)
    mend = "`seekpoint ingest` of the same paths goes on with them" if waiting else ""
    return Check(
        "work", True, f"{found.chunks.get('done', 0)} chunks done, {waiting} waiting", mend
    )


def _vectors(context: Context) -> Iterator[Check]:
    check = _server_index if context.settings.vectors == "pgvector" else _snapshot
    for stage, key in context.vector_keys():
        yield _guard(f"vectors {key}", lambda stage=stage, key=key: check(context, stage, key))


def _snapshot(context: Context, stage: str, key: str) -> Check:
    from indexer.vectors.store import SnapshotStore

    index = context.index_of(key, stage)
    store = SnapshotStore(context.catalog, key, index.dimension, context.settings, stage)
    try:
        if (pointer := store.pointer()) is not None:
            store.open(pointer)  # before the index does, which would replace a damaged one
    except SnapshotError as error:
        return Check(
            f"vectors {key}", False, error.message, f"{REINDEX}; a search does so by itself"
        )
    report = index.self_check()
    return Check(f"vectors {key}", report.ok, report.text, "" if report.ok else REINDEX)


def _server_index(context: Context, stage: str, key: str) -> Check:
    from indexer.vectors.pgvector_index import PgVectorIndex

    index = context.index_of(key, stage)
    assert isinstance(index, PgVectorIndex), "the settings name it"
    state = index.state_text()
    report = index.self_check()
    return Check(
        f"vectors {key}", report.ok, f"{report.text} ({state})", "" if report.ok else REINDEX
    )


def _disk(context: Context) -> Check:
    place = context.settings.home_path
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
    found = f"{free / 1e9:,.1f} GB free in {context.settings.home_path}"
    return Check(
        "disk",
        free >= LOW_DISK_BYTES,
        found,
        ""
        if free >= LOW_DISK_BYTES
        else "free some space, or move SEEKPOINT_HOME to a larger disk",
    )
