"""A question is answered once, for the document and for the session that takes it."""

import threading

import pytest

from indexer.search.types import Answer
from search_ui import answers_ahead
from search_ui.answers_ahead import AT_ONCE, MOST_KEPT, AnswersAhead

ANSWER = Answer("green", "green", True, 1.0, (), 0.9)


def test_a_question_is_answered_once_and_taken_once():
    ahead, asked = AnswersAhead(), []

    def answer() -> Answer:
        asked.append("green")
        return ANSWER

    first = ahead.ask("green", answer)
    assert first is not None
    assert first.result() is ANSWER
    assert ahead.ask("green", answer) is first
    assert ahead.take("red") is None
    assert ahead.take("green") is first
    assert ahead.take("green") is None
    assert asked == ["green"]


def test_an_error_reaches_who_takes_it():
    ahead = AnswersAhead()
    failed = ahead.ask(1, lambda: [ANSWER][1])
    assert failed is not None
    assert isinstance(failed.exception(), IndexError)
    taken = ahead.take(1)
    assert taken is not None
    with pytest.raises(IndexError):
        taken.result()


def test_no_more_is_asked_at_once_than_may_be():
    ahead, go_on = AnswersAhead(), threading.Event()

    def answer() -> Answer:
        go_on.wait()
        return ANSWER

    begun = [ahead.ask(number, answer) for number in range(AT_ONCE)]
    assert None not in begun
    assert ahead.ask(0, answer) is None, "somebody waits for it"
    assert ahead.ask(AT_ONCE, answer) is None
    assert ahead.take(AT_ONCE) is None
    go_on.set()
    taken = ahead.take(0)
    assert taken is not None
    assert taken.result() is ANSWER


def test_answers_that_nobody_takes_are_forgotten(monkeypatch):
    ahead = AnswersAhead()
    for number in range(MOST_KEPT + 1):
        asked = ahead.ask(number, lambda: ANSWER)
        assert asked is not None
        asked.result()
    assert ahead.take(0) is None
    assert ahead.take(1) is not None
    monkeypatch.setattr(answers_ahead, "FRESH_S", -1.0)
    assert ahead.take(2) is None
