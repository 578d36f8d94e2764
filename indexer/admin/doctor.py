"""Looks at everything that an installation leans on, and says how to fix what is wrong. A check
never changes anything.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from enum import Enum, auto

from indexer.admin.playback import is_as_read
from indexer.admin.reports import Check
from indexer.admin.status import status
from indexer.admin.uploads import list_stray_uploads, uploads_folder
from indexer.catalog import database, videos
from indexer.catalog.database.session import Catalog
from indexer.catalog.objects.upkeep import find_missing
from indexer.catalog.video_paths import PathRow
from indexer.context import Context
from indexer.embedders.devices import choose_device
from indexer.errors import SeekpointError, SnapshotError
from indexer.formatting import format_bytes
from indexer.grounder.configured import check_grounder, grounder_name
from indexer.ingest.served_models import others_note, served_embedder
from indexer.media.ffmpeg import find_ffmpeg, run_ffmpeg
from indexer.messages import NOTHING, Message, as_message, join_messages
from indexer.passages.screen.ocr import load_text_model
from indexer.passages.speech.recognition import EMBEDDED, load_speech_model
from indexer.paths import printable
from indexer.settings import Settings
from indexer.vectors.pgvector_index import PgVectorIndex
from indexer.vectors.snapshot_store import SnapshotStore

LOW_DISK_BYTES = 2_000_000_000
FFMPEG_TIMEOUT_S = 30.0
WRITE_LOCK_S = 3.0  # an ingest holds the lock for milliseconds
SHOWN_FILES = 5
REINDEX = Message("`seekpoint reindex` rebuilds the vector index from the catalog")
DATABASE = Message("database")
REPLICA = Message("replica")
FRAMES = Message("frames")
FFMPEG = Message("ffmpeg")
MODELS = Message("models")
SPEECH = Message("speech")
SCREEN_TEXT = Message("screen text")
GROUNDER = Message("grounder")
DEVICE = Message("device")
FILES = Message("files")
UPLOADS = Message("uploads")
WORK = Message("work")
SERVED = Message("served models")
DISK = Message("disk")


def examine(context: Context) -> list[Check]:
    """Runs every check; one that fails does not keep the others from running."""
    checks = [_guard(DATABASE, lambda: _database(context))]
    if context.settings.database_read_url and checks[0].ok:
        checks.append(_guard(REPLICA, lambda: check_replica(context)))
    if context.settings.frames_url and checks[0].ok:
        checks.append(_guard(FRAMES, lambda: check_frames(context)))
    checks.append(_guard(FFMPEG, lambda: _ffmpeg(context)))
    checks.append(_guard(MODELS, lambda: _model(context)))
    if context.settings.speech:
        checks.append(_guard(SPEECH, lambda: _speech(context)))
    if context.settings.screen_text:
        checks.append(_guard(SCREEN_TEXT, lambda: _screen_text(context)))
    if context.settings.grounder_kind:
        checks.append(_guard(GROUNDER, lambda: _grounder(context)))
    checks.append(_guard(DEVICE, lambda: _device(context)))
    if checks[0].ok:
        checks.append(_guard(FILES, lambda: _files(context)))
        checks.append(_guard(UPLOADS, lambda: _uploads(context)))
        checks.append(_guard(WORK, lambda: _work(context)))
        checks.append(_guard(SERVED, lambda: _check_served_models(context)))
        checks += _vectors(context)
    checks.append(_guard(DISK, lambda: _disk(context)))
    return checks


def _guard(name: Message, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SeekpointError as error:
        return Check(name, False, error.what, error.advice)


def _database(context: Context) -> Check:
    opened = context.catalog
    kind = "SQLite" if opened.is_sqlite else opened.url.get_backend_name()
    with (
        Catalog(context.settings.url, busy_timeout_s=WRITE_LOCK_S) as writer,
        writer.begin() as session,
    ):
        # takes the write lock: a program that keeps it would let every ingest wait
        session.connection()
    values = {"database": kind, "revision": database.migrate.revision(context.settings.url)}
    return Check(DATABASE, True, Message("{database} at revision {revision}", values))


def check_replica(context: Context) -> Check:
    """How far the replica is behind. Raises CatalogError where it cannot be read from."""
    replica = context.catalog.replica
    assert replica is not None, "the settings name it"
    found = Message("behind by {seconds:.1f} s at most", {"seconds": replica.describe_lag()})
    return Check(REPLICA, True, found)


def check_frames(context: Context) -> Check:
    """Whether all vectors of frames that rows name are in the object storage. Raises CatalogBusy,
    StorageError where it does not answer.
    """
    count, video_ids = find_missing(context.catalog)
    values = {"count": count, "url": context.settings.frames_url}
    if not video_ids:
        found = Message("vectors of {count} chunks in {url}, all there", values)
        return Check(FRAMES, True, found)
    values |= {
        "videos": len(video_ids),
        "numbers": ", ".join(str(video_id) for video_id in video_ids[:5]),
    }
    found = Message("vectors of {videos} videos (numbers {numbers}) are not all in {url}", values)
    mend = Message("bring the objects back, or remove these videos and ingest them again")
    return Check(FRAMES, False, found, mend)


def _ffmpeg(context: Context) -> Check:
    run_ffmpeg(["-version"], FFMPEG_TIMEOUT_S, context.settings)
    return Check(FFMPEG, True, as_message(str(find_ffmpeg(context.settings))))


def _model(context: Context) -> Check:
    embedder = context.embedder
    values = {"name": embedder.name, "dimension": embedder.dimension}
    found = Message("embedder {name} ({dimension} numbers a vector) loads", values)
    return Check(MODELS, True, found, propose_models(context.settings))


def propose_models(settings: Settings) -> Message:
    """What a GPU would let this installation do better, and the command that fetches it; empty
    without a GPU.
    """
    if not settings.torch_device.startswith("cuda"):
        return NOTHING
    better = []
    if settings.embedder in ("lite", "demo"):
        better.append(Message("`seekpoint models get siglip2` finds pictures better on a GPU"))
    if settings.speech and settings.speech_model == EMBEDDED:
        better.append(
            Message("`seekpoint models get whisper-small` understands about 100 languages")
        )
    if not settings.grounder_kind:
        better.append(Message("`seekpoint models get timelens` gives a second opinion on moments"))
    return join_messages(better)


def _speech(context: Context) -> Check:
    load_speech_model(context.settings)
    values = {"name": context.settings.speech_model}
    return Check(SPEECH, True, Message("model {name} loads", values))


def _screen_text(context: Context) -> Check:
    load_text_model(context.settings)
    return Check(SCREEN_TEXT, True, Message("its model loads"))


def _grounder(context: Context) -> Check:
    check_grounder(context.settings)
    values = {"name": grounder_name(context.settings)}
    return Check(GROUNDER, True, Message("{name} is there", values))


def _device(context: Context) -> Check:
    device, _ = choose_device(context.settings)
    return Check(DEVICE, True, as_message(str(device)))


def _files(context: Context) -> Check:
    with context.catalog.read_replica() as session:
        listed = videos.list_videos(session)
    offline: list[int] = []
    changed: list[str] = []
    for video in listed:
        found = [_look_at(context, path) for path in video.paths]
        if found and all(one is _File.OFFLINE for one in found):
            offline.append(video.id)
        changed += [
            printable(context.path_text(path.root, path.relative_path))
            for path, one in zip(video.paths, found, strict=True)
            if one is _File.CHANGED
        ]
    values = {
        "offline": len(offline),
        "changed": len(changed),
        "count": len(listed),
        "numbers": ", ".join(map(str, offline[:SHOWN_FILES])),
        "paths": ", ".join(changed[:SHOWN_FILES]) + (", …" if len(changed) > SHOWN_FILES else ""),
    }
    away = Message("{offline} of {count} videos are offline (numbers {numbers})", values)
    bring = Message(
        "bring the files back or ingest the folder they moved to; they stay searchable meanwhile"
    )
    if changed:
        other = Message(
            "changed in size or time since they were read, and therefore not played "
            "({changed}): {paths}",
            values,
        )
        again = Message(
            "`seekpoint ingest` of these files or their folder, into the same collection; only "
            "those with other bytes are read anew"
        )
        found, mend = ([other, away], [again, bring]) if offline else ([other], [again])
        return Check(FILES, False, join_messages(found), join_messages(mend))
    if offline:
        return Check(FILES, True, away, bring)
    return Check(FILES, True, Message("{count} videos, all there", {"count": len(listed)}))


class _File(Enum):
    OFFLINE = auto()
    CHANGED = auto()
    AS_READ = auto()


def _look_at(context: Context, path: PathRow) -> _File:
    if path.offline:
        return _File.OFFLINE
    try:
        state = os.stat(context.path_text(path.root, path.relative_path))
    except OSError:
        return _File.OFFLINE
    return _File.AS_READ if is_as_read(state, path) else _File.CHANGED


def _uploads(context: Context) -> Check:
    strays = list_stray_uploads(context)
    if not strays:
        return Check(UPLOADS, True, Message("every uploaded file belongs to a video"))
    values = {
        "count": len(strays),
        "folder": uploads_folder(context),
        "names": ", ".join(printable(path.name) for path in strays[:5]),
    }
    return Check(
        UPLOADS,
        False,
        Message("{count} uploaded files in {folder} belong to no video ({names})", values),
        Message("add them on the System page or with `seekpoint ingest`, or delete them"),
    )


def _work(context: Context) -> Check:
    found = status(context)
    failed = found.chunks.get("failed", 0) + found.videos.get("failed", 0)
    if failed:
        return Check(
            WORK,
            False,
            Message("{count} videos failed", {"count": found.videos.get("failed", 0)}),
            Message("`seekpoint videos` says why; `seekpoint retry` tries again"),
        )
    values = {"done": found.chunks.get("done", 0), "waiting": found.chunks.get("waiting", 0)}
    mend = Message(
        "`seekpoint ingest` of the same paths goes on with them" if values["waiting"] else ""
    )
    return Check(WORK, True, Message("{done} chunks done, {waiting} waiting", values), mend)


def _check_served_models(context: Context) -> Check:
    """Whether this machine and all that report search and plan with one embedder."""
    with context.catalog.read() as session:
        served = served_embedder(session)
        note = others_note(session)
    if served is None:
        return Check(SERVED, True, Message("no video is served yet"))
    own = context.embedder.key
    if own != served:
        values = {"served": served, "own": own}
        found = Message("most videos are served with {served}, and this machine has {own}", values)
        mend = Message(
            "set SEEKPOINT_EMBEDDER and SEEKPOINT_EMBEDDER_PATH as the others, or compute "
            "everything anew: `seekpoint ingest --change-model`"
        )
        return Check(SERVED, False, found, mend)
    if note is not None:
        return Check(SERVED, False, note, Message("start them again with the same settings"))
    return Check(SERVED, True, as_message(served))


def _vectors(context: Context) -> Iterator[Check]:
    check = _server_index if context.settings.vectors == "pgvector" else _snapshot
    for stage, key in context.vector_keys():
        yield _guard(_vectors_of(key), lambda stage=stage, key=key: check(context, stage, key))


def _vectors_of(key: str) -> Message:
    return Message("vectors {key}", {"key": key})


def _snapshot(context: Context, stage: str, key: str) -> Check:
    index = context.index_of(key, stage)
    store = SnapshotStore(context.catalog, key, index.dimension, context.settings, stage)
    try:
        if (pointer := store.pointer()) is not None:
            store.open(pointer)  # before the index does, which would replace a damaged one
    except SnapshotError as error:
        mend = Message("{command}; a search does so by itself", {"command": REINDEX})
        return Check(_vectors_of(key), False, error.what, mend)
    report = index.self_check()
    return Check(_vectors_of(key), report.ok, report.text, NOTHING if report.ok else REINDEX)


def _server_index(context: Context, stage: str, key: str) -> Check:
    index = context.index_of(key, stage)
    assert isinstance(index, PgVectorIndex), "the settings name it"
    state = index.state_text()
    report = index.self_check()
    found = Message("{report} ({state})", {"report": report.text, "state": state})
    return Check(_vectors_of(key), report.ok, found, NOTHING if report.ok else REINDEX)


def _disk(context: Context) -> Check:
    place = context.settings.home_path
    while not os.path.exists(place):  # Path.exists raises where a folder above may not be entered
        place = place.parent
    if not os.access(place, os.W_OK):
        return Check(
            DISK,
            False,
            Message("{path} cannot be written", {"path": place}),
            Message("make it yours to write, or set SEEKPOINT_HOME to a folder that is"),
        )
    free = shutil.disk_usage(place).free
    values = {"size": format_bytes(free), "path": context.settings.home_path}
    found = Message("{size} free in {path}", values)
    return Check(
        DISK,
        free >= LOW_DISK_BYTES,
        found,
        Message(
            ""
            if free >= LOW_DISK_BYTES
            else "free some space, or move SEEKPOINT_HOME to a larger disk"
        ),
    )
