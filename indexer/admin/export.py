"""What was said, out of the library again: subtitles of a video, transcripts of collections."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grounding.spans import Span
from indexer.artefacts import write_atomically
from indexer.catalog import collections, videos
from indexer.catalog.passages import PassageRow, list_passages
from indexer.context import Context
from indexer.errors import UsageError
from indexer.passages.base import Passage, Word
from indexer.passages.subtitles.writer import write_json_lines, write_srt


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """Text that holds during a span: what was said or written, the name of a sound, an event.
    `language` None: it is not known.
    """

    kind: str
    span: Span
    text: str
    language: str | None


def transcript(context: Context, video_id: int) -> list[TranscriptLine]:
    """All text of a video in the order of time. Raises CatalogError for an unknown video."""
    with context.catalog.read() as session:
        videos.get_video(session, video_id)
        rows = list_passages(session, video_id)
    return [TranscriptLine(str(row.kind), row.span, row.text, row.language) for row in rows]


def write_subtitles(context: Context, video_id: int, output: Path) -> int:
    """Writes the speech of a video as SRT; how many cues. UsageError where it has none."""
    with context.catalog.read() as session:
        videos.get_video(session, video_id)
        every = [_passage(row) for row in list_passages(session, video_id, ["speech"])]
    speech = _one_language(every, context.settings.speech_language)
    if not speech:
        raise UsageError(
            "no speech is known of video {video_id}",
            "ingest it with SEEKPOINT_SPEECH=1; a video without speech has none",
            video_id=video_id,
        )
    text = io.StringIO()
    write_srt(speech, text)
    write_atomically(output, text.getvalue().encode())
    return len(speech)


def speech_within(context: Context, video_id: int, span: Span) -> list[Passage]:
    """What is said in a part of a video, in one language; its times begin with the part. Empty
    where nothing is.
    """
    with context.catalog.read() as session:
        every = [_passage(row) for row in list_passages(session, video_id, ["speech"])]
    return [
        replace(
            passage,
            start_s=max(passage.start_s, span.start_s) - span.start_s,
            end_s=min(passage.end_s, span.end_s) - span.start_s,
        )
        for passage in _one_language(every, context.settings.speech_language)
        if passage.end_s > span.start_s and passage.start_s < span.end_s
    ]


def write_transcripts(context: Context, names: Sequence[str] | None, output: Path) -> int:
    """Writes all speech and screen text of collections (None: all) as JSON lines, video by video;
    how many lines.
    """
    text = transcripts_text(context, names)
    write_atomically(output, text.encode())
    return text.count("\n")


def transcripts_text(context: Context, names: Sequence[str] | None) -> str:
    """All speech and screen text of collections (None: all) as JSON lines, video by video. Raises
    CatalogError for an unknown collection.
    """
    text = io.StringIO()
    with context.catalog.read() as session:
        ids = collections.find_collections(session, list(names)) if names else None
        for video in videos.list_videos(session, collection_ids=ids):
            found = [_passage(row) for row in list_passages(session, video.id)]
            about = {
                "video_id": video.id,
                "collection": video.collection,
                "path": context.shown_path(video),
            }
            write_json_lines(found, text, **about)
    return text.getvalue()


def _one_language(speech: Sequence[Passage], preferred: str) -> list[Passage]:
    """A video may have subtitles in several languages: those in the preferred one, in English, or
    in the one with most of them.
    """
    counts = Counter(passage.language for passage in speech)
    for language in (preferred, "en", *(name for name, _ in counts.most_common(1))):
        if language in counts:
            return [passage for passage in speech if passage.language == language]
    return list(speech)


def _passage(row: PassageRow) -> Passage:
    words = tuple(Word(*word) for word in row.words) or None
    return Passage(
        row.kind,  # pyright: ignore[reportArgumentType]
        row.span.start_s,
        row.span.end_s,
        row.text,
        row.language,
        row.confidence,
        words,
    )
