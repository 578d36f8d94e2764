"""The words of a question that are worth looking for in texts."""

from __future__ import annotations

import re

from indexer.questions.english_words import english_words

# Function words: they are in every text. Negations and numbers are not among them.
_FUNCTION_WORDS = english_words(
    """
    a an the this that these those some any each both and or but if as at by for from in into of
    off on onto out over to under up upon with within without about across after against along
    among around before behind below beneath beside between beyond down during near through
    toward towards is are was were be been being am do does did doing done has have had having
    can could may might must shall should will would it its he him his she her hers they them
    their theirs we us our ours you your yours i me my mine who whom whose which what where when
    why how there here then than so very just also too only own same such while someone somebody
    something anyone anybody anything get gets got
    """
)


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
        if part.startswith('"') or part.strip(".,;:!?()'").lower() not in _FUNCTION_WORDS
    ]
    return " ".join(kept) or words
