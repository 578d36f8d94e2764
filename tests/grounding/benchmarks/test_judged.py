"""A language model that judges, over HTTP."""

import json
from pathlib import Path

import pytest

from grounding.benchmarks.__main__ import main
from grounding.benchmarks.judged import Verdict, parse_verdict, request
from grounding.benchmarks.table import read_result
from grounding.records.record import single_turn
from grounding.records.writer import write_records
from tests.grounding.benchmarks.support import case
from tests.grounding.language_model.endpoint_server import Reply, serving


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('{"right": "yes", "score": 5}', Verdict(True, 5)),
        ('Sure! ```{"right": "No", "score": "2.0"}```', Verdict(False, 2)),
        ('{"a": 1} {"right": "yes", "score": 0}', Verdict(True, 0)),
        ('{"right": "maybe", "score": 3}', None),
        ('{"right": "yes", "score": 9}', None),
        ('{"right": "yes", "score": NaN}', None),
        ('{"right": "yes", "score": 1' + "0" * 400 + "}", None),
        ('{"right": "yes"}', None),
        ("yes, 5", None),
        ("", None),
    ],
)
def test_verdicts(text: str, verdict: Verdict | None):
    assert parse_verdict(text) == verdict


def test_the_judge_sees_question_truth_and_answer():
    row = json.loads(request(case("a cat", {}, question="What is it?", true="a dog"))[1]["content"])
    assert row == {
        "question": "What is it?",
        "correct answer": "a dog",
        "answer to judge": "a cat",
    }


def benchmark(folder: Path, count: int, answered: int) -> list[str]:
    write_records(
        folder / "qa.jsonl",
        [
            single_turn(f"What is {i}?", f"it is {i}", {"video": f"{i}.mp4"}, id=str(i))
            for i in range(count)
        ],
    )
    lines = [json.dumps({"id": str(i), "answer": f"answer {i}"}) for i in range(answered)]
    (folder / "answers.jsonl").write_text("\n".join(lines))
    return [
        "qa",
        str(folder / "answers.jsonl"),
        str(folder / "qa.jsonl"),
        "--model",
        "judge",
        "--json",
        str(folder / "scores.json"),
    ]


def test_answers_are_judged(tmp_path: Path):
    """0 to 3 are right with 4, 4 is wrong with 1, 5 gets nonsense each time, 6 has no answer: 4 of
    6, mean (16 + 1 + 0) / 6.
    """
    arguments = benchmark(tmp_path, 7, 6)

    def decide(body: dict, _: int) -> Reply:
        i = int(json.loads(body["messages"][1]["content"])["answer to judge"].split()[1])
        return Reply(
            "well ..."
            if i == 5
            else json.dumps({"right": "yes" if i < 4 else "no", "score": 4 if i < 4 else 1})
        )

    with serving(decide) as server:
        assert main([*arguments, "--endpoint", server.url]) == 0
        asked = len(server.requests)
        assert asked == 5 + 3
        assert main([*arguments, "--endpoint", server.url]) == 0
        assert len(server.requests) == asked
    scores = read_result(tmp_path / "scores.json")[1]
    assert scores.metrics["accuracy"].value == pytest.approx(4 / 6)
    assert scores.metrics["score"].value == pytest.approx(17 / 6)
    assert scores.metrics["score"].text().startswith("2.83 [")
    assert scores.counts == {"rows": 7, "missing": 1, "not judged": 1}


def test_a_spent_budget_is_an_error_and_the_next_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    arguments = benchmark(tmp_path, 5, 5)
    with serving([Reply('{"right": "yes", "score": 5}')]) as server:
        assert main([*arguments, "--endpoint", server.url, "--max-requests", "3"]) == 1
        assert "the budget of 3 requests is spent" in capsys.readouterr().err
        assert main([*arguments, "--endpoint", server.url]) == 0
        assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(status=400, body=b"no such parameter"), "status 400: 'no such parameter'"),
        (Reply("well"), "no verdict: 'well'"),
    ],
)
def test_nothing_judged_is_no_score(
    tmp_path: Path, capsys: pytest.CaptureFixture, reply: Reply, why: str
):
    with serving([reply]) as server:
        assert main([*benchmark(tmp_path, 3, 2), "--endpoint", server.url]) == 1
    printed = capsys.readouterr()
    assert "accuracy" not in printed.out
    assert "no readable verdict about any of 2 answers" in printed.err
    assert why in printed.err
    assert not (tmp_path / "scores.json").exists()


def test_a_judge_that_refuses_the_key_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture):
    with serving([Reply(status=401)]) as server:
        assert main([*benchmark(tmp_path, 5, 5), "--endpoint", server.url]) == 1
    assert "answers 401" in capsys.readouterr().err
