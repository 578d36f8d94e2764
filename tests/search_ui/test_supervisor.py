"""Threads of the page go on, whatever a round of theirs raises."""

import threading
import time

from indexer.errors import CatalogError
from search_ui.supervisor import Supervisor, ThreadState

WAIT_S = 30


def _await(holds) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def state(supervisor: Supervisor) -> ThreadState:
    return supervisor.states()[0]


def test_errors_and_defects_end_no_thread():
    supervisor = Supervisor()
    raised = [CatalogError("the database is away"), ZeroDivisionError("a defect"), None]
    seen = threading.Event()
    rounds = []

    def work() -> None:
        rounds.append(len(rounds))
        error = raised[min(len(rounds) - 1, 2)]
        if error is not None:
            raise error
        seen.set()

    supervisor.start("folders", work, 0.01)
    assert seen.wait(WAIT_S)
    _await(lambda: state(supervisor).age_s is not None)
    assert (state(supervisor).name, state(supervisor).error) == ("folders", "")
    assert state(supervisor).alive
    supervisor.stop(WAIT_S)
    assert not state(supervisor).alive


def test_the_last_error_and_what_runs_are_told():
    supervisor = Supervisor()
    go_on = threading.Event()

    def fail() -> None:
        raise CatalogError("the database {place} is away", place="db")

    supervisor.start("fails", fail, 60.0)
    supervisor.start("works", lambda: go_on.wait(WAIT_S), 60.0)
    _await(lambda: state(supervisor).error != "")
    fails, works = supervisor.states()
    assert (fails.error, fails.age_s, fails.alive) == ("the database db is away", None, True)
    assert works.busy_s is not None
    go_on.set()
    supervisor.stop(WAIT_S)


def test_once_is_until_it_went_well():
    supervisor = Supervisor()
    rounds = []

    def work() -> None:
        rounds.append(1)
        if len(rounds) < 3:
            raise CatalogError("not yet")

    supervisor.start("models", work, 0.01, once=True)
    _await(lambda: state(supervisor).age_s is not None)
    supervisor.stop(WAIT_S)
    assert len(rounds) == 3
    assert state(supervisor).alive, "it has done what it was to do"


def test_wake_makes_the_next_round_come_now():
    supervisor = Supervisor()
    rounds = []
    supervisor.start("jobs", lambda: rounds.append(1), 600.0)
    _await(lambda: len(rounds) == 1)
    supervisor.wake("jobs")
    _await(lambda: len(rounds) == 2)
    supervisor.stop(WAIT_S)
