"""A file becomes a video with planned chunks: it is recognised by its bytes, and probed when they
are new.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from indexer.catalog import videos
from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import invalidate_tasks, plan_tasks, was_done_before
from indexer.catalog.video_paths import KnownPath, PathStamp, attach_path, delete_paths, set_offline
from indexer.catalog.videos import VideoRow
from indexer.errors import MediaError
from indexer.ingest.discover import FoundFile, content_hash
from indexer.media.decode.reader_process import probe_in_process
from indexer.messages import Message
from indexer.passages.subtitles.parser import find_subtitles
from indexer.passages.subtitles.side_files import side_files
from indexer.paths import Roots, printable
from indexer.settings import Settings
from indexer.stages.base import Source, Stage
from indexer.stages.segments import plan_chunks
from indexer.vocabulary import VideoState

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

Relation = Literal["new", "known", "moved", "same content"]


@dataclass(frozen=True, slots=True)
class Recognised:
    """The video of a file's bytes and how the file relates to it. `forgotten`: paths at which these
    bytes are no more. `notes` are sentences for whoever added it.
    """

    video_id: int
    relation: Relation
    forgotten: tuple[int, ...] = ()
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """What can be read of a video, and how many tasks were added for it."""

    source: Source
    added: int


class Planner:
    """`stages` by name are those that a video should have."""

    def __init__(self, catalog: Catalog, settings: Settings, stages: Mapping[str, Stage]) -> None:
        self.catalog = catalog
        self.settings = settings
        self.stages = stages
        self.roots = Roots.of(settings)

    def is_unchanged(self, file: FoundFile, known: KnownPath | None) -> bool:
        """By size and modification time alone: a repeated ingest of a large library must not read
        it.
        """
        if known is None or known.next_video_id is not None:
            return False
        same = (known.size_bytes, known.mtime_ns) == (file.size_bytes, file.mtime_ns)
        current = known.state == "ready" and all(
            known.keys.get(name) in (stage.key, stage.better_key or stage.key)
            for name, stage in self.stages.items()
        )
        current = current and not self._find_outdated(known.video_id, file.path)
        if same and current and known.offline:
            with self.catalog.begin() as session:
                set_offline(session, [known.path_id], False)
        return same and current

    def recognise(self, file: FoundFile, collection_id: int) -> Recognised:
        """Finds or adds the video of the file's bytes, and notes the path."""
        path = file.path
        stamp = PathStamp(*self.roots.split(path), file.size_bytes, file.mtime_ns)
        digest = content_hash(path)
        with self.catalog.begin() as session:
            known_id = videos.find_by_hash(session, collection_id, digest)
            if known_id is not None:
                relation, gone = self._relation(session, videos.get_video(session, known_id), stamp)
                attach_path(session, known_id, stamp)
                return Recognised(known_id, relation, gone)
        info = probe_in_process(
            path,
            max_pixels=self.settings.max_frame_pixels,
            memory_mb=self.settings.reader_memory_mb,
            timeout_s=self.settings.chunk_timeout_s,
        )
        self._require_something(
            Source(
                path,
                info.duration_s,
                has_pictures=info.width > 0,
                has_sound=bool(info.audio_tracks),
            ),
            info.undecoded,
        )
        with self.catalog.begin() as session:
            video_id = videos.add_video(
                session, collection_id, digest, file.size_bytes, info, stamp
            )
        notes = (*info.notes, *self._subtitle_notes(path, info.duration_s))
        for note in notes:
            log.info("%s", note)
        return Recognised(video_id, "new", notes=notes)

    def _subtitle_notes(self, path: Path, duration_s: float) -> tuple[Message, ...]:
        """About files beside the video that look like subtitles and are none."""
        if "speech" not in self.stages or not side_files(path):
            return ()
        try:
            return find_subtitles(path, duration_s).notes
        except MediaError as error:
            note = Message("{reason}; speech is recognised instead", {"reason": error.message})
            return (note,)

    def plan(self, video_id: int, path: Path) -> Planned:
        """Plans the chunks and stages that the video lacks, those that failed among them; repeating
        it changes nothing.
        """
        outdated = self._find_outdated(video_id, path)
        with self.catalog.begin() as session:
            video = videos.get_video(session, video_id)
            source = source_at(video, path)
            self._require_something(source)
            added = plan_tasks(
                session,
                video_id,
                plan_chunks(video.duration_s, self.settings.chunk_s),
                self._keys(video),
            )
            invalidate_tasks(session, video_id, outdated)
            if video.state != VideoState.PENDING:  # nothing of it was begun
                chunk_tasks.retry_tasks(session, [video_id])
        return Planned(source, added)

    def _find_outdated(self, video_id: int, path: Path) -> list[str]:
        """Stages that were done before something beside the file changed, such as subtitles that
        came later.
        """
        changed = {
            name: changed_s
            for name, stage in self.stages.items()
            if (changed_s := stage.changed_s(path))
        }
        if not changed:
            return []
        with self.catalog.read() as session:
            return [
                name
                for name, changed_s in changed.items()
                if was_done_before(session, video_id, name, changed_s)
            ]

    def _require_something(self, source: Source, undecoded: str = "") -> None:
        if not source.has_pictures and not source.has_sound:
            raise MediaError(
                "{path} has neither pictures nor sound",
                "check that it is a video",
                path=printable(source.path),
            )
        if source.has_pictures or {"speech", "sound"} & self.stages.keys():
            return
        if undecoded:
            raise MediaError(
                "{path} holds no picture that can be decoded ({codecs})",
                "switch speech or sound on (SEEKPOINT_SPEECH=1, SEEKPOINT_SOUND=1) to search it",
                path=printable(source.path),
                codecs=undecoded,
            )
        raise MediaError(
            "{path} has no video stream",
            "switch speech or sound on (SEEKPOINT_SPEECH=1, SEEKPOINT_SOUND=1) to search it",
            path=printable(source.path),
        )

    def _keys(self, video: VideoRow) -> dict[str, str]:
        """What is done in a better way, and complete, stays."""
        complete = video.keys if video.state == VideoState.READY else {}
        return {
            name: better
            if (better := stage.better_key) and complete.get(name) == better
            else stage.key
            for name, stage in self.stages.items()
        }

    def _relation(
        self, session: Session, video: VideoRow, stamp: PathStamp
    ) -> tuple[Relation, tuple[int, ...]]:
        """Paths at which these bytes are no more are forgotten when the file was moved."""
        others = [
            path
            for path in video.paths
            if (path.root, path.relative_path) != (stamp.root, stamp.relative_path)
        ]
        if len(others) < len(video.paths):
            return "known", ()
        known_here = [path for path in others if path.root in self.roots.folders]
        gone = tuple(
            path.path_id
            for path in known_here
            if not os.path.exists(self.roots.join(path.root, path.relative_path))
        )
        delete_paths(session, gone)
        return ("moved" if gone else "same content"), gone


def source_at(video: VideoRow, path: Path) -> Source:
    """What can be read of a video whose bytes are at `path`."""
    return Source(
        path,
        video.duration_s,
        has_pictures=video.width > 0,
        has_sound=video.audio_tracks > 0,
        language=video.collection_language,
    )
