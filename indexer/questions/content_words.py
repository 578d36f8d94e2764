"""The words of a question that are worth looking for in texts."""

from __future__ import annotations

import re

from indexer.stop_words import FUNCTION_WORDS


def content_words(words: str) -> str:
    """Words without function words; quoted phrases stay as they are. All of them, where nothing
    else would be left.

    >>> content_words('the dog is on the "set of the film"')
    'dog "set of the film"'
    """
    parts = re.findall(r'"[^"]*"|\S+', words)
    kept = [
        part
        for part in parts
        if part.startswith('"') or part.strip(".,;:!?()'").lower() not in FUNCTION_WORDS
    ]
    return " ".join(kept) or words
