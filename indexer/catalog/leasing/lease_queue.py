"""A queue of rows that one owner works on at a time: claim, renew, release, finish, fail, expire,
retry and cancel, once for all tables that have the columns of `LeasedRow`.

A row is pending, then running for as long as its owner renews the lease, then done or (after
`max_attempts`) failed. Whoever stops renewing loses the row to others, and its result is not taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import and_, delete, func, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from indexer.catalog.database.dialect import count_changed, in_values, is_sqlite, now_s
from indexer.catalog.tables.base import utc_now
from indexer.messages import Message
from indexer.vocabulary import TaskState

if TYPE_CHECKING:
    from indexer.catalog.tables.library import ChunkTask
    from indexer.catalog.tables.saved import AlertDelivery
    from indexer.catalog.tables.work import Job, PageJob

OPEN_STATES = (TaskState.PENDING, TaskState.RUNNING)
_WAITING = {"state": TaskState.PENDING, "owner": None, "lease_until_s": None}

RowT = TypeVar("RowT", "ChunkTask", "Job", "PageJob", "AlertDelivery")


@dataclass(frozen=True, slots=True)
class Expired:
    """Ids of rows whose owners were lost: `requeued` wait again, `failed` were tried often
    enough.
    """

    requeued: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.requeued) + len(self.failed)


class LeaseQueue(Generic[RowT]):
    """The queue over one table. Subclasses say what hangs on a row: see `lock_parent` and
    `dead_letter`.
    """

    def __init__(self, table: type[RowT]) -> None:
        self.table = table

    # --- what hangs on a row ---

    def lock_parent(self, s: Session, row_id: int) -> bool:
        """Locks what has to be locked before the row, in the order in which a commit locks it.
        False: the row is gone.
        """
        return True

    def dead_letter(self, s: Session, row_id: int, error: Message) -> None:
        """What follows when a row has failed for good."""

    # --- taking ---

    def candidates(self, s: Session, max_attempts: int | None = None) -> tuple[Any, Any]:
        """An alias of the table, and a SELECT of the ids of its rows that can be claimed, which the
        caller narrows and orders: rows that wait, and those whose lease ran out.

        With `max_attempts`, what was lost that often is left to `expire`.
        """
        row = aliased(self.table, name="waiting")
        is_lost = and_(row.state == TaskState.RUNNING, row.lease_until_s < now_s(s))
        if max_attempts is not None:
            is_lost = and_(is_lost, row.attempts < max_attempts)
        # The state is written as in the partial indexes, or SQLite would not use them.
        is_open = text("waiting.state IN ('pending', 'running')")
        is_free = or_(row.state == TaskState.PENDING, is_lost)
        return row, select(row.id).where(is_open, is_free)

    def claim(
        self, s: Session, row: Any, candidates: Any, owner: str, lease_s: float
    ) -> int | None:
        """Id of the first of the `candidates`, which is the owner's until `lease_s` from now; None:
        there is none.

        One statement, which two workers cannot both win.
        """
        first = candidates.limit(1)
        if not is_sqlite(s):
            first = first.with_for_update(skip_locked=True, of=row)
        claimed = (
            update(self.table)
            .where(self.table.id == first.scalar_subquery())
            .values(
                state=TaskState.RUNNING,
                owner=owner,
                lease_until_s=now_s(s) + lease_s,
                attempts=self.table.attempts + 1,
                started_at=func.coalesce(self.table.started_at, utc_now()),
            )
            .returning(self.table.id)
        )
        return s.execute(claimed, execution_options={"synchronize_session": False}).scalar()

    # --- while it is held ---

    def renew(self, s: Session, owner: str, lease_s: float) -> int:
        """Holds all that the owner has taken until `lease_s` from now; how many rows."""
        return self._change(s, self._is_held_by(s, [owner]), lease_until_s=now_s(s) + lease_s)

    def release(self, s: Session, owners: Sequence[str], row_id: int | None = None) -> int:
        """What these owners hold (or one row of theirs) waits for others, and its attempt does not
        count; how many rows.
        """
        held = self._is_held_by(s, owners)
        if row_id is not None:
            held = and_(held, self.table.id == row_id)
        return self._change(s, held, attempts=self.table.attempts - 1, **_WAITING)

    def is_held(self, s: Session, row_id: int, owner: str) -> bool:
        """Whether the row is the owner's still."""
        return s.scalar(select(self.table.id).where(self.held(row_id, owner))) is not None

    def finish(self, s: Session, row_id: int, owner: str, **values: Any) -> bool:
        """Marks the row done, with these values of other columns. False: the owner had lost it."""
        done = {
            "state": TaskState.DONE,
            "owner": None,
            "lease_until_s": None,
            "error": None,
            "finished_at": utc_now(),
        }
        return self._change(s, self.held(row_id, owner), **done, **values) > 0

    def fail(
        self, s: Session, row_id: int, owner: str, error: Message, max_attempts: int
    ) -> TaskState | None:
        """Notes a failed attempt: below `max_attempts` the row waits again, then it has failed. The
        state it has now; None: the owner had lost it, nothing was noted.
        """
        if not self.lock_parent(s, row_id):
            return None
        held = self.held(row_id, owner)
        attempts = s.scalar(select(self.table.attempts).where(held))
        if attempts is None:
            return None
        state = TaskState.FAILED if attempts >= max_attempts else TaskState.PENDING
        noted = {**_WAITING, "state": state, "error": error, "finished_at": utc_now()}
        if not self._change(s, held, **noted):
            return None
        if state == TaskState.FAILED:
            self.dead_letter(s, row_id, error)
        return state

    # --- when its owner was lost ---

    def expire(self, s: Session, max_attempts: int, dead: Sequence[str] = ()) -> Expired:
        """The reaper: rows whose owner did not renew, or is `dead`, wait again, or have failed
        after `max_attempts`.
        """
        is_lost = and_(
            self.table.state == TaskState.RUNNING,
            or_(self.table.lease_until_s < now_s(s), in_values(s, self.table.owner, dead)),
        )
        requeued, failed = [], []
        for row in self._find_lost(s, is_lost):
            if row.attempts >= max_attempts:
                if self.fail(
                    s, row.id, row.owner, _lost_message(row.owner, row.attempts), max_attempts
                ):
                    failed.append(row.id)
            elif self._change(s, and_(is_lost, self.held(row.id, row.owner)), **_WAITING):
                requeued.append(row.id)
        return Expired(tuple(requeued), tuple(failed))

    def _find_lost(self, s: Session, is_lost: Any) -> Iterator[Any]:
        """Parents are locked before their rows, as a commit does."""
        columns = (self.table.id, self.table.attempts, self.table.owner)
        lost = select(*columns).where(is_lost).order_by(self.table.video_id, self.table.id)
        for row in s.execute(lost).all():
            if self.lock_parent(s, row.id):
                yield row

    # --- by people ---

    def retry(self, s: Session, *conditions: Any) -> int:
        """Failed rows that meet the conditions wait again with their attempts forgotten; how many
        rows.
        """
        failed = and_(self.table.state == TaskState.FAILED, *conditions)
        return self._change(
            s,
            failed,
            state=TaskState.PENDING,
            attempts=0,
            error=None,
            started_at=None,
            finished_at=None,
        )

    def cancel(self, s: Session, *conditions: Any) -> int:
        """Deletes the rows that meet the conditions and are not done; how many. Who works on one
        finds it lost.
        """
        is_open = self.table.state.in_(OPEN_STATES)
        return count_changed(s, delete(self.table).where(is_open, *conditions))

    # --- who is at work ---

    def owners(self, s: Session) -> dict[str, int]:
        """Who holds rows, and how many."""
        held = (
            select(self.table.owner, func.count())
            .where(self.table.state == TaskState.RUNNING, self.table.owner.is_not(None))
            .group_by(self.table.owner)
        )
        return {str(owner): int(count) for owner, count in s.execute(held)}

    def held(self, row_id: int, owner: str) -> Any:
        """The condition that the row is the owner's."""
        return and_(
            self.table.id == row_id,
            self.table.state == TaskState.RUNNING,
            self.table.owner == owner,
        )

    def _is_held_by(self, s: Session, owners: Sequence[str]) -> Any:
        return and_(
            self.table.state == TaskState.RUNNING, in_values(s, self.table.owner, list(owners))
        )

    def _change(self, s: Session, condition: Any, **values: Any) -> int:
        return count_changed(s, update(self.table).where(condition).values(**values))


def _lost_message(owner: str, attempts: int) -> Message:
    return Message(
        "its worker ({owner}) was lost {attempts} times while doing it",
        {"owner": owner, "attempts": attempts},
    )
