"""A server of the tests that truly looks at the pictures it gets: it finds plain colours, reads a
number that `numbered` drew into the corner, and answers with the times that stand before the
pictures.
"""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from indexer.embedders.demo import COLOURS
from tests.grounding.language_model.endpoint_server import Reply

BIT = 8  # pixels of a side; eight bits stand in a row


def numbered(image: np.ndarray, number: int) -> np.ndarray:
    """The picture with a number below 256 burnt into it, in squares of black and white."""
    image = image.copy()
    for bit in range(8):
        image[:BIT, bit * BIT : (bit + 1) * BIT] = 255 if number >> bit & 1 else 0
    return image


@dataclass(frozen=True, slots=True)
class Seen:
    time_s: float | None
    image: np.ndarray

    @property
    def number(self) -> int:
        bits = [self.image[2 : BIT - 2, b * BIT + 2 : (b + 1) * BIT - 2].mean() for b in range(8)]
        return sum((bit > 128) << place for place, bit in enumerate(bits))

    @property
    def colour(self) -> str:
        """Of the lower half: numbers are burnt into the upper one."""
        mean = self.image[self.image.shape[0] // 2 :].mean(axis=(0, 1))
        return min(COLOURS, key=lambda name: np.abs(np.subtract(COLOURS[name], mean)).sum())

    def box_of(self, colour: str) -> list[int] | None:
        """In thousandths, of the pixels of the colour."""
        near = np.abs(self.image.astype(int) - COLOURS[colour]).sum(axis=2) < 90
        if not near.any():
            return None
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        height, width = near.shape
        ends = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width)
        return [round(1000 * end) for end in (*ends, (rows[-1] + 1) / height)]


@dataclass(frozen=True, slots=True)
class Question:
    """A request as the server read it."""

    seen: list[Seen]
    text: str
    task: str

    @property
    def colour(self) -> str:
        """The one that is asked for."""
        return next(name for name in COLOURS if name in self.text)

    def spans_of(self, colour: str) -> list[list[float]]:
        """From the first picture of each run of the colour to the first that is none."""
        spans: list[list[float]] = []
        step_s = self.seen[1].time_s - self.seen[0].time_s if len(self.seen) > 1 else 1.0
        for before, one in zip([None, *self.seen], self.seen):
            if one.colour != colour:
                continue
            if before is None or before.colour != colour:
                spans.append([one.time_s, one.time_s])
            spans[-1][1] = round(one.time_s + step_s, 2)
        return spans


def read_question(body: dict[str, Any]) -> Question:
    """Of the first message: a correction stands in later ones."""
    parts = body["messages"][0]["content"]
    seen: list[Seen] = []
    time_s = None
    for part in parts:
        if part["type"] == "image_url":
            head, data = part["image_url"]["url"].split(",", 1)
            assert head == "data:image/jpeg;base64"
            image = Image.open(io.BytesIO(base64.b64decode(data)))
            seen.append(Seen(time_s, np.asarray(image.convert("RGB"))))
            time_s = None
        elif stamp := re.fullmatch(r"<([\d.]+) seconds>", part["text"]):
            time_s = float(stamp[1])
    schema = body.get("response_format", {}).get("json_schema", {})
    return Question(seen, parts[-1]["text"], schema.get("name", ""))


def look(body: dict[str, Any], number: int = 0) -> Reply:
    """Answers as the schema of the request asks."""
    del number
    question = read_question(body)
    return Reply(json.dumps(ANSWERS[question.task](question)))


def _shown(question: Question) -> dict[str, Any]:
    shown = question.colour in {one.colour for one in question.seen}
    return {"shown": shown, "confidence": 0.9}


def _events(question: Question) -> dict[str, Any]:
    return {
        "events": [
            {"start": start, "end": end, "text": f"The screen is {colour}."}
            for colour in COLOURS
            for start, end in question.spans_of(colour)
        ]
    }


def _answer(question: Question) -> dict[str, Any]:
    numbers = ", ".join(str(one.number) for one in question.seen)
    return {"answer": f"the numbers {numbers}", "spans": []}


def _frame(question: Question) -> dict[str, Any]:
    box = question.seen[0].box_of(question.colour)
    return {"answer": "there" if box else "nowhere", "boxes": [box] if box else []}


ANSWERS = {
    "when": lambda question: {"spans": question.spans_of(question.colour)},
    "shown": _shown,
    "events": _events,
    "where": lambda question: {"boxes": _frame(question)["boxes"]},
    "answer": _answer,
    "answer_frame": _frame,
    "chapter": lambda question: {"title": f"All is {question.seen[0].colour}"},
}
