"""A question for a grounder is left to a worker that has one, and its answer awaited."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from grounding.refine import Refined
from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.leasing import jobs
from indexer.catalog.leasing.jobs import ClaimedJob, JobResult
from indexer.catalog.videos import VideoRow
from indexer.context import Context
from indexer.errors import QueueError, SeekpointError
from indexer.media.files import MediaFiles
from indexer.messages import Message
from indexer.queue.notify import Notifier
from indexer.search.second_opinion.refinement import Opinion, second_opinion, with_opinion
from indexer.search.types import Answer, Moment
from indexer.vocabulary import JobKind

LOOK_EVERY_S = 0.2
NO_ANSWER = Message(
    "no worker with a grounder answered in time (seekpoint worker --queue gpu, "
    "SEEKPOINT_GROUND_WAIT_S)"
)
A_GROUNDER = Message("a grounder")
GONE = 0  # the job of a video that was removed meanwhile


def verify_by_workers(context: Context, answer: Answer, count: int) -> Answer:
    """The answer with a grounder's opinion beside its first `count` moments; a note says what no
    worker answered in time.
    """
    asked = answer.moments[:count]
    ids = _ask(context, answer.query, asked)
    try:
        Notifier(context.settings).notify({JobKind.GROUND: len(ids)})
        found = _await(context, ids)
    except QueueError as error:
        _withdraw(context, ids)
        return replace(answer, notes=(*answer.notes, error.full_message))
    moments, notes = list(answer.moments), list(answer.notes)
    for place, job_id in enumerate(ids):
        answered = found.get(job_id)
        if answered is not None and answered.result is not None:
            moments[place] = with_opinion(
                moments[place],
                _opinion(answered.result),
                replaces=context.settings.grounder_replaces,
            )
        else:
            reason = (answered and answered.error) or NO_ANSWER
            notes.append(not_verified(A_GROUNDER, place, reason))
    return replace(answer, moments=tuple(moments), notes=tuple(notes))


def not_verified(name: str, place: int, reason: Message | SeekpointError) -> Message:
    """A note that the moment at this place of the answer was not verified."""
    if isinstance(reason, SeekpointError):
        reason = reason.full_message
    return Message(
        "{name} could not look at moment {number}: {reason}",
        {"name": name, "number": place + 1, "reason": reason},
    )


def answer_job(context: Context, job: ClaimedJob) -> Mapping[str, Any]:
    """What a worker does with such a question. Raises SeekpointError."""
    span = Span(*job.details["span"])
    with MediaFiles(context.settings) as media:
        opinion = second_opinion(
            context, media, job.details["question"], int(job.video_id or 0), span
        )
    refined = opinion.refined
    return {
        "span": _ends(refined.span),
        "grounded": None if refined.grounded is None else _ends(refined.grounded),
        "accepted": bool(refined.accepted),
        "reason": refined.reason,
        "shown": opinion.shown,
        "by": opinion.by,
    }


def _ends(span: Span) -> list[float]:
    return [float(span.start_s), float(span.end_s)]


def _opinion(result: Mapping[str, Any]) -> Opinion:
    grounded = None if result["grounded"] is None else Span(*result["grounded"])
    refined = Refined(Span(*result["span"]), grounded, result["accepted"], result["reason"])
    return Opinion(refined, result["shown"], result["by"])


def _ask(context: Context, question: str, moments: Sequence[Moment]) -> list[int]:
    with context.catalog.begin() as session:
        known = videos.get_videos(session, [moment.video_id for moment in moments])
        return [
            _add(session, moment.statement or question, moment, known.get(moment.video_id))
            for moment in moments
        ]


def _add(session: Session, question: str, moment: Moment, video: VideoRow | None) -> int:
    if video is None:
        return GONE
    details = {"question": question, "span": [float(moment.span.start_s), float(moment.span.end_s)]}
    return jobs.add_job(
        session, JobKind.GROUND, video.collection_id, uuid.uuid4().hex, details, video_id=video.id
    )


def _await(context: Context, ids: Sequence[int]) -> dict[int, JobResult]:
    """What came of each job that ended; what has not when the time is over is withdrawn."""
    until = time.monotonic() + context.settings.ground_wait_s
    found: dict[int, JobResult] = {}
    while len(found) < len(ids) and time.monotonic() < until:
        with context.catalog.begin() as session:
            for job_id in ids:
                if job_id not in found and (result := jobs.take_result(session, job_id)).has_ended:
                    found[job_id] = result
        time.sleep(LOOK_EVERY_S if len(found) < len(ids) else 0)
    _withdraw(context, [job_id for job_id in ids if job_id not in found])
    return found


def _withdraw(context: Context, ids: Sequence[int]) -> None:
    try:
        with context.catalog.begin() as session:
            jobs.withdraw_jobs(session, ids)
    except SeekpointError:
        return  # the reaper deletes them later
