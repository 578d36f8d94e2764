"""Sounds that answer a question: found in the index, placed by the curve of the frames around.

How likely it is that a moment is what was asked follows from how much the question is about a sound
at all (nobody hears "a man in a red shirt"), from how probable the sounds that it means are in the
moment, and from how many these are: all of several are seldom heard by chance
(docs/experiments/sound.md says what this was fitted on).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grounding.localize import LocalizerOptions, localize
from grounding.spans import Span
from indexer.catalog.frames import (
    StoredBlock,
    get_stored_blocks,
    get_video_blocks,
    get_video_frames,
)
from indexer.catalog.segments import get_segments
from indexer.context import Context
from indexer.embedders.sound.sound_classes import SoundQuestion, ask_sound, load_sound_classes
from indexer.embedders.sound.sound_embedder import sound_key
from indexer.embedders.text.sentences import LOADING_TEXT
from indexer.questions.statement import Statement
from indexer.search.candidates import candidate_chunks, similarities
from indexer.search.scope import served_keys
from indexer.search.types import PassageHit, Scope
from indexer.stages.base import embedder_key_of
from indexer.vocabulary import EvidenceKind, StageName

# Log odds of an answer: of the likeness of the question's words, of how clear the sound is, of how
# much a single class is meant, and a constant. One in four questions is taken to have an answer.
# The number of videos, 5 to 60, made no difference.
LIKENESS_WEIGHT, CLARITY_WEIGHT, FOCUS_WEIGHT, OFFSET = 5.31, 5.79, -3.65, -7.49
MIN_LIKENESS = 0.4  # below it the best of sounds is no answer: these questions are not searched
CANDIDATE_SEGMENTS = 400
WINDOW_FRAMES, BEST_FRAMES = 6, 3  # a sound is as clear as the best half of some 3 s
PER_VIDEO = 3
# Sounds begin and end sharply, and there is one frame each .48 s (docs/experiments/sound.md).
BOUNDARIES = LocalizerOptions(smoothing_frames=1.0, length_weight=0.25)
MOST_HITS = 50
MIN_PROBABILITY = 0.04  # below it a sound is no evidence beside others


@dataclass(frozen=True, slots=True)
class SoundAnswer:
    """`hits`, best first; their score is the probability that they are what was asked."""

    hits: Sequence[PassageHit] = ()


@dataclass(frozen=True, slots=True)
class _Heard:
    """The frames of consecutive chunks of a video: `vectors` (N, 521), `times_s`, `curve` (N,)."""

    video_id: int
    span: Span
    times_s: np.ndarray
    vectors: np.ndarray
    curve: np.ndarray


class SoundSearch:
    """Answers over the sounds of one library."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._loaded = False

    def load(self, scope: Scope) -> None:
        """Loads the models that a question about sounds in this scope needs, where there are any.
        Raises ModelError.
        """
        if not self._loaded and self._keys(scope):
            ask_sound(LOADING_TEXT)
            self._loaded = True

    def find(self, statement: Statement, scope: Scope) -> SoundAnswer:
        """Empty where the statement is not about sound, unless nothing but sound is asked for."""
        keys = self._keys(scope)
        asked = ask_sound(statement.text) if keys else None
        if asked is None or (asked.likeness < MIN_LIKENESS and len(scope.kinds) > 1):
            return SoundAnswer()
        least = MIN_PROBABILITY if len(scope.kinds) > 1 else 0.0
        hits = [hit for key in keys for hit in self._hits(asked, key, scope, least)]
        hits.sort(key=lambda hit: -hit.score)
        return SoundAnswer(tuple(hits[:MOST_HITS]))

    def _keys(self, scope: Scope) -> list[str]:
        """Served keys of the installed model, where sounds count."""
        if EvidenceKind.SOUND not in scope.kinds:
            return []
        keys = served_keys(self._context.catalog, scope, StageName.SOUND)
        return [key for key in keys if embedder_key_of(key) == sound_key()]

    def curve(self, statement: Statement, video_id: int, key: str) -> tuple[np.ndarray, np.ndarray]:
        """(times_s, likenesses) (N,) of all frames of a video; empty where nothing can be said."""
        asked = ask_sound(statement.text) if embedder_key_of(key) == sound_key() else None
        if asked is None:
            return np.empty(0), np.empty(0)
        with self._context.catalog.read_replica() as session:
            block = get_video_frames(session, video_id, key)
        values = block.vectors @ asked.vector if len(block.times_s) else np.empty(0)
        return block.times_s, values

    def _hits(
        self, asked: SoundQuestion, key: str, scope: Scope, least: float
    ) -> Iterator[PassageHit]:
        for heard in self._stretches(asked, key, scope):
            yield from moments(asked, heard, least)

    def _stretches(self, asked: SoundQuestion, key: str, scope: Scope) -> list[_Heard]:
        with self._context.catalog.read_replica() as session:
            if scope.video_ids is not None and len(scope.video_ids) == 1:
                blocks = get_video_blocks(session, scope.video_ids[0], key)
            else:
                blocks = get_stored_blocks(session, self._candidates(asked, key, scope), key)
        return list(_join_blocks(asked, [block for block in blocks if len(block.frames.times_s)]))

    def _candidates(self, asked: SoundQuestion, key: str, scope: Scope) -> list[int]:
        index = self._context.index_for(key, StageName.SOUND)
        hits = index.search(asked.vector, CANDIDATE_SEGMENTS, scope.selection)
        if not len(hits.ids):
            return []
        score_of = dict(zip(hits.ids.tolist(), hits.scores.tolist()))
        with self._context.catalog.read_replica() as session:
            found = get_segments(session, hits.ids.tolist())
        return candidate_chunks(
            np.array([segment.chunk_id for segment in found]),
            np.array([segment.video_id for segment in found]),
            np.array([score_of[segment.id] for segment in found]),
        )


def _join_blocks(asked: SoundQuestion, blocks: Sequence[StoredBlock]) -> Iterator[_Heard]:
    """Neighbouring blocks of a video as one: a sound goes on across the edge of a chunk. The blocks
    come by video and time.
    """
    curves = similarities(asked.vector, [block.frames.vectors for block in blocks])
    run: list[tuple[StoredBlock, np.ndarray]] = []
    for block, curve in zip(blocks, curves, strict=True):
        follows = run and (run[-1][0].video_id, run[-1][0].span.end_s) == (
            block.video_id,
            block.span.start_s,
        )
        if run and not follows:
            yield _heard(run)
            run = []
        run.append((block, curve))
    if run:
        yield _heard(run)


def _heard(run: Sequence[tuple[StoredBlock, np.ndarray]]) -> _Heard:
    first, last = run[0][0], run[-1][0]
    return _Heard(
        first.video_id,
        Span(first.span.start_s, last.span.end_s),
        np.concatenate([block.frames.times_s for block, _ in run]),
        np.concatenate([block.frames.vectors for block, _ in run]),
        np.concatenate([curve for _, curve in run]),
    )


def moments(asked: SoundQuestion, heard: _Heard, least: float = 0.0) -> Iterator[PassageHit]:
    """The spans of a stretch that stand out, with their probabilities, which are at least
    `least`.
    """
    whole = float(asked.vector.sum())
    spans = localize(
        heard.times_s,
        heard.curve,
        start_s=heard.span.start_s,
        end_s=heard.span.end_s,
        count=PER_VIDEO,
        options=BOUNDARIES,
    )
    for found in spans:
        inside = (heard.times_s >= found.span.start_s) & (heard.times_s < found.span.end_s)
        if not inside.any():
            continue
        curve = heard.curve[inside]
        sure = probability(asked.likeness, clearest(curve) / whole, asked.focus)
        if sure < least:
            continue
        loudest = heard.vectors[inside][int(np.argmax(curve))].astype(np.float32)
        name = load_sound_classes().common_name(asked, loudest)
        yield PassageHit(heard.video_id, found.span, name, sure)


def clearest(curve: np.ndarray) -> float:
    """Mean of the best frames of the best window of a curve (N,), N > 0."""
    windows = np.lib.stride_tricks.sliding_window_view(curve, min(WINDOW_FRAMES, len(curve)))
    return float(np.sort(windows, axis=1)[:, -BEST_FRAMES:].mean(axis=1).max())


def probability(likeness: float, clarity: float, focus: float) -> float:
    """That a moment is what was asked. `clarity` in [0, 1]: of its frames on the question's
    classes; `focus` in (0, 1]: how much one of these is meant.
    """
    odds = LIKENESS_WEIGHT * likeness + CLARITY_WEIGHT * clarity + FOCUS_WEIGHT * focus + OFFSET
    return 1 / (1 + math.exp(-odds))
