"""The wordings in which LEGO is asked, as published: when, where, what happens, what it is like.

Loads no heavy library, so that pages and data sets can use the same words.
"""

from __future__ import annotations

from collections.abc import Mapping

WHEN = "Please give me the timestamp when {}?"
EVENTS = (
    "Please describe the events in the video in order and include the time span of each in "
    "{start,end} format."
)
SHOWN = "Does the video show this: {}? Please answer yes or no."
WHERE = "Where is {} in this image? Include the object positions in [x0, y0, x1, y1] format."
WHERE_SOUND = (
    "Where is the sound's point of emission in this image? Include the object positions in "
    "[x0, y0, x1, y1] format."
)
DESCRIBE: Mapping[str, str] = {
    "image": (
        "Please describe the image and include the object positions in [x0, y0, x1, y1] format."
    ),
    "video": "Write a concise summary of the video clip.",
    "sound": "Provide a clear and focused description of the audio's content.",
}
"""Modality name -> the request for a description."""
TITLE = "Please name this part of a video in two to six words, as a title."
_QUESTION_STARTS = (
    "when",
    "at what",
    "at which",
    "please",
    "in which",
    "during",
    "what time",
    "find",
    "give",
    "identify",
    "locate",
)


def when_question(question: str) -> str:
    """A question stays as it is; a statement ("the dog turns around") becomes one in the published
    wording.
    """
    words = question.strip()
    if words.endswith("?") or words.lower().startswith(_QUESTION_STARTS):
        return words
    return WHEN.format(words.rstrip("."))
