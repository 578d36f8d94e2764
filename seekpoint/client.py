"""The library of a server, over its API.

>>> from seekpoint import Client                                         # doctest: +SKIP
>>> client = Client("http://localhost:8501", "skp_...")                  # doctest: +SKIP
>>> client.search("when does the dog jump?").moments                     # doctest: +SKIP
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from grounding.spans import Span
from indexer.admin.export import TranscriptLine
from indexer.admin.models.states import ModelState
from indexer.admin.reports import Check, Removed
from indexer.admin.status import Status
from indexer.admin.videos import Video
from indexer.catalog.collections import CollectionInfo
from indexer.catalog.video_queries import Filters
from indexer.chapters.chapters import Chapter
from indexer.errors import CatalogError, MediaError, UsageError
from indexer.ingest.discover import FoundFile, Unusable, content_hash, find_files
from indexer.ingest.report import FileOutcome, FileState, IngestReport, Observer
from indexer.messages import as_message
from indexer.queue.retry import Retried
from indexer.search.curve import Curve, Lane
from indexer.search.second_opinion.ask import Reply
from indexer.search.types import Answer
from indexer.valid_numbers import require_newest, require_time, require_top
from indexer.vectors.base import Published
from indexer.vocabulary import SOUND_FORMATS, VideoState
from seekpoint import values
from seekpoint.transport import TIMEOUT_S, Transport

PAGE = 100
MOST_VIDEOS = 500
LONGEST_S = 1e9  # the last time that the API takes
DEFAULT_COLLECTION = "default"


class Client:
    """The library of a server, with the verbs and the values of `Library`; safe to share between
    threads. `token`: of `seekpoint tokens add`; empty for a server of this machine without sign-in.

    Errors are those of `Library`. Where the server asks to wait, calls wait.
    """

    def __init__(self, url: str, token: str = "", *, timeout_s: float = TIMEOUT_S) -> None:
        self._transport = Transport(url, token, timeout_s)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections."""
        self._transport.close()

    # --- ingest ---

    def ingest(
        self,
        paths: Sequence[str | os.PathLike[str]],
        collection: str = DEFAULT_COLLECTION,
        *,
        on_server: bool = False,
        observer: Observer | None = None,
    ) -> IngestReport:
        """Sends files, and the videos below folders, and waits until they are searchable; files
        whose content the collection holds are not sent again. `on_server`: they are files and
        folders of the server, and nothing is sent.
        """
        began = time.monotonic()
        observer = observer or Observer()
        if on_server:
            body = {"paths": [os.fspath(path) for path in paths], "collection": collection}
            job = self._wait(self._transport.json("POST", "/jobs", body=body), observer)
            outcomes, video_s = self._outcomes(job, body["paths"]), job["video_s"]
        else:
            found = list(find_files(paths))
            files = [file for file in found if isinstance(file, FoundFile)]
            observer.on_start(len(found), sum(file.size_bytes for file in files))
            outcomes, video_s = [], 0.0
            for one in found:
                outcome, seconds = self._send(one, collection)
                observer.on_advance(one.size_bytes if isinstance(one, FoundFile) else 0, seconds)
                observer.on_finish(outcome)
                outcomes.append(outcome)
                video_s += seconds
        took_s = time.monotonic() - began
        return IngestReport(collection, tuple(outcomes), (), video_s, took_s)

    def _send(self, file: FoundFile | Unusable, collection: str) -> tuple[FileOutcome, float]:
        """What became of a file, and the seconds of video in it."""
        if isinstance(file, Unusable):
            return _failed(file.path, file.error), 0.0
        asked = {"collection": collection, "name": file.path.name}
        try:
            known = self._find_known(file.path, collection)
            if known is not None:
                return known, 0.0
            sent = self._transport.upload("/uploads", asked, file.path)
        except MediaError as error:
            return _failed(str(file.path), error), 0.0
        job = self._wait(sent["job"], Observer())
        (outcome,) = self._outcomes(job, [str(file.path)])
        return replace(outcome, path=str(file.path)), job["video_s"]

    def _find_known(self, path: Path, collection: str) -> FileOutcome | None:
        """What there is to say of a file that the collection holds. Raises MediaError."""
        asked = {"collection": [collection], "sha256": content_hash(path)}
        try:
            found = self._transport.json("GET", "/videos", asked)["videos"]
        except CatalogError:
            return None  # there is no such collection yet
        for video in map(values.video_of, found):
            if video.state == VideoState.READY:
                is_same = any(Path(known.path).name == path.name for known in video.paths)
                state: FileState = "unchanged" if is_same else "same content"
                return FileOutcome(str(path), state, video.video_id)
        return None

    def _outcomes(self, job: Mapping[str, Any], paths: Sequence[str]) -> list[FileOutcome]:
        """What became of the files of a job; where it came to none, of the paths."""
        found = self._transport.json("GET", f"/jobs/{job['id']}/files")
        if found or job["state"] == "done":
            return [values.outcome_of(one) for one in found]
        error = values.problems_of(job) or as_message(job["state"])
        return [FileOutcome(path, "failed", error=error) for path in paths]

    def _wait(self, job: Mapping[str, Any], observer: Observer) -> Mapping[str, Any]:
        """The job when it has ended."""
        done_bytes, video_s = 0.0, 0.0
        while True:
            for name, data in self._transport.events(f"/jobs/{job['id']}/events"):
                job = json.loads(data)
                observer.on_advance(job["done_bytes"] - done_bytes, job["video_s"] - video_s)
                done_bytes, video_s = job["done_bytes"], job["video_s"]
                if name == "end":
                    return job

    # --- asking ---

    def search(
        self,
        question: str,
        *,
        collections: Sequence[str] | None = None,
        top: int = 10,
        video_id: int | None = None,
        only: Iterable[str] | None = None,
        filters: Filters | None = None,
        titles: bool = False,
        ground: bool = False,
    ) -> Answer:
        """As `Library.search`."""
        asked = {
            "q": question,
            "video_id": video_id,
            "only": list(only or ()),
            "titles": titles,
            "ground": ground,
        }
        return self._search(asked, collections, filters, top)

    def search_picture(
        self,
        name: str,
        *,
        question: str = "",
        collections: Sequence[str] | None = None,
        top: int = 10,
        filters: Filters | None = None,
    ) -> Answer:
        """As `Library.search_picture`; `name` is that of `keep_picture`."""
        return self._search({"picture": name, "q": question}, collections, filters, top)

    def keep_picture(self, data: bytes) -> str:
        """As `Library.keep_picture`."""
        return str(self._transport.json("POST", "/pictures", content=data)["name"])

    def more_like(
        self,
        video_id: int,
        span: Span,
        *,
        collections: Sequence[str] | None = None,
        top: int = 10,
        filters: Filters | None = None,
    ) -> Answer:
        """As `Library.more_like`."""
        return self._search({"like": _place(video_id, span)}, collections, filters, top)

    def _search(
        self,
        asked: Mapping[str, Any],
        collections: Sequence[str] | None,
        filters: Filters | None,
        top: int,
    ) -> Answer:
        require_top(top)
        asked = {**asked, "weak": True, "collection": list(collections or ()), **_params(filters)}
        pages: list[Mapping[str, Any]] = []
        offset: int | None = 0
        while offset is not None and (offset < top or not pages):
            page = {**asked, "offset": offset, "limit": max(1, min(PAGE, top - offset))}
            pages.append(self._transport.json("GET", "/search", page))
            offset = pages[-1]["next_offset"]
        return values.answer_of(pages, top)

    def lanes(
        self,
        video_id: int,
        *,
        question: str = "",
        like: tuple[int, Span] | None = None,
        picture: str = "",
    ) -> dict[str, Lane]:
        """As `Library.lanes`."""
        return values.lanes_of(self._fit(video_id, question, like, picture))

    def curve(
        self,
        video_id: int,
        *,
        question: str = "",
        like: tuple[int, Span] | None = None,
        picture: str = "",
    ) -> Curve:
        """As `Library.curve`."""
        return values.curve_of(self._fit(video_id, question, like, picture))

    def _fit(
        self, video_id: int, question: str, like: tuple[int, Span] | None, picture: str
    ) -> Mapping[str, Any]:
        asked = {"q": question, "picture": picture, "like": _place(*like) if like else ""}
        return self._transport.json("GET", f"/videos/{video_id}/curve", asked)

    def chapters(self, video_id: int) -> list[Chapter]:
        """As `Library.chapters`."""
        return values.chapters_of(self._transport.json("GET", f"/videos/{video_id}/chapters"))

    def transcript(self, video_id: int) -> list[TranscriptLine]:
        """As `Library.transcript`."""
        found = self._transport.json("GET", f"/videos/{video_id}/transcript")
        return values.transcript_of(found)

    def ask(
        self,
        video: str,
        question: str,
        *,
        at_s: float | None = None,
        sound: bool = False,
        span: Span | None = None,
    ) -> Reply:
        """As `Library.ask`, of a video by its number."""
        video_id = _number(video)
        if at_s is not None:
            require_time(at_s)
        body: dict[str, Any] = {"question": question, "at_s": at_s, "sound": sound}
        if span is not None:
            body |= {"start_s": span.start_s, "end_s": span.end_s}
        found = self._transport.json("POST", f"/videos/{video_id}/ask", body=body)
        return values.reply_of(found)

    def give_feedback(self, question: str, video_id: int, span: Span, *, good: bool) -> None:
        """As `Library.give_feedback`."""
        times = {"start_s": span.start_s, "end_s": span.end_s}
        body = {"question": question, "video_id": video_id, "good": good, **times}
        self._transport.json("POST", "/feedback", body=body)

    # --- watching ---

    def frame(self, video_id: int, at_s: float) -> bytes:
        """As `Library.frame`."""
        require_time(at_s)
        asked = {"at_s": min(at_s, LONGEST_S)}
        return self._transport.bytes(f"/videos/{video_id}/frame", asked)

    def clip(
        self,
        video: str,
        start_s: float,
        end_s: float,
        output: Path,
        *,
        sound_only: bool = False,
    ) -> None:
        """As `Library.clip`, of a video by its number."""
        suffix = output.suffix.lower().removeprefix(".")
        asked: dict[str, Any] = {"start_s": start_s, "end_s": end_s}
        if sound_only or suffix in SOUND_FORMATS:
            asked["format"] = suffix if suffix in SOUND_FORMATS else "m4a"
        self._transport.save(f"/videos/{_number(video)}/clip", asked, output)

    def subtitles(self, video_id: int, output: Path) -> int:
        """As `Library.subtitles`."""
        text = self._transport.bytes(f"/videos/{video_id}/subtitles", {})
        if not text:
            raise UsageError(
                "no speech is known of video {video_id}",
                "a video without speech has none",
                video_id=video_id,
            )
        output.write_bytes(text)
        return text.count(b" --> ")

    def transcripts(self, names: Sequence[str] | None, output: Path) -> int:
        """As `Library.transcripts`: of the collections that the token opens."""
        asked = {"collection": list(names or ())}
        self._transport.save("/transcripts", asked, output)
        with output.open("rb") as lines:
            return sum(1 for _ in lines)

    # --- looking after it ---

    def videos(
        self, names: Sequence[str] | None = None, *, newest: int | None = None, named: str = ""
    ) -> list[Video]:
        """As `Library.videos`."""
        require_newest(newest)
        asked = {"collection": list(names or ()), "name": named, "limit": MOST_VIDEOS}
        found: list[Video] = []
        offset: int | None = 0
        while offset is not None:
            page = self._transport.json("GET", "/videos", {**asked, "offset": offset})
            found += [values.video_of(one) for one in page["videos"]]
            offset = page["next_offset"]
        return found if newest is None else found[max(0, len(found) - newest) :]

    def video(self, video_id: int) -> Video:
        """As `Library.video`."""
        return values.video_of(self._transport.json("GET", f"/videos/{video_id}"))

    def collections(self) -> list[CollectionInfo]:
        """As `Library.collections`: those that the token opens."""
        return [values.collection_of(one) for one in self._transport.json("GET", "/collections")]

    def remove(self, *, video_ids: Sequence[int] = (), collections: Sequence[str] = ()) -> Removed:
        """As `Library.remove`, one after another."""
        ids = {one.name: one.id for one in self.collections()}
        for name in collections:
            if name not in ids:
                raise CatalogError(
                    "there is no collection {name!r}",
                    "choose from {names}",
                    name=name,
                    names=", ".join(sorted(ids)),
                )
        places = [f"/videos/{id}" for id in dict.fromkeys(video_ids)]
        places += [f"/collections/{ids[name]}" for name in collections]
        removed = [self._transport.json("DELETE", place) for place in places]
        gone = tuple(id for one in removed for id in one["video_ids"])
        return Removed(gone, sum(one["freed_bytes"] for one in removed))

    def retry(
        self, video_ids: Sequence[int] | None = None, observer: Observer | None = None
    ) -> Retried:
        """As `Library.retry`: failed videos one after another."""
        failed = [video for video in self.videos() if video.state == VideoState.FAILED]
        if video_ids is not None:
            named = {self.video(id).video_id for id in dict.fromkeys(video_ids)}
            failed = [video for video in failed if video.video_id in named]
        chunks, ready, errors = 0, 0, []
        for video in failed:
            job = self._transport.json("POST", f"/videos/{video.video_id}/retry")
            chunks += job["chunks"]
            done = self._wait(job, observer or Observer())
            ready += done["state"] == "done"
            errors += [as_message(problem) for problem in done["problems"]]
        return Retried(len(failed), chunks, ready, tuple(errors))

    def cancel(self, video_ids: Sequence[int] | None = None) -> int:
        """As `Library.cancel`; None: for tokens that open all collections."""
        places = ["/cancel"]
        if video_ids is not None:
            places = [f"/videos/{id}/cancel" for id in video_ids]
        return sum(self._transport.json("POST", place)["dropped"] for place in places)

    def reindex(self) -> list[Published]:
        """As `Library.reindex`."""
        return [Published(**one) for one in self._transport.json("POST", "/reindex")]

    def doctor(self) -> list[Check]:
        """As `Library.doctor`, of the server."""
        return [values.check_of(one) for one in self._transport.json("GET", "/checks")]

    def models(self) -> list[ModelState]:
        """As `Library.models`, of the server."""
        return [values.model_of(one) for one in self._transport.json("GET", "/models")]

    def status(self) -> Status:
        """As `Library.status`; the home and the broker are the server's own business."""
        return values.status_of(self._transport.json("GET", "/status"))


def _number(video: str) -> int:
    """Of a video: its files are the server's own."""
    if not video.isdecimal():
        raise UsageError(
            "{video!r} is not the number of a video", "`videos` lists them", video=video
        )
    return int(video)


def _place(video_id: int, span: Span) -> str:
    """A moment as the API writes it."""
    return f"{video_id}@{span.start_s:.3f}-{span.end_s:.3f}"


def _params(filters: Filters | None) -> dict[str, Any]:
    if filters is None:
        return {}

    def day(value: date | None) -> str | None:
        return None if value is None else value.isoformat()

    return {
        "recorded_from": day(filters.recorded_from),
        "recorded_to": day(filters.recorded_to),
        "shortest_s": filters.shortest_s or None,
        "longest_s": filters.longest_s,
        "name": filters.name,
    }


def _failed(path: str, error: MediaError) -> FileOutcome:
    return FileOutcome(path, "failed", error=error.what, hint=error.advice)
