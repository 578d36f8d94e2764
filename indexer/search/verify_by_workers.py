"""A question for LEGO is left to a worker that has it, and its answer awaited."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from grounding.lego.errors import LegoError
from grounding.refine import Refined
from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.leasing import jobs
from indexer.catalog.leasing.jobs import ErrandItem
from indexer.catalog.videos import VideoRow
from indexer.context import Context
from indexer.errors import ModelError, QueueError, SeekpointError
from indexer.media.files import MediaFiles
from indexer.messages import Message
from indexer.queue.notify import Hints
from indexer.search.refinement import refine_span, with_opinion
from indexer.search.types import Answer, Moment

LOOK_EVERY_S = 0.2
NO_ANSWER = Message(
    "no worker with LEGO answered in time (seekpoint worker --queue gpu, SEEKPOINT_GROUND_WAIT_S)"
)
GONE = 0  # the errand of a video that was removed meanwhile


def verify_by_workers(context: Context, answer: Answer, count: int) -> Answer:
    """The answer with LEGO's opinion beside its first `count` moments; a note says what no worker
    answered in time.
    """
    asked = answer.moments[:count]
    ids = _ask(context, answer.query, asked)
    try:
        Hints(context.settings).tell({"ground": len(ids)})
        found = _await(context, ids)
    except QueueError as error:
        _withdraw(context, ids)
        return replace(answer, notes=(*answer.notes, error.whole))
    moments, notes = list(answer.moments), list(answer.notes)
    for place, errand_id in enumerate(ids):
        state, result, error = found.get(errand_id, ("waiting", None, ""))
        if state == "done" and result is not None:
            moments[place] = with_opinion(
                moments[place], _refined(result), replaces=context.settings.lego_replaces
            )
        else:
            reason = Message.from_json(error) if error else NO_ANSWER
            notes.append(not_verified(place, reason))
    return replace(answer, moments=tuple(moments), notes=tuple(notes))


def not_verified(place: int, reason: Message | Exception) -> Message:
    """A note that the moment at this place of the answer was not verified."""
    if isinstance(reason, SeekpointError):
        reason = reason.whole
    return Message(
        "LEGO could not look at moment {number}: {reason}",
        {"number": place + 1, "reason": reason},
    )


def answer_errand(context: Context, item: ErrandItem) -> Mapping[str, Any]:
    """What a worker does with such a question. Raises SeekpointError."""
    span = Span(*item.details["span"])
    with MediaFiles(context.settings) as media:
        try:
            refined = refine_span(
                context, media, item.details["question"], int(item.video_id or 0), span
            )
        except LegoError as error:
            raise ModelError(
                "LEGO cannot be asked this: {error}", "ask another question", error=error
            ) from error
    return {
        "span": _ends(refined.span),
        "grounded": None if refined.grounded is None else _ends(refined.grounded),
        "accepted": bool(refined.accepted),
        "reason": refined.reason,
    }


def _ends(span: Span) -> list[float]:
    return [float(span.start_s), float(span.end_s)]


def _refined(result: Mapping[str, Any]) -> Refined:
    grounded = None if result["grounded"] is None else Span(*result["grounded"])
    return Refined(Span(*result["span"]), grounded, result["accepted"], result["reason"])


def _ask(context: Context, question: str, moments: Sequence[Moment]) -> list[int]:
    with context.catalog.begin() as session:
        known = videos.get_videos(session, [moment.video_id for moment in moments])
        return [_add(session, question, moment, known.get(moment.video_id)) for moment in moments]


def _add(session: Session, question: str, moment: Moment, video: VideoRow | None) -> int:
    if video is None:
        return GONE
    details = {"question": question, "span": [float(moment.span.start_s), float(moment.span.end_s)]}
    return jobs.add(
        session, "ground", video.collection_id, uuid.uuid4().hex, details, video_id=video.id
    )


def _await(
    context: Context, ids: Sequence[int]
) -> dict[int, tuple[str, Mapping[str, Any] | None, str]]:
    """State, result and error of each errand that ended; what has not when the time is over is
    withdrawn.
    """
    until = time.monotonic() + context.settings.ground_wait_s
    found: dict[int, tuple[str, Mapping[str, Any] | None, str]] = {}
    while len(found) < len(ids) and time.monotonic() < until:
        with context.catalog.begin() as session:
            for errand_id in ids:
                if errand_id not in found and (taken := jobs.take_result(session, errand_id))[
                    0
                ] in ("done", "failed", "gone"):
                    found[errand_id] = taken
        time.sleep(LOOK_EVERY_S if len(found) < len(ids) else 0)
    _withdraw(context, [errand_id for errand_id in ids if errand_id not in found])
    return found


def _withdraw(context: Context, ids: Sequence[int]) -> None:
    try:
        with context.catalog.begin() as session:
            jobs.withdraw(session, ids)
    except SeekpointError:
        return  # a later sweep forgets them
