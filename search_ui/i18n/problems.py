"""An error as one message: what went wrong, and what to do about it."""

from __future__ import annotations

from indexer.errors import SeekpointError
from indexer.messages import Message, as_message


def problem_of(error: SeekpointError) -> Message:
    return problem(error.what, error.advice)


def problem(what: str | Message, advice: str | Message) -> Message:
    what, advice = as_message(what), as_message(advice)
    if not advice:
        return what
    return Message("{what}. {advice}", {"what": what, "advice": advice})
