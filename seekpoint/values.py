"""The documents of the API as the values of the library."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from grounding.lego.generate.answers import Box
from grounding.spans import Span
from indexer.admin.export import TranscriptLine
from indexer.admin.models.states import ModelState
from indexer.admin.reports import Check
from indexer.admin.status import QueueStatus, Status
from indexer.admin.videos import Video, VideoPath
from indexer.catalog.collections import CollectionInfo
from indexer.chapters.chapters import Chapter
from indexer.ingest.report import FileOutcome
from indexer.messages import Message, as_message
from indexer.search.curve import Curve, Lane
from indexer.search.second_opinion.ask import Reply
from indexer.search.types import Answer, Evidence, Grounded, Moment
from indexer.vocabulary import EvidenceKind

Document = Mapping[str, Any]


def span_of(found: Document) -> Span:
    """`start_s`, `end_s`."""
    return Span(found["start_s"], found["end_s"])


def answer_of(pages: list[Document], top: int) -> Answer:
    """The moments of all pages, which have everything else in common; not more than `top`."""
    first = pages[0]
    moments = [moment_of(one) for page in pages for one in page["moments"]]
    return Answer(
        first["query"],
        first["caption"],
        first["matched"],
        sum(page["took_ms"] for page in pages),
        tuple(moments[:top]),
        first["confidence"],
        tuple(as_message(note) for note in first["notes"]),
    )


def moment_of(found: Document) -> Moment:
    """A moment, without a thumbnail: that is a file of the server."""
    return Moment(
        found["video_id"],
        found["path"],
        found["collection"],
        span_of(found),
        found["score"],
        tuple(_evidence(one) for one in found["evidence"]),
        None,
        found["title"],
        found["offline"],
        None if found["grounded"] is None else _grounded(found["grounded"]),
        found["statement"],
        found["peak_s"],
    )


def _evidence(found: Document) -> Evidence:
    words = tuple((word["start_s"], word["end_s"], word["word"]) for word in found["words"])
    return Evidence(found["kind"], found["score"], found["text"], words)


def _grounded(found: Document) -> Grounded:
    span = None if found["start_s"] is None else span_of(found)
    return Grounded(span, found["accepted"], found["reason"], found["shown"], found["by"])


def video_of(found: Document) -> Video:
    """A video."""
    recorded = found["recorded_at"]
    paths = tuple(VideoPath(path["path"], path["offline"]) for path in found["paths"])
    own = {
        "paths": paths,
        "error": as_message(found["error"]),
        "recorded_at": None if recorded is None else datetime.fromisoformat(recorded),
    }
    return Video(**{name: found[name] for name in Video.__slots__} | own)


def collection_of(found: Document) -> CollectionInfo:
    """A collection."""
    own: dict[str, Any] = {name: found[name] for name in CollectionInfo.__slots__}
    own["created_at"] = datetime.fromisoformat(found["created_at"])
    return CollectionInfo(**own)


def lanes_of(found: Document) -> dict[str, Lane]:
    """Kind of evidence -> lane."""
    return {
        kind: Lane(lane["times_s"], lane["values"], [tuple(span) for span in lane["spans"]])
        for kind, lane in found["lanes"].items()
    }


def curve_of(found: Document) -> Curve:
    """What of the pictures fits, and the cuts."""
    lane = found["lanes"].get(EvidenceKind.PICTURE, {"times_s": [], "values": []})
    return Curve(lane["times_s"], lane["values"], found["cuts_s"])


def check_of(found: Document) -> Check:
    """Something that was looked at."""
    name, seen, mend = (as_message(found[part]) for part in ("name", "found", "mend"))
    return Check(name, found["ok"], seen, mend)


def model_of(found: Document) -> ModelState:
    """A model that is known."""
    texts = {name: as_message(found[name]) for name in ("purpose", "quality", "how_to_get")}
    return ModelState(**{**found, **texts})


def chapters_of(found: Document) -> list[Chapter]:
    """The chapters of a video."""
    return [Chapter(span_of(one), one["name"], one["source"]) for one in found["chapters"]]


def transcript_of(found: Document) -> list[TranscriptLine]:
    """The text of a video."""
    return [
        TranscriptLine(line["kind"], span_of(line), line["text"], line["language"])
        for line in found["lines"]
    ]


def reply_of(found: Document) -> Reply:
    """What a grounder says."""
    return Reply(
        found["text"],
        span_of(found["window"]),
        tuple(span_of(span) for span in found["spans"]),
        tuple(Box(box["x1"], box["y1"], box["x2"], box["y2"]) for box in found["boxes"]),
        found["at_s"],
    )


def status_of(found: Document) -> Status:
    """What the API tells of the state of a library; the home is the server's own."""
    queue = QueueStatus(
        found["waiting"],
        found["speed"],
        found["oldest_s"],
        {},
        None,
        "",
        tuple(found["workers"]),
    )
    return Status(
        Path(),
        found["videos"],
        found["chunks"],
        found["video_s"],
        found["segments"],
        found["disk_bytes"],
        found["bytes_per_hour"],
        tuple(as_message(error) for error in found["errors"]),
        queue,
    )


def outcome_of(found: Document) -> FileOutcome:
    """What became of a file."""
    error, hint = (as_message(found[part]) for part in ("error", "hint"))
    return FileOutcome(found["path"], found["state"], found["video_id"], error, hint)


def problems_of(job: Document) -> Message:
    """What failed of a job, as one text; empty where nothing did."""
    return as_message("; ".join(job["problems"]))
