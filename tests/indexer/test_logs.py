"""Lines of the log: for people, for machines, with what they are about."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from indexer.logs import MOST_ALIKE, about, set_up
from indexer.settings import Settings


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, levels = (
        list(root.handlers),
        {name: logging.getLogger(name).level for name in ("", "indexer", "search_ui", "workers")},
    )
    hooks = sys.excepthook, threading.excepthook, warnings.formatwarning
    yield
    sys.excepthook, threading.excepthook, warnings.formatwarning = hooks
    logging.captureWarnings(False)
    root.handlers = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_object_with_what_it_is_about():
    stream = io.StringIO()
    set_up(Settings(log_format="json"), "worker", stream)
    log = logging.getLogger("indexer.ingest.pipeline")
    with about(video=3):
        with about(chunk=12, stage="picture"):
            log.info("done\nin two lines", extra={"fields": {"seconds": 1.5}})
        log.warning("%s is %d", "x", 5)
    log.info("outside")
    first, second, third = lines(stream)
    assert (first["video"], first["chunk"], first["stage"], first["seconds"]) == (
        3,
        12,
        "picture",
        1.5,
    )
    assert (first["message"], first["level"], first["process"], first["logger"]) == (
        "done\nin two lines",
        "info",
        "worker",
        "indexer.ingest.pipeline",
    )
    assert (second["message"], second["video"]) == ("x is 5", 3)
    assert "chunk" not in second
    assert "video" not in third


def test_threads_do_not_mix_what_they_are_about():
    stream = io.StringIO()
    set_up(Settings(log_format="json"), "worker", stream)
    both = threading.Barrier(2)

    def work(video: int) -> None:
        with about(video=video):
            both.wait(10)
            logging.getLogger("indexer").info("line of %d", video)

    threads = [threading.Thread(target=work, args=(video,)) for video in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((line["video"], line["message"]) for line in lines(stream)) == [
        (1, "line of 1"),
        (2, "line of 2"),
    ]


def test_an_error_carries_its_traceback():
    stream = io.StringIO()
    set_up(Settings(log_format="json"), "page", stream)
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("seekpoint").exception("it failed")
    (line,) = lines(stream)
    assert line["traceback"].endswith("ValueError: broken")


def test_people_see_warnings_and_what_they_are_about():
    stream = io.StringIO()
    set_up(Settings(), "ingest", stream)
    with about(video=3, chunk=12):
        logging.getLogger("indexer").info("not shown")
        logging.getLogger("indexer").warning("slow disk")
    assert stream.getvalue()[9:] == "warning slow disk (video 3, chunk 12)\n"


def test_other_packages_are_heard_from_warnings_upward_and_once():
    stream = io.StringIO()
    for _ in range(2):
        set_up(Settings(log_format="json", log_level="debug"), "worker", stream)
    logging.getLogger("urllib3").info("chatter")
    logging.getLogger("urllib3").warning("trouble")
    logging.getLogger("indexer").debug("detail")
    assert [line["message"] for line in lines(stream)] == ["trouble", "detail"]


def test_ctrl_c_is_no_error_of_whoever_was_at_work():
    stream = io.StringIO()
    set_up(Settings(), "command", stream)
    for error in (KeyboardInterrupt(), OSError("gone")):
        try:
            raise error
        except (KeyboardInterrupt, OSError):
            logging.getLogger("sqlalchemy.pool").exception("closing a connection")
    assert stream.getvalue().count("closing a connection") == 1
    assert "gone" in stream.getvalue()
    assert "KeyboardInterrupt" not in stream.getvalue()


HOSTILE = "title\x1b[2J\x9b31m\u202egpj.exe\r\n2026 error forged\udcff\x00"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_names_of_strangers_cannot_write_lines_or_move_a_cursor(log_format):
    stream = io.StringIO()
    logging.getLogger().handlers.clear()  # pytest's report cannot carry half a character
    set_up(Settings(log_format=log_format), "worker", stream)
    with about(file=HOSTILE):
        logging.getLogger("indexer").warning("cannot read %s", HOSTILE)
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert written.rstrip("\n").isprintable()
    if log_format == "json":
        assert json.loads(written)["message"].startswith("cannot read title\x1b[2J")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_passwords_of_urls_are_not_logged(log_format):
    stream = io.StringIO()
    set_up(Settings(log_format=log_format), "worker", stream)
    log = logging.getLogger("another.package")
    log.warning("lost redis://:hun/ter2@broker:6379/0 and postgresql://s:p@ss@db/x?sslpassword=zq9")
    try:
        raise ConnectionError("amqp://u:hunter2@h refused")
    except ConnectionError:
        log.exception("it failed")
    written = stream.getvalue()
    assert [word for word in ("ter2", "p@ss", "ss@db", "zq9") if word in written] == []
    assert "broker:6379" in written


def test_a_flood_of_one_line_does_not_fill_the_disk():
    stream = io.StringIO()
    set_up(Settings(), "page", stream)
    for number in range(10_000):
        logging.getLogger("asyncio").error("no descriptors for connection %d", number)
    logging.getLogger("asyncio").error("something else")
    assert len(stream.getvalue().splitlines()) == MOST_ALIKE + 1


def test_warnings_and_uncaught_errors_are_lines_too():
    code = """
import threading, warnings
from indexer.logs import set_up
from indexer.settings import Settings
set_up(Settings(log_format="json"), "page")
warnings.warn("old")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise ValueError("new")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    found = [json.loads(line)["message"] for line in done.stderr.splitlines()]
    assert found == ["old", "an error ended the process", "an error ended the process"]
