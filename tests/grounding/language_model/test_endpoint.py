import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from grounding.errors import DataError
from grounding.language_model.answer_store import Answer, Answers
from grounding.language_model.endpoint import (
    BudgetSpent,
    Endpoint,
    EndpointError,
    EndpointSettings,
    NoAnswer,
)
from tests.grounding.language_model.endpoint_server import Reply, serving


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def ask(url: str, folder: Path, *texts: str, **settings: Any) -> tuple[list[Any], Endpoint]:
    """Answers or errors of questions that are put at the same time."""
    answers = Answers(folder / "answers.sqlite")

    async def run() -> tuple[list[Any], Endpoint]:
        options = {"first_wait_s": 0.001, "timeout_s": 5.0, **settings}
        async with Endpoint(EndpointSettings(url, "a-model", **options), answers) as endpoint:
            return await asyncio.gather(
                *(endpoint.ask(asked(text)) for text in texts), return_exceptions=True
            ), endpoint

    try:
        return asyncio.run(run())
    finally:
        answers.close()


def test_an_answer_is_paid_for_once(tmp_path: Path):
    with serving(lambda body, _: Reply(f"echo {body['messages'][0]['content']}")) as server:
        first, _ = ask(server.url, tmp_path, "a", "b", key="secret")
        again, endpoint = ask(server.url, tmp_path, "b", "a", "a")
        assert [answer.text for answer in first] == ["echo a", "echo b"]
        assert [answer.text for answer in again] == ["echo b", "echo a", "echo a"]
        assert all(answer.remembered for answer in again)
        assert sorted(server.questions()) == ["a", "b"]
        assert endpoint.usage.to_json() == {
            "requests": 0,
            "tokens": 0,
            "remembered": 3,
            "failures": {},
        }
        assert server.headers[0]["authorization"] == "Bearer secret"
        assert server.requests[0]["model"] == "a-model"
        assert server.requests[0]["max_tokens"] == 1024


def test_the_same_question_at_the_same_time_is_sent_once(tmp_path: Path):
    with serving([Reply("yes", wait_s=0.05)]) as server:
        answers, _ = ask(server.url, tmp_path, "a", "a", "a")
        assert [answer.text for answer in answers] == ["yes"] * 3
        assert len(server.requests) == 1


def test_another_model_temperature_or_variant_is_another_question(tmp_path: Path):
    with serving([Reply("yes")]) as server:
        ask(server.url, tmp_path, "a")
        ask(server.url, tmp_path, "a", temperature=0.1)
        ask(server.url, tmp_path, "a", answer_tokens=7)
        ask(server.url, tmp_path, "a")
        assert len(server.requests) == 3


PASSING = {
    "status 500": Reply(status=500),
    "status 503": Reply(status=503, headers={"Retry-After": "0.01"}),
    "status 429": Reply(status=429, headers={"Retry-After": "tomorrow"}),
    "nonsense: no chat completion": Reply(body=b"<html>Bad gateway</html>"),
    "nonsense: no words": Reply("", tokens=None),
    "nonsense: broken encoding": Reply("x", headers={"Content-Encoding": "gzip"}),
    "connection: RemoteProtocolError": Reply("half", cut=True),
    "timeout": Reply("late", wait_s=0.5),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_may_pass_is_tried_again(tmp_path: Path, name: str):
    with serving([PASSING[name], Reply("at last")]) as server:
        (answer,), endpoint = ask(
            server.url, tmp_path, "a", timeout_s=0.25 if name == "timeout" else 5.0
        )
        assert answer == Answer("at last", tokens=10)
        assert endpoint.usage.failures == {name: 1}
        assert endpoint.usage.requests == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_nonsense_of_any_kind_is_no_answer(tmp_path: Path, body: bytes):
    with serving([Reply(body=body)]) as server:
        (error,), _ = ask(server.url, tmp_path, "a", attempts=2)
        assert isinstance(error, NoAnswer)
        assert "nonsense" in str(error)
        assert len(server.requests) == 2


@pytest.mark.parametrize("status", [302, 401, 403, 404])
def test_a_wrong_key_or_address_stops_at_once(tmp_path: Path, status: int):
    with serving([Reply(status=status, body=b"no such model")]) as server:
        (error,), _ = ask(server.url, tmp_path, "a", key="secret")
        assert isinstance(error, EndpointError)
        assert f"answers {status}" in str(error)
        assert "no such model" in str(error)
        assert "secret" not in str(error)
        assert len(server.requests) == 1


def test_a_request_that_is_refused_costs_that_row_only(tmp_path: Path):
    decide = {"bad": Reply(status=400, body=b"too long"), "good": Reply("fine")}
    with serving(lambda body, _: decide[body["messages"][0]["content"]]) as server:
        (bad, good), _ = ask(server.url, tmp_path, "bad", "good")
        assert isinstance(bad, NoAnswer)
        assert "status 400: 'too long'" in str(bad)
        assert good.text == "fine"
        assert len(server.requests) == 2


def test_an_endpoint_that_is_down_is_given_up(tmp_path: Path):
    with serving([Reply(status=500)]) as server:
        errors, _ = ask(server.url, tmp_path, *"abcde", attempts=2, give_up_after=3, concurrency=1)
    assert [type(error) for error in errors[:3]] == [NoAnswer, NoAnswer, EndpointError]
    assert "failed 3 requests in a row, each 2 times" in str(errors[2])
    (refused,), _ = ask(
        server.url, tmp_path, "x", attempts=2, give_up_after=1
    )  # nobody listens any more
    assert isinstance(refused, EndpointError)
    assert "connection: ConnectError" in str(refused)


@pytest.mark.parametrize(
    "url", ["", "localhost:8000/v1", "ftp://a/v1", "http://[::1", "file:///etc"]
)
def test_an_address_that_is_none(tmp_path: Path, url: str):
    with pytest.raises(EndpointError, match="is not an address of an endpoint"):
        ask(url, tmp_path, "a")


def test_never_more_at_once_than_allowed(tmp_path: Path):
    with serving([Reply("yes", wait_s=0.03)]) as server:
        ask(server.url, tmp_path, *map(str, range(12)), concurrency=3)
        assert server.most_at_once == 3


def test_requests_start_at_the_set_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """At 60 a minute the second of three waits a second and the third two; nothing is measured."""
    waits: list[float] = []
    sleep = asyncio.sleep
    monkeypatch.setattr(
        "grounding.language_model.endpoint.asyncio.sleep",
        lambda seconds: waits.append(seconds) or sleep(0),
    )
    with serving([Reply("yes")]) as server:
        ask(server.url, tmp_path, "a", "b", "c", per_minute=60)
    assert [round(wait) for wait in sorted(waits)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("300", 300, 300),
        ("in 400 s", 300, 400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 1),
        ("999999", 900, 900),
        ("inf", 900, 900),
        ("nan", 0, 1),
        ("-5", 0, 1),
        ("Mon, 99 Foo 2015", 0, 1),
        ("", 0, 1),
    ],
)
def test_retry_after_is_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str, low: float, high: float
):
    if header == "in 400 s":
        header = format_datetime(datetime.now(UTC) + timedelta(seconds=400), usegmt=True)
    waits: list[float] = []
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: waits.append(seconds) or sleep(0))
    with serving([Reply(status=429, headers={"Retry-After": header}), Reply("yes")]) as server:
        (answer,), _ = ask(server.url, tmp_path, "a")
    assert answer.text == "yes"
    assert low <= max(waits) <= high


def test_the_budget_of_requests_holds_and_the_next_run_goes_on(tmp_path: Path):
    with serving([Reply("yes")]) as server:
        results, endpoint = ask(server.url, tmp_path, *"abcde", max_requests=3)
        assert [type(result) for result in results] == [Answer] * 3 + [BudgetSpent] * 2
        assert len(server.requests) == endpoint.usage.requests == 3
        results, _ = ask(server.url, tmp_path, *"abcde", max_requests=3)
        assert all(isinstance(result, Answer) for result in results)
        assert len(server.requests) == 5


def test_retries_count_towards_the_budget(tmp_path: Path):
    with serving([Reply(status=500)]) as server:
        (result,), _ = ask(server.url, tmp_path, "a", max_requests=2, attempts=9)
        assert isinstance(result, BudgetSpent)
        assert len(server.requests) == 2


def test_the_budget_of_tokens_is_never_exceeded(tmp_path: Path):
    with serving([Reply("yes", tokens=100)]) as server:
        results, endpoint = ask(
            server.url, tmp_path, *map(str, range(30)), max_tokens=1000, answer_tokens=60
        )
        assert 5 <= len(server.requests) <= 10
        assert endpoint.usage.tokens == 100 * len(server.requests) <= 1000
        assert "tokens are spent" in str(
            next(result for result in results if isinstance(result, BudgetSpent))
        )


def test_tokens_are_guessed_where_the_endpoint_does_not_count(tmp_path: Path):
    with serving([Reply("x" * 3000, tokens=None)]) as server:
        (answer,), _ = ask(server.url, tmp_path, "a")
        assert answer.tokens > 1000
    with serving([Reply("yes", tokens=None)]) as server:
        (answer,), endpoint = ask(server.url, tmp_path, "x" * 3000)
        assert endpoint.usage.tokens == answer.tokens > 1000  # the question counts, too


def test_nonsense_that_was_paid_for_counts_towards_the_budget(tmp_path: Path):
    with serving(
        [
            Reply("", tokens=500),
            Reply(body=b'{"choices": [], "usage": {"total_tokens": 300}}'),
            Reply("yes", tokens=7),
        ]
    ) as server:
        (answer,), endpoint = ask(server.url, tmp_path, "a")
        assert (answer.text, endpoint.usage.tokens) == ("yes", 807)
    with serving([Reply("", tokens=500)]) as server:
        (result,), endpoint = ask(
            server.url, tmp_path, "b", max_tokens=1050, answer_tokens=60, attempts=9
        )
        assert isinstance(result, BudgetSpent)
        assert endpoint.usage.tokens == 500 * len(server.requests) == 1000


def test_an_answer_that_was_cut_off_says_so(tmp_path: Path):
    with serving([Reply("The dog", finish="length")]) as server:
        (answer,), _ = ask(server.url, tmp_path, "a")
        (again,), _ = ask(server.url, tmp_path, "a")
        assert (answer.finished, again.finished) == (False, False)


def test_a_store_that_is_none_is_an_error(tmp_path: Path):
    (tmp_path / "answers.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(DataError, match=r"answers\.sqlite cannot be used as a store of answers"):
        Answers(tmp_path / "answers.sqlite")


def test_the_key_is_never_shown():
    assert "secret" not in repr(EndpointSettings("http://a/v1", "m", key="secret"))


def test_a_request_has_the_published_form(tmp_path: Path):
    with serving([Reply("yes")]) as server:
        ask(server.url, tmp_path, "Grüße")
        assert json.loads(json.dumps(server.requests[0])) == {
            "model": "a-model",
            "messages": [{"role": "user", "content": "Grüße"}],
            "temperature": 0.7,
            "max_tokens": 1024,
        }
