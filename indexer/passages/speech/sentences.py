"""Words with times to passages of one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indexer.passages.base import Passage, Word
from indexer.passages.speech.confidence import MIN_WORD, ScoredWord

_ENDS = tuple(".?!。？！…")
_ABBREVIATIONS = frozenset(
    {"mr.", "mrs.", "ms.", "dr.", "st.", "vs.", "no.", "prof.", "etc.", "e.g.", "i.e."}
)
_PAUSE_S = 1.2  # a longer one ends a sentence that has no full stop
_MAX_S = 15.0
_MAX_WORDS_PER_S = 8.0  # nobody speaks faster: such text was made up
# share of different words in a long sentence; below it, the model went round in circles
_MIN_DISTINCT = 0.5
_LONG = 12  # words


def sentences(words: Sequence[ScoredWord], language: str | None) -> list[Passage]:
    """Those of which the model was sure."""
    passages = []
    for group in _split(words):
        text = "".join(one.word.text for one in group).strip()
        confidence = sum(one.probability for one in group) / len(group)
        start_s, end_s = group[0].word.start_s, group[-1].word.end_s
        if (
            not text
            or confidence < MIN_WORD
            or len(group) > 3 + _MAX_WORDS_PER_S * (end_s - start_s)
            or _circles(group)
        ):
            continue
        stripped = tuple(
            Word(w.start_s, max(w.start_s, w.end_s), w.text.strip())
            for w in (one.word for one in group)
        )
        passages.append(
            Passage(
                "speech",
                start_s,
                max(start_s, end_s),
                text,
                language,
                round(confidence, 4),
                stripped,
            )
        )
    return passages


def _circles(group: Sequence[ScoredWord]) -> bool:
    distinct = {one.word.text.strip(" ,.?!").lower() for one in group}
    return len(group) >= _LONG and len(distinct) < _MIN_DISTINCT * len(group)


def _split(words: Sequence[ScoredWord]) -> Iterator[list[ScoredWord]]:
    group: list[ScoredWord] = []
    for one in words:
        if group and (
            one.word.start_s - group[-1].word.end_s > _PAUSE_S
            or one.word.end_s - group[0].word.start_s > _MAX_S
        ):
            yield group
            group = []
        group.append(one)
        if _ends_sentence(one.word.text.strip()):
            yield group
            group = []
    if group:
        yield group


def _ends_sentence(word: str) -> bool:
    return word.rstrip("\"'”’)").endswith(_ENDS) and word.lower() not in _ABBREVIATIONS
