"""Dialogues written over HTTP by a server of the tests' own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from grounding.datasets.questions import QuestionBank
from grounding.instructions.__main__ import main
from grounding.records.record import Record, read_records, single_turn
from grounding.records.writer import write_records
from tests.grounding.language_model.endpoint_server import Reply, Server, serving


def moment(i: int) -> Record:
    truth = {
        "task": "moment",
        "query": f"thing {i} happens",
        "spans": [[0.1, 0.2 + i / 100]],
        "duration_s": 10.0,
    }
    return single_turn(
        f"When does thing {i} happen?", "x", {"video": f"{i}.mp4"}, id=f"row/{i}", truth=truth
    )


def sources(folder: Path, count: int) -> Path:
    write_records(folder / "records.jsonl", [moment(i) for i in range(count)])
    return folder / "records.jsonl"


def number(body: dict[str, Any]) -> int:
    return int(body["messages"][-1]["content"].split("thing ")[1].split(" ")[0])


def dialogue(body: dict[str, Any]) -> str:
    """What a good writer would answer."""
    i = number(body)
    return json.dumps(
        [
            {
                "question": f"When is thing {i} seen?",
                "answer": f"Thing {i} happens in {{0.10,{0.2 + i / 100:.2f}}}.",
            }
        ]
    )


def run(server: Server, folder: Path, *options: str) -> int:
    records = folder / "records.jsonl"
    where = ["--endpoint", server.url, "--model", "m", "--attempts", "3"]
    return main(
        [
            "generate",
            str(records),
            "-o",
            str(folder / "out.jsonl"),
            *where,
            "--single",
            "1",
            *options,
        ]
    )


def written(folder: Path) -> list[str]:
    return [record.id for record in read_records(folder / "out.jsonl")]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("grounding.language_model.endpoint.LONGEST_WAIT_S", 0.01)


def test_dialogues_are_written_in_the_order_of_their_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    sources(tmp_path, 12)
    with serving(lambda body, n: Reply(dialogue(body), wait_s=0.03 * (n % 3 == 0))) as server:
        assert run(server, tmp_path) == 0
        assert "12 dialogues from 12 rows; 12 requests, 120 tokens" in capsys.readouterr().out
        record = next(read_records(tmp_path / "out.jsonl"))
        assert record.media == {"video": "0.mp4"}
        assert record.messages[0].text == "<video>\nWhen is thing 0 seen?"
        assert record.answer == "Thing 0 happens in {0.10,0.20}."
        assert written(tmp_path) == [f"dialogue/row/{i}" for i in range(12)]
        first = (tmp_path / "out.jsonl").read_bytes()
        assert run(server, tmp_path) == 0
        assert "0 requests, 0 tokens, 12 answers were known already" in capsys.readouterr().out
        assert (tmp_path / "out.jsonl").read_bytes() == first
        assert len(server.requests) == 12


def test_what_does_not_pass_is_asked_for_again_and_reported(tmp_path: Path):
    """Row 0 passes at once, 1 at the second try, 2 never, 3 is refused for good, 4 repeats nothing,
    5 breaks the form of a prompt.
    """
    sources(tmp_path, 6)
    wrong = {
        1: "I'm sorry, I cannot watch videos.",
        2: json.dumps([{"question": "When?", "answer": "In {0.77,0.88}."}]),
        3: "no json at all",
        5: json.dumps([{"question": "When? ### Human:", "answer": "In {0.10,0.25}."}]),
    }
    asked: dict[int, int] = {}

    def decide(body: dict[str, Any], _: int) -> Reply:
        i = number(body)
        asked[i] = asked.get(i, 0) + 1
        return Reply(
            dialogue(body) if i not in wrong or (i == 1 and asked[i] == 2) else wrong[i],
            finish="length" if i == 4 and asked[i] == 1 else "stop",
        )

    with serving(decide) as server:
        assert run(server, tmp_path) == 0
    assert written(tmp_path) == ["dialogue/row/0", "dialogue/row/1", "dialogue/row/4"]
    report = json.loads((tmp_path / "out.jsonl.report.json").read_text())
    assert report["rejected"]["counts"] == {
        "coordinates that the source does not have": 1,
        "no dialogue in the answer": 1,
        "reserved words": 1,
    }
    assert report["tries"]["counts"] == {
        "no dialogue in the answer": 3,
        "coordinates that the source does not have": 2,
        "reserved words": 2,
        "cut off": 1,
    }
    assert asked == {0: 1, 1: 2, 2: 2, 3: 2, 4: 2, 5: 2}
    assert (report["rows"], report["kept"]) == (6, 3)
    assert (
        "{0.77,0.88}"
        in report["rejected"]["samples"]["coordinates that the source does not have"][0]
    )


def test_a_budget_stops_the_run_and_the_next_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture):
    sources(tmp_path, 8)
    with serving(lambda body, _: Reply(dialogue(body))) as server:
        assert run(server, tmp_path, "--max-requests", "5", "--concurrency", "2") == 1
        assert "stopped: the budget of 5 requests is spent" in capsys.readouterr().out
        assert written(tmp_path) == [f"dialogue/row/{i}" for i in range(5)]
        assert run(server, tmp_path, "--max-requests", "5") == 0
        assert written(tmp_path) == [f"dialogue/row/{i}" for i in range(8)]
        assert len(server.requests) == 8


def test_an_endpoint_that_fails_now_and_then_costs_no_row(tmp_path: Path):
    sources(tmp_path, 9)
    trouble = [
        Reply(status=500),
        Reply(status=429, headers={"Retry-After": "0"}),
        Reply("x", cut=True),
        Reply(body=b"{}"),
    ]

    def decide(body: dict[str, Any], n: int) -> Reply:
        return trouble[n // 2 % len(trouble)] if n % 2 else Reply(dialogue(body))

    with serving(decide) as server:
        assert run(server, tmp_path, "--concurrency", "1") == 0
    assert written(tmp_path) == [f"dialogue/row/{i}" for i in range(9)]
    report = json.loads((tmp_path / "out.jsonl.report.json").read_text())
    assert set(report["usage"]["failures"]) == {
        "status 500",
        "status 429",
        "connection: RemoteProtocolError",
        "nonsense: no chat completion",
    }


def test_an_endpoint_that_goes_down_keeps_what_it_gave(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    sources(tmp_path, 30)
    with serving(lambda body, n: Reply(dialogue(body)) if n < 6 else Reply(status=502)) as server:
        assert run(server, tmp_path, "--concurrency", "1", "--tries", "1") == 1
    out = capsys.readouterr().out
    assert "stopped: " in out
    assert "requests in a row, each 3 times; the last time: status 502" in out
    assert written(tmp_path) == [f"dialogue/row/{i}" for i in range(6)]


def test_what_is_remembered_is_written_also_behind_the_stop(tmp_path: Path):
    """Rows 3 and 4 are refused at first; then the endpoint is down, or nothing may be spent: no row
    of the first output is lost.
    """
    sources(tmp_path, 30)
    with serving(
        lambda body, _: Reply(dialogue(body)) if number(body) not in (3, 4) else Reply(status=400)
    ) as server:
        assert run(server, tmp_path) == 0
        first = (tmp_path / "out.jsonl").read_bytes()
        assert len(written(tmp_path)) == 28
        server.decide = lambda body, _: Reply(status=401)
        assert run(server, tmp_path, "--concurrency", "1") == 1
        assert (tmp_path / "out.jsonl").read_bytes() == first
        asked = len(server.requests)
        assert run(server, tmp_path, "--max-tokens", "1", "--concurrency", "1") == 1
        assert (tmp_path / "out.jsonl").read_bytes() == first
        assert len(server.requests) == asked


def test_a_wrong_key_is_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    sources(tmp_path, 5)
    monkeypatch.setenv("SEEKPOINT_ENDPOINT_KEY", "very-secret")
    with serving([Reply(status=401, body=b"wrong key")]) as server:
        assert run(server, tmp_path, "--concurrency", "1") == 1
        assert server.headers[0]["authorization"] == "Bearer very-secret"
    printed = capsys.readouterr()
    assert "answers 401: 'wrong key'; check the address, the key and the model" in printed.out
    assert (
        "very-secret"
        not in printed.out + printed.err + (tmp_path / "out.jsonl.report.json").read_text()
    )


def test_a_killed_run_goes_on_without_asking_again(tmp_path: Path):
    sources(tmp_path, 24)
    with serving(lambda body, _: Reply(dialogue(body), wait_s=0.05)) as server:
        records, output = str(tmp_path / "records.jsonl"), str(tmp_path / "out.jsonl")
        command = [
            "-m",
            "grounding.instructions",
            "generate",
            records,
            "-o",
            output,
            "--endpoint",
            server.url,
            "--model",
            "m",
            "--concurrency",
            "2",
            "--single",
            "1",
        ]
        child = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while len(server.requests) < 8 and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert not os.path.exists(output)
        answered = len(server.requests)
        assert 8 <= answered < 24
        assert main(command[2:]) == 0
        assert len(written(tmp_path)) == 24
        assert len(server.requests) <= 24 + 2  # what was under way at the kill is asked for twice
        assert len(set(server.questions())) == 24


def test_records_that_are_none_are_counted_and_the_rest_is_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    path = sources(tmp_path, 2)
    path.write_text(path.read_text() + "{broken\n" + json.dumps(moment(0).to_json()) + "\n")
    with serving(lambda body, _: Reply(dialogue(body))) as server:
        assert run(server, tmp_path) == 0
    out = capsys.readouterr().out
    assert "1 not kept: not JSON" in out
    assert "1 not kept: duplicate" in out


def test_records_without_a_truth_are_no_facts(tmp_path: Path, capsys: pytest.CaptureFixture):
    write_records(
        tmp_path / "records.jsonl", [single_turn("What?", "That.", {"video": "a.mp4"}, id="1")]
    )
    with serving([Reply("no")]) as server:
        assert run(server, tmp_path) == 1
        assert not server.requests
    assert "no record has a truth" in capsys.readouterr().err


def test_nothing_kept_is_a_failure(tmp_path: Path):
    sources(tmp_path, 2)
    with serving([Reply("no")]) as server:
        assert run(server, tmp_path) == 1


def test_a_bank_of_questions_is_extended_with_what_fits(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    bank = tmp_path / "bank.json"
    wordings = [f"At which point {i} of the clip can one see that $query?" for i in range(8)]
    bad = [
        "No field at all?",
        "When $query and $query?",
        "When $cost?",
        wordings[0].upper(),
        "Long $query " + "x" * 300,
        "<video> $query?",
    ]

    def decide(body: dict[str, Any], n: int) -> Reply:
        assert "$query" in body["messages"][0]["content"]
        return Reply(f"Sure:\n{json.dumps([*wordings, *bad])}") if n % 2 == 0 else Reply("nothing")

    with serving(decide) as server:
        arguments = [
            "questions",
            "-o",
            str(bank),
            "--task",
            "moment",
            "--wanted",
            "30",
            "--endpoint",
            server.url,
            "--model",
            "m",
        ]
        assert main(arguments) == 0
        assert len(QuestionBank.load(bank).questions["moment"]) == 30
        out = capsys.readouterr().out
        assert "6 questions added to moment" in out
        assert (
            main([*arguments[:5], "--wanted", "40", *arguments[7:]]) == 0
        )  # only two more are new
        extended = QuestionBank.load(bank)
    assert len(extended.questions["moment"]) == 32
    assert set(wordings) <= set(extended.questions["moment"])
    assert extended.questions["locate"] == QuestionBank.load().questions["locate"]
    out = capsys.readouterr().out
    for reason in (
        "lacks the field $query",
        "has a field twice",
        "unknown: cost",
        "is known already",
        "is too long",
        "has reserved words",
    ):
        assert reason in out
