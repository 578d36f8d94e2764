"""Subtitles that a video already has, beside it or in it, as speech passages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from indexer.errors import MediaError
from indexer.media.decode.reader_process import read_text_file_in_process, read_tracks_in_process
from indexer.media.subtitles.cues import Cue, plain_lines
from indexer.messages import Message
from indexer.passages.base import Passage
from indexer.passages.subtitles.side_files import SideFile, language_code, side_files
from indexer.paths import printable

# of the video that subtitles cover at least; fewer are signs and foreign dialogue alone, and speech
# is recognised
_FULL_SHARE = 0.05
_CONTIGUOUS_S = 0.1
_MIN_TELEMETRY = 10  # cues; fewer tell nothing
_MAX_TEMPLATES = 0.05  # share of different cues when each number is taken for any
_MIN_DIGITS = 0.15  # share of the characters
_DEVANAGARI = re.compile("[\u0900-\u097f]")
_NUMBER = re.compile(r"[0-9]{1,50}")


@dataclass(frozen=True, slots=True)
class FoundSubtitles:
    """passages: speech, of the preferred language first, each language in order of time. notes:
    sentences about files that were passed over.
    """

    passages: list[Passage]
    notes: tuple[Message, ...] = ()


def find_subtitles(
    path: str | os.PathLike[str], duration_s: float, language: str = ""
) -> FoundSubtitles:
    """The subtitles that stand in for recognition, of each language the fullest: files beside the
    video, else its tracks; no passages when it has none that suffice.

    `language` (such as de) is preferred, then English, then what comes first. A side file or a
    track that cannot be read is passed over as long as another can; when none can, MediaError of
    the first.
    """
    failures: list[MediaError] = []
    notes: list[Message] = []
    candidates: list[tuple[bool, list[Passage]]] = []
    for side in side_files(path):
        try:
            cues = read_text_file_in_process(side.path, side.code_page)
        except MediaError as error:
            failures.append(error)
            continue
        if is_telemetry(cues):
            name = printable(side.path)
            notes.append(
                Message("{path} holds numbers of a machine, not speech: left out", {"path": name})
            )
        else:
            candidates.append((side.forced, passages_of(cues, _language_of(side, cues))))
    chosen = _each_language(candidates, duration_s)
    if not chosen:
        chosen = _each_language(_read_tracks(path), duration_s)
    if not chosen and failures:
        raise failures[0]
    order = [language, "en"]
    chosen.sort(key=lambda t: order.index(t[0].language) if t[0].language in order else len(order))
    passages = [
        replace(p, end_s=min(p.end_s, duration_s))
        for track in chosen
        for p in track
        if p.start_s < duration_s
    ]
    return FoundSubtitles(passages, tuple(notes))


def read_side_file(side: SideFile) -> list[Passage]:
    """The cues of a file beside a video. Raises MediaError when it has none or is too large."""
    cues = read_text_file_in_process(side.path, side.code_page)
    return passages_of(cues, _language_of(side, cues))


def read_tracks(path: str | os.PathLike[str]) -> list[list[Passage]]:
    """The cues of each text track, those marked as forced last. Raises MediaError."""
    return [track for _, track in _read_tracks(path)]


def _read_tracks(path: str | os.PathLike[str]) -> list[tuple[bool, list[Passage]]]:
    """(whether it is forced, its cues) of each text track."""
    tracks = sorted(read_tracks_in_process(path), key=lambda track: track.forced)
    read = [
        (track.forced, passages_of(track.cues, language_code(track.language)))
        for track in tracks
        if not is_telemetry(track.cues)
    ]
    return [(forced, track) for forced, track in read if track]


def passages_of(cues: Iterable[Cue], language: str | None) -> list[Passage]:
    """Cues in order of time, one passage each. Captions that roll repeat the lines above: each line
    comes once.
    """
    passages: list[Passage] = []
    before: list[str] = []
    for cue in sorted(cues, key=lambda cue: (cue.start_s, cue.end_s)):
        lines = plain_lines(cue.text)
        if not lines or cue.end_s <= max(0.0, cue.start_s):
            continue
        last = passages[-1] if passages else None
        rolls = last is not None and cue.start_s - last.end_s <= _CONTIGUOUS_S
        rolled = _count_rolled_up(before, lines) if rolls else 0
        before = lines
        if last is not None and rolled == len(lines):
            passages[-1] = replace(last, end_s=max(last.end_s, cue.end_s))
            continue
        text = " ".join(lines[rolled:])
        passages.append(Passage("speech", max(0.0, cue.start_s), cue.end_s, text, language))
    return passages


def is_telemetry(cues: Sequence[Cue]) -> bool:
    """Whether a machine wrote it, such as the position and exposure of a drone: cues without
    letters, or cues that differ in their numbers alone.
    """
    texts = [" ".join(plain_lines(cue.text)) for cue in cues]
    texts = [text for text in texts if text]
    if len(texts) < _MIN_TELEMETRY:
        return False
    wordless = sum(not any(c.isalpha() for c in text) for text in texts)
    if wordless >= 0.9 * len(texts):
        return any(c.isdecimal() for text in texts for c in text)
    digits = sum(c.isdecimal() for text in texts for c in text)
    templates = {_NUMBER.sub("0", text) for text in texts}
    few = len(templates) <= max(3, _MAX_TEMPLATES * len(texts))
    return few and digits >= _MIN_DIGITS * sum(map(len, texts))


def _language_of(side: SideFile, cues: Sequence[Cue]) -> str | None:
    if not side.may_be_hindi:
        return side.language
    text = "".join(cue.text for cue in cues[:100])
    letters = sum(c.isalpha() for c in text)
    return "hi" if 2 * len(_DEVANAGARI.findall(text)) > letters else None


def _each_language(
    tracks: Iterable[tuple[bool, list[Passage]]], duration_s: float
) -> list[list[Passage]]:
    """The first of each language that covers enough of the video; one that is forced only where
    there is no other.
    """
    full: dict[str | None, list[Passage]] = {}
    of_signs: dict[str | None, list[Passage]] = {}
    for forced, track in tracks:
        if track and sum(p.span.length_s for p in track) >= _FULL_SHARE * duration_s:
            (of_signs if forced else full).setdefault(track[0].language, track)
    return list((full or of_signs).values())


def _count_rolled_up(before: list[str], lines: list[str]) -> int:
    """How many of the first `lines` ended the cue before."""
    return next(
        (n for n in range(min(len(before), len(lines)), 0, -1) if before[-n:] == lines[:n]), 0
    )
