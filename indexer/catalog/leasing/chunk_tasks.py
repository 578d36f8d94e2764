"""Work: one stage of one chunk. It is planned, claimed for a time by one owner, and then committed
(rows.py), handed back or failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from grounding.spans import Span
from indexer.catalog.database.dialect import among, is_sqlite, now_s, storable
from indexer.catalog.leasing.jobs import note_turn
from indexer.catalog.tables import STAGES, Chunk, Collection, Video, Work, utc_now
from indexer.catalog.videos import lock_video
from indexer.messages import N_


@dataclass(frozen=True, slots=True)
class WorkItem:
    """What a worker needs in order to do a stage of a chunk; `attempts` counts this one where it is
    claimed.
    """

    work_id: int
    chunk_id: int
    video_id: int
    number: int
    start_s: float
    end_s: float
    stage: str
    key: str
    attempts: int

    @property
    def span(self) -> Span:
        return Span(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class StageProgress:
    """Works of a stage by state; `done_s` and `total_s` are seconds of video, `seconds` what the
    done ones took.
    """

    pending: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    done_s: float = 0.0
    total_s: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`videos` by state; `oldest_waiting`: when the work was planned that has waited longest;
    `errors` are the latest ones.
    """

    stages: Mapping[str, StageProgress]
    videos: Mapping[str, int]
    oldest_waiting: datetime | None
    errors: tuple[tuple[int, str], ...]

    @property
    def unfinished(self) -> int:
        return sum(stage.pending + stage.running for stage in self.stages.values())


def plan(
    s: Session,
    video_id: int,
    spans: Sequence[Span],
    keys: Mapping[str, str | None],
    priority: int = 0,
) -> int:
    """Adds the work that is missing so that the video is done under `keys`; how many works that is.
    Repeating it changes nothing.

    Chunks are made from `spans` once per video; later plans keep them. A stage that `keys` does not
    name is left alone, one with None has its unfinished work dropped. Rows under a key that is
    served stay served until `settle_video` finds the new key complete.
    """
    video = lock_video(s, video_id)
    if video is None:
        return 0
    chunk_ids = _chunks(s, video_id, spans)
    added = 0
    for stage, key in keys.items():
        if key is None:
            s.execute(
                delete(Work).where(
                    Work.video_id == video_id, Work.stage == stage, Work.state != "done"
                )
            )
            continue
        served: str | None = getattr(video, f"{stage}_key")
        if served != key and not _has_done(s, video_id, stage, served):
            setattr(video, f"{stage}_key", key)
            served = key
        _drop_unwanted(s, video_id, stage, key, served)
        added += _add_missing(s, video, stage, key, chunk_ids, priority)
    if added and video.state != "pending":
        video.state, video.error = "ingesting", None
    s.flush()
    return added


def _chunks(s: Session, video_id: int, spans: Sequence[Span]) -> list[int]:
    there = select(Chunk.id).where(Chunk.video_id == video_id).order_by(Chunk.number)
    ids = list(s.scalars(there))
    if not ids and spans:
        rows = [
            {
                "video_id": video_id,
                "number": number,
                "start_s": float(it.start_s),
                "end_s": float(it.end_s),
            }
            for number, it in enumerate(spans)
        ]
        s.execute(insert(Chunk), rows)
        ids = list(s.scalars(there))
    return ids


def _has_done(s: Session, video_id: int, stage: str, key: str | None) -> bool:
    if key is None:
        return False
    return (
        s.scalar(
            select(Work.id)
            .where(
                Work.video_id == video_id,
                Work.stage == stage,
                Work.key == key,
                Work.state == "done",
            )
            .limit(1)
        )
        is not None
    )


def _drop_unwanted(s: Session, video_id: int, stage: str, key: str, served: str | None) -> None:
    """Other keys go with their rows, except what is served: of that only what is not done goes,
    since nobody will do it.
    """
    unwanted = and_(Work.key != key, or_(Work.key != served, Work.state != "done"))
    s.execute(delete(Work).where(Work.video_id == video_id, Work.stage == stage, unwanted))


def _add_missing(
    s: Session, video: Video, stage: str, key: str, chunk_ids: Sequence[int], priority: int
) -> int:
    there = set(
        s.scalars(
            select(Work.chunk_id).where(
                Work.video_id == video.id, Work.stage == stage, Work.key == key
            )
        )
    )
    missing = [chunk_id for chunk_id in chunk_ids if chunk_id not in there]
    shared = {
        "video_id": video.id,
        "collection_id": video.collection_id,
        "stage": stage,
        "key": key,
        "state": "pending",
        "priority": priority,
        "video_s": video.duration_s,
    }
    if missing:
        s.execute(insert(Work), [{"chunk_id": chunk_id, **shared} for chunk_id in missing])
    return len(missing)


def was_done_before(s: Session, video_id: int, stage: str, time_s: float) -> bool:
    """Whether some work of a stage that is done was begun before a time (Unix time)."""
    before = Work.started_at < datetime.fromtimestamp(time_s, UTC)
    return (
        s.scalar(
            select(Work.id)
            .where(Work.video_id == video_id, Work.stage == stage, Work.state == "done", before)
            .limit(1)
        )
        is not None
    )


def redo(s: Session, video_id: int, stages: Sequence[str]) -> None:
    """Done work of these stages waits to be done again; its rows stay until new ones replace them."""
    if not stages:
        return
    video = lock_video(s, video_id)
    again = and_(Work.video_id == video_id, Work.stage.in_(stages), Work.state == "done")
    if video is not None and _change(
        s, again, state="pending", attempts=0, started_at=None, finished_at=None
    ):
        video.state, video.error = "ingesting", None
        s.flush()


def pending(s: Session, video_id: int, stage: str) -> list[WorkItem]:
    """Work of a stage that nobody has taken, in the order of the chunks."""
    statement = (
        _items()
        .where(Work.video_id == video_id, Work.stage == stage, Work.state == "pending")
        .order_by(Chunk.number)
    )
    return [WorkItem(*row) for row in s.execute(statement)]


def _items() -> Any:
    return select(
        Work.id,
        Work.chunk_id,
        Work.video_id,
        Chunk.number,
        Chunk.start_s,
        Chunk.end_s,
        Work.stage,
        Work.key,
        Work.attempts,
    ).join(Chunk, Chunk.id == Work.chunk_id)


def claim(
    s: Session,
    owner: str,
    lease_s: float,
    stages: Sequence[str],
    video_id: int | None = None,
    keys: Iterable[str] | None = None,
    chunk_id: int | None = None,
) -> WorkItem | None:
    """Takes the next work for `owner` until `lease_s` from now, in one statement that two workers
    cannot both win; None: nothing to do.

    Lower priority first, then small videos before large, then in the order of planning. Work whose
    lease ran out can be taken too. `keys` limits it to work that this owner's models can do.
    """
    taken = aliased(Work, name="waiting")
    # SQLite would look up the stage and sort all that waits, where walking the partial index in
    # order finds the first at once.
    stage = taken.stage.concat("") if is_sqlite(s) and video_id is None else taken.stage
    next_id = _first(
        taken, or_(taken.state == "pending", taken.lease_until_s < now_s(s)), stage.in_(stages)
    )
    if video_id is not None:
        next_id = next_id.where(taken.video_id == video_id)
    if chunk_id is not None:
        next_id = next_id.where(taken.chunk_id == chunk_id)
    if keys is not None:
        next_id = next_id.where(among(s, taken.key, keys))
    return _take(s, next_id, owner, lease_s)


def claim_in_turn(
    s: Session,
    owner: str,
    lease_s: float,
    stage: str,
    keys: Iterable[str],
    max_attempts: int,
    *,
    without: Sequence[int] = (),
) -> WorkItem | None:
    """As `claim`, for a worker that serves all collections: lower priority first, then the
    collection that has waited longest for a worker, and in it small videos before large. Lost work
    that was tried often enough is left to `expire`. `without`: these videos.
    """
    keys = list(keys)
    for collection_id in _collections_in_turn(s, stage):
        taken = aliased(Work, name="waiting")
        lost = and_(taken.lease_until_s < now_s(s), taken.attempts < max_attempts)
        next_id = _first(
            taken,
            or_(taken.state == "pending", lost),
            taken.stage == stage,
            taken.collection_id == collection_id,
        )
        next_id = next_id.where(among(s, taken.key, keys))
        if without:
            next_id = next_id.where(~among(s, taken.video_id, list(without)))
        if (item := _take(s, next_id, owner, lease_s)) is not None:
            note_turn(s, collection_id)
            return item
    return None


def _collections_in_turn(s: Session, stage: str) -> list[int]:
    """Those with open work of the stage."""
    open_work = and_(
        Work.collection_id == Collection.id,
        Work.stage == stage,
        Work.state.in_(("pending", "running")),
    )
    urgent = (
        select(func.min(Work.priority))
        .where(open_work)
        .correlate(Collection)
        .scalar_subquery()
        .label("urgent")
    )
    ranked = select(Collection.id, Collection.claimed_s, urgent).subquery()
    order = (ranked.c.urgent, func.coalesce(ranked.c.claimed_s, 0.0), ranked.c.id)
    return list(s.scalars(select(ranked.c.id).where(ranked.c.urgent.is_not(None)).order_by(*order)))


def _first(taken: Any, *conditions: Any) -> Any:
    # The state is said as in the partial index, or SQLite would not use it.
    is_open = text("waiting.state IN ('pending', 'running')")
    return (
        select(taken.id)
        .where(is_open, *conditions)
        .order_by(taken.priority, taken.video_s, taken.id)
        .limit(1)
    )


def _take(s: Session, next_id: Any, owner: str, lease_s: float) -> WorkItem | None:
    if not is_sqlite(s):
        next_id = next_id.with_for_update(skip_locked=True)
    claimed = s.execute(
        update(Work)
        .where(Work.id == next_id.scalar_subquery())
        .values(
            state="running",
            owner=owner,
            lease_until_s=now_s(s) + lease_s,
            attempts=Work.attempts + 1,
            started_at=func.coalesce(Work.started_at, utc_now()),
        )
        .returning(Work.id),
        execution_options={"synchronize_session": False},
    ).scalar()
    if claimed is None:
        return None
    return WorkItem(*s.execute(_items().where(Work.id == claimed)).one())


def renew(s: Session, work_id: int, owner: str, lease_s: float) -> bool:
    """Holds the work longer; False: it is not the owner's any more and its result will not be
    taken.
    """
    return _change(s, _held(work_id, owner), lease_until_s=now_s(s) + lease_s) > 0


def renew_all(s: Session, owner: str, lease_s: float) -> int:
    """Holds all that the owner has taken longer; how many works."""
    return _change(
        s, and_(Work.state == "running", Work.owner == owner), lease_until_s=now_s(s) + lease_s
    )


def owners(s: Session) -> list[str]:
    """Who holds work."""
    return [
        str(owner)
        for owner in s.scalars(
            select(Work.owner).where(Work.state == "running", Work.owner.is_not(None)).distinct()
        )
    ]


def release(s: Session, owners: Sequence[str]) -> int:
    """Hands back all that these owners hold, without counting the attempt; how many works."""
    held = and_(Work.state == "running", among(s, Work.owner, list(owners)))
    return _change(
        s, held, state="pending", owner=None, lease_until_s=None, attempts=Work.attempts - 1
    )


def release_work(s: Session, work_id: int, owner: str) -> bool:
    """Hands back one work, without counting the attempt."""
    return (
        _change(
            s,
            _held(work_id, owner),
            state="pending",
            owner=None,
            lease_until_s=None,
            attempts=Work.attempts - 1,
        )
        > 0
    )


def expire(s: Session, max_attempts: int, dead: Sequence[str] = ()) -> tuple[int, ...]:
    """The sweep: work whose owner did not renew, or is `dead`, is pending again, or parked after
    `max_attempts`.

    Ids of the works that wait again.
    """
    lost = and_(
        Work.state == "running",
        or_(Work.lease_until_s < now_s(s), among(s, Work.owner, list(dead))),
    )
    waiting = []
    for row in s.execute(
        select(Work.id, Work.video_id, Work.attempts, Work.owner)
        .where(lost)
        .order_by(Work.video_id, Work.id)
    ).all():
        lock_video(s, row.video_id)  # before its work, in the order in which a commit locks them
        if row.attempts >= max_attempts:
            fail_work(
                s,
                row.id,
                row.owner,
                f"its worker ({row.owner}) was lost {row.attempts} times while doing it",
                max_attempts,
            )
        elif _change(
            s,
            and_(lost, Work.id == row.id, Work.owner == row.owner),
            state="pending",
            owner=None,
            lease_until_s=None,
        ):
            waiting.append(row.id)
    return tuple(waiting)


def fail_work(s: Session, work_id: int, owner: str, error: str, max_attempts: int) -> bool:
    """Notes a failed attempt: below `max_attempts` the work waits again, then it is parked and the
    video fails with the reason.

    Chunks that are done stay searchable. False: the owner had lost the work, nothing was noted.
    """
    video_id = s.scalar(select(Work.video_id).where(Work.id == work_id))
    video = None if video_id is None else lock_video(s, video_id)
    if video is None:
        return False
    error = storable(error)
    state = case((Work.attempts >= max_attempts, "failed"), else_="pending")
    if not _change(
        s,
        _held(work_id, owner),
        state=state,
        error=error,
        owner=None,
        lease_until_s=None,
        finished_at=utc_now(),
    ):
        return False
    if s.scalar(select(Work.state).where(Work.id == work_id)) == "failed":
        video.state, video.error = "failed", error
        s.flush()
    return True


def retry(s: Session, video_ids: Sequence[int] | None = None) -> int:
    """Puts failed work back in line with its attempts forgotten; how many works. None: of all
    videos.
    """
    failed = Work.state == "failed"
    of_videos = Video.state == "failed"
    if video_ids is not None:
        failed = and_(failed, among(s, Work.video_id, video_ids))
        of_videos = and_(of_videos, among(s, Video.id, video_ids))
    waiting = select(Work.video_id).where(failed)
    s.execute(
        update(Video).where(of_videos, Video.id.in_(waiting)).values(state="ingesting", error=None),
        execution_options={"synchronize_session": False},
    )
    return _change(s, failed, state="pending", attempts=0, error=None, finished_at=None)


def cancel(s: Session, video_ids: Sequence[int]) -> int:
    """Drops the unfinished work of videos, which count as failed then; what is done stays
    searchable. How many works.

    Planning such a video again adds what is missing.
    """
    for video_id in sorted(video_ids):
        video = lock_video(s, video_id)
        if video is not None and video.state in ("pending", "ingesting"):
            video.state, video.error = "failed", N_("cancelled before all of it was done")
    s.flush()
    unfinished = and_(among(s, Work.video_id, video_ids), Work.state.in_(("pending", "running")))
    return s.execute(delete(Work).where(unfinished)).rowcount  # pyright: ignore[reportAttributeAccessIssue]


def reopen(s: Session, video_id: int, stage: str) -> int:
    """Puts done work of a video back in line, though its key is the same: after a repaired file or
    a restored backup. How many works.

    Its rows are not served any more, and go when the work is committed again.
    """
    done = and_(Work.video_id == video_id, Work.stage == stage, Work.state == "done")
    count = _change(s, done, state="pending", attempts=0)
    if count:
        s.execute(update(Video).where(Video.id == video_id).values(state="ingesting"))
    return count


def waiting(s: Session) -> dict[str, int]:
    """Works that nobody has taken, by stage."""
    counted = select(Work.stage, func.count()).where(Work.state == "pending").group_by(Work.stage)
    return {stage: int(count) for stage, count in s.execute(counted)}


def holders(s: Session) -> dict[str, int]:
    """Who is at work, and at how many works."""
    held = (
        select(Work.owner, func.count())
        .where(Work.state == "running", Work.owner.is_not(None))
        .group_by(Work.owner)
    )
    return {str(owner): int(count) for owner, count in s.execute(held)}


def done_since(s: Session, age_s: float, stage: str = "picture") -> float:
    """Seconds of video whose stage was done within the last `age_s`."""
    recent = and_(
        Work.finished_at >= utc_now() - timedelta(seconds=age_s),
        Work.state == "done",
        Work.stage == stage,
    )
    return float(
        s.scalar(
            select(func.sum(Chunk.end_s - Chunk.start_s))
            .join(Work, Work.chunk_id == Chunk.id)
            .where(recent)
        )
        or 0.0
    )


def progress(
    s: Session, collection_ids: Sequence[int] | None = None, video_ids: Sequence[int] | None = None
) -> Progress:
    """Counts over all videos, or those of some collections, or some videos."""
    conditions = []
    if collection_ids is not None:
        conditions.append(among(s, Video.collection_id, collection_ids))
    if video_ids is not None:
        conditions.append(among(s, Video.id, video_ids))
    length = Chunk.end_s - Chunk.start_s
    counted = (
        select(
            Work.stage,
            Work.state,
            func.count(),
            func.sum(length),
            func.sum(func.coalesce(Work.seconds, 0.0)),
            func.min(Work.created_at),
        )
        .join(Chunk, Chunk.id == Work.chunk_id)
        .join(Video, Video.id == Work.video_id)
        .where(*conditions)
        .group_by(Work.stage, Work.state)
    )
    rows = s.execute(counted).all()
    failed = (
        select(Work.video_id, Work.error)
        .join(Video, Video.id == Work.video_id)
        .where(Work.error.is_not(None), Work.state != "done", *conditions)
        .order_by(Work.finished_at.desc())
        .limit(10)
    )
    states = select(Video.state, func.count()).where(*conditions).group_by(Video.state)
    return Progress(
        stages={
            stage: _stage_progress([row for row in rows if row[0] == stage])
            for stage in STAGES
            if any(row[0] == stage for row in rows)
        },
        videos={row[0]: row[1] for row in s.execute(states)},
        oldest_waiting=min((row[5] for row in rows if row[1] == "pending"), default=None),
        errors=tuple((video_id, str(error)) for video_id, error in s.execute(failed)),
    )


def _stage_progress(rows: Sequence[Any]) -> StageProgress:
    counts = {row[1]: int(row[2]) for row in rows}
    done = [row for row in rows if row[1] == "done"]
    return StageProgress(
        **counts,
        done_s=float(sum(row[3] for row in done)),
        total_s=float(sum(row[3] for row in rows)),
        seconds=float(sum(row[4] for row in done)),
    )


def _held(work_id: int, owner: str) -> Any:
    return and_(Work.id == work_id, Work.state == "running", Work.owner == owner)


def _change(s: Session, condition: Any, **values: Any) -> int:
    statement = update(Work).where(condition).values(**values)
    return s.execute(statement, execution_options={"synchronize_session": False}).rowcount  # pyright: ignore[reportAttributeAccessIssue]
