"""A grounder made of any model that reads pictures and writes text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from grounding.lego.generate.answers import Box, Event
from grounding.spans import Span
from indexer.errors import ModelError, UsageError
from indexer.grounder import tasks
from indexer.grounder.base import FrameBudget, Said, Window
from indexer.grounder.replies import Pair, ReplyError
from indexer.grounder.tasks import Task

MAX_WORDS = 1500  # characters of what is said in a chapter: its beginning tells what it is about


@dataclass(frozen=True, slots=True)
class Pictures:
    """Frames (N, H, W, 3) uint8; `times_s` (N,) from the start of the window, None for a frame
    alone.
    """

    images: np.ndarray
    times_s: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A question after pictures, in the words of a task: `text`; `asked` without them."""

    pictures: Pictures
    text: str
    task: Task[Any]
    asked: str = ""

    def check(self, answer: str) -> None:
        """Raises ReplyError for an answer that is not what the task asks for."""
        self.task.read(answer)


class ChatModel(Protocol):
    """A language model that reads pictures. Methods raise ModelError, or ReplyError for an answer
    that stays unreadable.
    """

    name: str
    frames: FrameBudget
    when: Task[list[Pair]]
    """The wording for "when" that the model knows best."""

    def complete(self, chats: Sequence[Chat]) -> list[str]:
        """An answer to each that `check` accepts, in order."""
        ...

    def probability_of_yes(self, chats: Sequence[Chat]) -> list[float]:
        """Of the answer yes to each question of the task `SHOWN`."""
        ...


class ChatGrounder:
    """Safe to share between threads where the model is."""

    hears = False

    def __init__(self, model: ChatModel) -> None:
        self.model = model
        self.name = model.name
        self.frames = model.frames

    def ground(self, windows: Sequence[Window], statement: str) -> list[tuple[Span, ...]]:
        """When it happens, for each window; one request each."""
        found = self._ask_windows(self.model.when, windows, statement)
        return [_in_window(pairs, window) for pairs, window in zip(found, windows, strict=True)]

    def is_shown(self, windows: Sequence[Window], statement: str) -> list[float]:
        """The probability that each window shows it, as the model sees it."""
        chats = [_about(window, tasks.SHOWN, statement) for window in windows]
        return self._ask_and_translate(lambda: self.model.probability_of_yes(chats))

    def events(self, windows: Sequence[Window]) -> list[list[Event]]:
        """What happens when in each window; what lies outside of it is left out."""
        found = self._ask_windows(tasks.EVENTS, windows)
        return [
            [
                Event(span, event.text)
                for event in events
                for span in _in_window([(event.start_s, event.end_s)], window)
            ]
            for events, window in zip(found, windows, strict=True)
        ]

    def locate(self, image: np.ndarray, phrase: str) -> list[Box]:
        """Where it is in a frame."""
        return self._ask(tasks.WHERE, Pictures(image[None]), phrase)

    def answer(self, window: Window, question: str) -> Said:
        """A question about a window, with the spans that show what it says."""
        (found,) = self._ask_windows(tasks.ANSWER, [window], question)
        text, pairs = found
        return Said(text, _in_window(pairs, window))

    def answer_frame(self, image: np.ndarray, question: str) -> Said:
        """A question about a frame, with boxes of what the answer names."""
        text, boxes = self._ask(tasks.ANSWER_FRAME, Pictures(image[None]), question)
        return Said(text, (), tuple(boxes))

    def answer_sound(self, samples: np.ndarray, question: str) -> Said:
        """Raises UsageError: it sees and does not hear."""
        del samples, question
        raise UsageError(
            "{name} does not hear", "ask about pictures; LEGO answers about sound", name=self.name
        )

    def name_chapter(self, window: Window, words: str = "") -> str:
        """A title of a few words, in the language of what is said."""
        heard = tasks.HEARD.format(words=words.strip()[:MAX_WORDS]) if words.strip() else ""
        return self._ask_windows(tasks.CHAPTER, [window], heard)[0]

    def _ask(self, task: Task[Any], pictures: Pictures, asked: str) -> Any:
        chat = Chat(pictures, task.ask(asked), task, asked)
        return task.read(self._ask_and_translate(lambda: self.model.complete([chat]))[0])

    def _ask_windows(
        self, task: Task[Any], windows: Sequence[Window], asked: str = ""
    ) -> list[Any]:
        chats = [_about(window, task, asked) for window in windows]
        return [
            task.read(text) for text in self._ask_and_translate(lambda: self.model.complete(chats))
        ]

    def _ask_and_translate(self, ask: Callable[[], list[Any]]) -> list[Any]:
        try:
            return ask()
        except ReplyError as error:
            raise ModelError(
                "{name} does not answer in the form that was asked for: {reason}",
                "ask in other words, or take a larger model",
                name=self.name,
                reason=error,
            ) from error


def _about(window: Window, task: Task[Any], asked: str) -> Chat:
    times_s = window.times_s - window.span.start_s
    text = task.ask(asked, window.span.length_s)
    return Chat(Pictures(window.images, times_s), text, task, asked)


def _in_window(pairs: Sequence[Pair], window: Window) -> tuple[Span, ...]:
    """In seconds of the video, cut to the window; without those that lie outside of it."""
    length_s = window.span.length_s
    cut = ((max(0.0, start), min(end, length_s)) for start, end in pairs)
    base_s = window.span.start_s
    return tuple(Span(base_s + start, base_s + end) for start, end in cut if start < end)
