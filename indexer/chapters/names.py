"""Parts of a video are named by their own words: those that stand in one part and not in the others
(class-based TF-IDF, Grootendorst 2022, "BERTopic", section 3.3).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from grounding.spans import Span
from indexer.catalog.database.text_normalize import UNSPACED
from indexer.catalog.passages import PassageRow
from indexer.search.evidence.readable import is_readable
from indexer.stop_words import FILLER_WORDS, FUNCTION_WORDS
from indexer.vocabulary import EvidenceKind

Source = Literal["title", "words", "sound", "model", "none"]

TITLE_WORDS = 8  # a longer line on screen is a sentence and no title
LETTERS_OF_A_LONE_WORD = 5  # a shorter one may be a scrap of a longer
TITLE_WITHIN_S, TITLE_WITHIN_SHARE = 10.0, 0.34  # of the start of the part
LONGEST_PHRASE = 3  # words
SECOND_SHARE = 0.5  # of the best phrase's weight that a second one needs to stand beside it
MIN_SPEECH_CONFIDENCE = 0.5
WRITTEN_WEIGHT = 2  # a word on the screen was chosen to be read
LONGEST_NAME = 60
# What is heard nearly everywhere says nothing of a part.
COMMON_SOUNDS = frozenset({"speech", "silence", "inside, small room", "noise"})
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Name:
    """`text` is empty where nothing says what a part is (`source` none)."""

    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class _Line:
    """Words of a passage that can be read: as they are written, and folded."""

    passage: PassageRow
    words: tuple[str, ...]
    folded: tuple[str, ...]
    follows: tuple[bool, ...]  # whether nothing but space is between a word and the one before

    @property
    def weight(self) -> int:
        return WRITTEN_WEIGHT if self.passage.kind == EvidenceKind.SCREEN else 1


def name_parts(parts: Sequence[Span], passages: Iterable[PassageRow]) -> list[Name]:
    """A name for each part: a title on the screen, else its keywords, else what is heard in it. No
    two parts have the same.
    """
    by_part: list[list[PassageRow]] = [[] for _ in parts]
    for passage in passages:
        for part, held in zip(parts, by_part, strict=True):
            if _belongs(passage, part):
                held.append(passage)
    texts = [[line for row in rows if (line := _line(row)) is not None] for rows in by_part]
    weights = [_weights(lines, texts) for lines in texts]
    names: list[Name] = []
    for part, rows, lines, worth in zip(parts, by_part, texts, weights, strict=True):
        taken = {name.text.casefold() for name in names}
        found = _title(part, lines, texts), _phrases(lines, worth), _sound(part, rows, by_part)
        names.append(
            next(
                (name for name in found if name and name.text.casefold() not in taken),
                Name("", "none"),
            )
        )
    return names


def _belongs(passage: PassageRow, part: Span) -> bool:
    """Whether at least half of the one lies in the other: a watermark is in all parts."""
    inside_s = min(passage.span.end_s, part.end_s) - max(passage.span.start_s, part.start_s)
    return inside_s > 0 and 2 * inside_s >= min(passage.span.length_s, part.length_s)


# --- titles ---


def _title(part: Span, lines: Sequence[_Line], texts: Sequence[Sequence[_Line]]) -> Name | None:
    """The short line on the screen that is shown longest, and in no other part. One of a single
    word is a title only near the start of the part.
    """
    within_s = part.start_s + min(TITLE_WITHIN_S, TITLE_WITHIN_SHARE * part.length_s)
    holders = Counter(folded for held in texts for folded in {line.folded for line in held})
    titles = [
        line
        for line in lines
        if line.passage.kind == EvidenceKind.SCREEN
        and holders[line.folded] == 1
        and _is_title(line, near_start=line.passage.span.start_s < within_s)
    ]
    if not titles:
        return None
    best = max(titles, key=lambda line: (line.passage.span.length_s, len(line.words)))
    return Name(_cut(_calm(" ".join(best.passage.text.split()))), "title")


def _is_title(line: _Line, *, near_start: bool) -> bool:
    telling = [word for word in line.folded if _telling(word)]
    if not telling or len(line.words) > TITLE_WORDS:
        return False
    if len(line.words) > 1:
        return True
    return near_start and len(telling[0]) >= LETTERS_OF_A_LONE_WORD


def _calm(text: str) -> str:
    """Several words in capitals as a sentence."""
    return text.capitalize() if text.isupper() and len(text.split()) > 1 else text


# --- keywords ---


def _weights(lines: Sequence[_Line], texts: Sequence[Sequence[_Line]]) -> dict[str, float]:
    """How much each word of a part tells about it: how often it is there, by how often in the whole
    video. A word of most parts tells nothing.
    """
    counts = [_counts(held) for held in texts]
    whole = sum(counts, Counter[str]())
    average = max(1.0, whole.total() / max(1, len(texts)))
    holders = Counter(word for one in counts for word in one)
    usual = {word for word, n in holders.items() if n > 2 and 2 * n > len(texts)}
    return {
        word: count * float(np.log1p(average / whole[word]))
        for word, count in _counts(lines).items()
        if word not in usual
    }


def _counts(lines: Iterable[_Line]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for line in lines:
        for word in line.folded:
            if _telling(word):
                counts[word] += line.weight
    return counts


def _phrases(lines: Sequence[_Line], weights: dict[str, float]) -> Name | None:
    """The phrase of at most three words that tells most, and a second one of other words where it
    tells nearly as much.
    """
    values: dict[tuple[str, ...], float] = {}
    written: dict[tuple[str, ...], str] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    for line in lines:
        if len(line.words) == 1 and len(line.words[0]) < LETTERS_OF_A_LONE_WORD:
            continue
        for folded, text in _runs(line):
            worth = [weights.get(word, 0.0) for word in folded]
            if not worth[0] or not worth[-1]:
                continue
            seen[folded] += line.weight
            values[folded] = sum(worth) / len(worth) * len(worth) ** 0.5
            written.setdefault(folded, text)
    order = sorted(values, key=lambda run: (-values[run] * seen[run] ** 0.5, run))
    if not order:
        return None
    chosen = [order[0]]
    best = values[order[0]]
    other = next((run for run in order if not {*run} & {*order[0]}), None)
    if other is not None and values[other] >= SECOND_SHARE * best:
        chosen.append(other)
    name = " · ".join(written[run] for run in chosen)
    return Name(_cut(name[:1].upper() + name[1:]), "words")


def _runs(line: _Line) -> Iterator[tuple[tuple[str, ...], str]]:
    """Neighbouring words of a line that neither begin nor end with one that tells nothing."""
    for first in range(len(line.words)):
        for last in range(first, min(first + LONGEST_PHRASE, len(line.words))):
            if last > first and not line.follows[last]:
                break
            folded = line.folded[first : last + 1]
            if _telling(folded[0]) and _telling(folded[-1]):
                glue = "" if UNSPACED.search(folded[0]) else " "
                yield folded, glue.join(line.words[first : last + 1])


# --- sounds ---


def _sound(
    part: Span, rows: Sequence[PassageRow], by_part: Sequence[Sequence[PassageRow]]
) -> Name | None:
    """The sound that is heard longest here, if it is in no more than half of the parts."""
    lasting: Counter[str] = Counter()
    for row in rows:
        if row.kind == EvidenceKind.SOUND and row.text.casefold() not in COMMON_SOUNDS:
            inside_s = min(row.span.end_s, part.end_s) - max(row.span.start_s, part.start_s)
            lasting[row.text] += max(1, round(1000 * inside_s))  # whole: counters hold integers
    parts = Counter(
        text
        for held in by_part
        for text in {row.text for row in held if row.kind == EvidenceKind.SOUND}
    )
    for text, _ in lasting.most_common():
        if 2 * parts[text] <= len(by_part):
            return Name(_cut(text[:1].upper() + text[1:]), "sound")
    return None


# --- words ---


def _line(passage: PassageRow) -> _Line | None:
    if passage.kind == EvidenceKind.SOUND or not _can_be_read(passage):
        return None
    words, follows = [], []
    end = 0
    for match in _WORD.finditer(passage.text):
        for word in _words(match[0]):
            follows.append(bool(words) and not passage.text[end : match.start()].strip())
            words.append(word)
            end = match.end()
    if not words:
        return None
    folded = tuple(word.casefold().replace("’", "'") for word in words)
    return _Line(passage, tuple(words), folded, tuple(follows))


def _can_be_read(passage: PassageRow) -> bool:
    if passage.kind == EvidenceKind.SCREEN:
        return is_readable(passage.text, passage.confidence)
    return passage.confidence is None or passage.confidence >= MIN_SPEECH_CONFIDENCE


def _words(run: str) -> list[str]:
    """A script without spaces in pairs of characters, which is what most of its words are."""
    if not UNSPACED.search(run):
        return [run]
    return [run[at : at + 2] for at in range(0, len(run), 2)]


def _telling(word: str) -> bool:
    if UNSPACED.search(word):
        return len(word) > 1
    return (
        len(word) > 2
        and any(letter.isalpha() for letter in word)
        and word not in FUNCTION_WORDS
        and word not in FILLER_WORDS
    )


def _cut(text: str) -> str:
    if len(text) <= LONGEST_NAME:
        return text
    return text[: LONGEST_NAME - 2].rsplit(" ", 1)[0] + " …"
