"""Workers as processes, over real servers, on a library of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from indexer.catalog.database.migrate import upgrade
from indexer.library import Library
from tests.support import demo_environment, demo_settings, run_in
from tests.workers.servers import PostgresServer, RedisServer, is_listening

REAPER_INTERVAL_S = 1.0
LEASE_S = 4.0


@dataclass
class Fleet:
    """A folder with Redis, PostgreSQL, a home, and the workers that were started; all end with the
    block.

    `settings` are those of every process, by their names without the prefix. With `tables` there
    is no server of its own but a copy of that database: whoever stops PostgreSQL needs the server.
    """

    settings: dict[str, str] = field(default_factory=dict)
    tables: PostgresServer | None = None
    workers: list[subprocess.Popen] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="seekpoint-fleet-"))
        self.folder.chmod(0o755)  # PostgreSQL runs as another user
        self.home = self.folder / "home"
        self.redis = RedisServer(self.folder)
        self.postgres = PostgresServer(self.folder / "postgres")
        try:
            self.redis.start()
            if self.tables is None:
                start_with_tables(self.postgres)
            else:
                self.postgres = self.tables.copy_database(f"fleet_{uuid.uuid4().hex}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            kill_group(worker)
        self.redis.stop()
        if self.tables is None:
            if is_listening(self.postgres.port):
                self.postgres.stop()
        elif self.postgres.port == self.tables.port:
            self.postgres.drop_database()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "DATABASE_URL": self.postgres.url,
            "BROKER_URL": self.redis.url,
            "REAPER_INTERVAL_S": str(REAPER_INTERVAL_S),
            "LEASE_S": str(LEASE_S),
        }
        return demo_environment(self.home, **{**own, **self.settings})

    def library(self, **settings: Any) -> Library:
        """As a process of this fleet without its own settings sees it."""
        return Library(
            demo_settings(
                self.home, database_url=self.postgres.url, broker_url=self.redis.url, **settings
            )
        )

    def run(
        self, *arguments: object, timeout_s: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """`seekpoint ARGUMENTS`; only a worker needs a process of its own."""
        env = {**self.environment, **environment}
        if arguments[0] != "worker":
            return run_in(env, *arguments)
        command = [sys.executable, "-m", "indexer", *map(str, arguments)]
        return subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def json(self, *arguments: object) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(
        self, *queues: str, pinned_to: int | None = None, **environment: str
    ) -> subprocess.Popen:
        """A worker in a process group of its own, on one core if that is given; what it says goes
        to worker-N.log in the folder.
        """
        command = [
            sys.executable,
            "-m",
            "indexer",
            "worker",
            *(part for queue in queues for part in ("--queue", queue)),
        ]
        log = self.folder / f"worker-{len(self.workers)}.log"
        with log.open("wb") as out:
            env = {**self.environment, **environment}
            worker = subprocess.Popen(
                command, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
        if pinned_to is not None:
            os.sched_setaffinity(worker.pid, [pinned_to])
        self.workers.append(worker)
        return worker

    @contextmanager
    def blocked_commits(self) -> Iterator[None]:
        """While the block runs, no chunk can be committed: whoever has claimed one still has it,
        however slow the test is at looking.
        """
        import psycopg

        with psycopg.connect(self.postgres.url) as connection:
            connection.execute("LOCK TABLE segment IN EXCLUSIVE MODE")
            yield

    def logs(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}"
            for path in sorted(self.folder.glob("worker-*.log"))
        )

    def is_settled(self) -> bool:
        """Nothing waits and nobody is at work."""
        library = self.library()
        try:
            status = library.status()
        finally:
            library.catalog.close()
        return not (
            status.queue.waiting
            or status.chunks.get("running")
            or status.chunks.get("waiting")
            or status.queue.workers
        )


def start_with_tables(server: PostgresServer) -> None:
    """Makes and starts a server with the tables of this version."""
    server.create()
    server.start()
    upgrade(server.url)


def children(pid: int) -> list[int]:
    """Of all threads of a process; the reading processes of media among them."""
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in listing.read_text().split()]
        except OSError:
            continue
    return found


def kill_group(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGCONT)
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
