"""The words that the catalog, the command line and the page share, spelled once."""

from __future__ import annotations

from enum import StrEnum


class StageName(StrEnum):
    """What is done to a chunk, in the order in which it is done."""

    PICTURE = "picture"
    SPEECH = "speech"
    SCREEN = "screen"
    SOUND = "sound"
    EVENTS = "events"


class EvidenceKind(StrEnum):
    """Why a moment answers a question. `TITLE` is not a kind of passage: it is what is known about
    the file.
    """

    PICTURE = "picture"
    SPEECH = "speech"
    SCREEN = "screen"
    SOUND = "sound"
    EVENT = "event"
    TITLE = "title"


SEARCHED_KINDS = (
    EvidenceKind.PICTURE,
    EvidenceKind.SPEECH,
    EvidenceKind.SCREEN,
    EvidenceKind.SOUND,
    EvidenceKind.EVENT,
)
"""Kinds that a search may be limited to."""


class VideoState(StrEnum):
    """`FAILED`: some of it could not be done; what is done is searchable. A video that is `READY`
    and has an error could not be read to its end.
    """

    PENDING = "pending"
    INGESTING = "ingesting"
    READY = "ready"
    FAILED = "failed"


class TaskState(StrEnum):
    """Of a chunk task or a job. `FAILED`: it was tried as often as is allowed (a dead letter) and
    waits for `retry`.
    """

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class AuditAction(StrEnum):
    """What the audit log notes. `SEARCHED_OTHERS`: somebody asked a collection, or for a video,
    that they may not see.
    """

    SIGNED_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    SIGNED_OUT = "signed out"
    SEARCHED_OTHERS = "searched others' in vain"
    ADDED = "added"
    REMOVED = "removed"
    SHARED = "shared"
    CHANGED_RIGHTS = "changed rights"


class PageJobKind(StrEnum):
    """What somebody asks for on the search page and does not wait for. `WATCH`: a folder that is
    looked into again and again asked by itself.
    """

    INGEST = "ingest"
    DEMO = "demo"
    RETRY = "retry"
    PROXY = "proxy"
    WATCH = "watch"


class Wanted(StrEnum):
    """What people want of a job that they asked for."""

    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"


class JobKind(StrEnum):
    """What workers do besides chunks."""

    PLAN = "plan"
    GROUND = "ground"
    ARTEFACTS = "artefacts"


SOUND_FORMATS = ("aac", "flac", "m4a", "mp3", "ogg", "opus", "wav")
"""Suffixes of names that ask for the sound of a clip alone."""
