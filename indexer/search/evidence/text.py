"""Passages that answer a question, kind by kind: found by their words, found by their meaning, and
joined into one list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from grounding.spans import Span
from indexer.catalog.database.text_normalize import UNSPACED
from indexer.catalog.fulltext import (
    Term,
    WordHit,
    count_holders,
    parse_terms,
    search_words,
)
from indexer.catalog.passages import PassageRow, get_passages
from indexer.catalog.vectors.live_chunks import LiveState
from indexer.catalog.vectors.live_value import LiveValue
from indexer.context import Context
from indexer.embedders.text.sentences import LOADING_TEXT
from indexer.passages.matching import matching_words, pairs_of
from indexer.passages.text_space import TextSpace, text_space
from indexer.questions.content_words import content_words
from indexer.questions.statement import Statement
from indexer.search.calibration import median
from indexer.search.evidence.readable import is_readable
from indexer.search.neutral_baseline import neutral_vectors
from indexer.search.scope import served_keys, with_served_keys
from indexer.search.types import PassageHit, Scope
from indexer.stages.base import embedder_key_of
from indexer.vectors.base import Selection, VectorIndex
from indexer.vocabulary import EvidenceKind

STAGE_OF = {"speech": "speech", "screen": "screen", "event": "events"}
CANDIDATES = 100
KEPT = 50
NEAR, SAME = (
    0.25,
    0.55,
    # products of meaning: of a sentence beside the point at most, and of one that says it in other
    # words
)
MATCH_MEANING = 0.30  # needed for a match among few passages
# needed above the usual: nineteen in twenty questions without an answer stay below it
# (docs/experiments/text.md)
MATCH_MARGIN = 0.15
MATCH_MARGIN_ACROSS = 0.10  # the same between languages, where products spread less
MATCHED = 0.5  # strength of a meaning that is as near as a match needs
SOME_WORDS = 0.3  # strength of a passage that has half of the words
# of a passage that has the only word of a question, unless the word is rare or the question names
# the kind
LONE_WORD = 0.4
LONE_LETTERS = 4  # of a rare word that tells by itself; a Chinese character is as good as two
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
ENOUGH = 20  # passages with all words; those with some of them are then not looked for
RARE = 20  # passages with a word that is telling by itself
COUNTED = 1000  # passages with a word; a word that more hold is as common as any
FEW_PASSAGES = 100  # among fewer, which words are common is chance
UNSPACED_PHRASE = 4  # characters of Chinese and the like: two words
COMPARABLE = 0.5  # share of the best strength below which a passage is left out
LONG_S = 12.0  # a longer passage is narrowed to the words that matched and what is around them
AROUND_S = 2.0
# Cormack, Clarke and Buettcher 2009, "Reciprocal rank fusion outperforms Condorcet".
RRF_CONSTANT = 60
PROBED = (
    8  # passages that are nearest to a neutral prompt, before those in English are counted in full
)


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """`hits`: kind -> passages, best first."""

    hits: Mapping[str, Sequence[PassageHit]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question to passages: `query` in the syntax of the word index, `terms` its words."""

    query: str
    terms: list[Term]
    loose: list[Term]
    quoted: bool
    hint: str
    vector: np.ndarray | None
    english: bool

    @classmethod
    def of(cls, statement: Statement, space: TextSpace) -> _Asked:
        quoted = bool(statement.phrases)
        query = (
            " ".join(f'"{phrase}"' for phrase in statement.phrases)
            if quoted
            else content_words(statement.words)
        )
        terms = parse_terms(query)
        text = " ".join(statement.phrases) or statement.words
        known = space.reads(text) and space.recognizes(re.findall(r"\w+", query))
        vector = space.embed_questions([text])[0] if known else None
        return cls(
            query,
            terms,
            pairs_of(terms),
            quoted,
            statement.hint,
            vector,
            space.is_english(text),
        )

    @property
    def loose_query(self) -> str:
        return " ".join(f'"{term.text}"' for term in self.loose)


@dataclass(frozen=True, slots=True)
class _Near:
    """Products of meaning by passage, and what a match needs: of two English texts, and of any
    others (`across`, cosines of one model).
    """

    english: Mapping[int, float] = field(default_factory=dict)
    across: Mapping[int, float] = field(default_factory=dict)
    needed: float = MATCH_MEANING
    needed_across: float = MATCH_MEANING

    @property
    def ids(self) -> set[int]:
        return {*self.english, *self.across}

    def strengths(
        self, known: Mapping[int, PassageRow], space: TextSpace, *, asked_in_english: bool
    ) -> dict[int, float]:
        """Of those that mean something like it, best first."""
        found: dict[int, tuple[float, float]] = {}
        for id in self.ids & known.keys():
            english = space.is_english(known[id].text)
            if english and asked_in_english:
                product, needed = self.english.get(id, 0.0), self.needed
            elif not _is_phrase(known[id].text):
                continue  # a mark or a name in another language is near to anything short
            else:
                product, needed = (
                    _cosine(self.across.get(id, 0.0), space, english=english),
                    self.needed_across,
                )
            if product > NEAR:
                found[id] = (_strength_of_meaning(product, needed), product)
        order = sorted(found, key=lambda id: (*(-value for value in found[id]), id))
        return {id: found[id][0] for id in order}


@dataclass(frozen=True, slots=True)
class _Usual:
    product: float
    cosine: float


class TextSearch:
    """Answers over the passages of one library."""

    def __init__(self, context: Context) -> None:
        self._catalog = context.catalog
        self._index_for = context.index_for
        self._settings = context.settings
        self._cache = context.settings.cache
        self._neutral: np.ndarray | None = None
        self._usual: dict[str, LiveValue[_Usual]] = {}

    def load(self, scope: Scope) -> None:
        """Loads the models that a question about passages in this scope needs, where there are
        any. Raises ModelError.
        """
        kinds = [kind for kind in scope.kinds if kind in STAGE_OF]
        if self._neutral is None and any(self._keys(scope, kinds).values()):
            self._neutral_vectors()
            self._space().embed_questions([LOADING_TEXT])

    def _space(self) -> TextSpace:
        return text_space(self._settings)

    def _keys(self, scope: Scope, kinds: Sequence[str]) -> dict[str, Sequence[str]]:
        scope = with_served_keys(self._catalog, scope)
        return {kind: served_keys(self._catalog, scope, STAGE_OF[kind]) for kind in kinds}

    def find(self, statement: Statement, scope: Scope, kinds: Sequence[str]) -> TextAnswer:
        """Passages of these kinds. What the best one leaves far behind is not among them."""
        keys = self._keys(scope, kinds)
        if not any(keys.values()):
            return TextAnswer()
        asked = _Asked.of(statement, self._space())
        found = {
            kind: self._find_kind(asked, scope, kind, keys[kind]) for kind in kinds if keys[kind]
        }
        return TextAnswer({kind: hits for kind, hits in found.items() if hits})

    def _find_kind(
        self, asked: _Asked, scope: Scope, kind: str, keys: Iterable[str]
    ) -> list[PassageHit]:
        worded, by_words = self._by_words(asked, scope, kind)
        nearest = self._by_meaning(asked, scope.selection, STAGE_OF[kind], keys)
        with self._catalog.read_replica() as session:
            known = get_passages(session, {*worded, *nearest.ids})
        near = nearest.strengths(known, self._space(), asked_in_english=asked.english)
        known = {
            id: row
            for id, row in known.items()
            if (id in worded or id in near)  # the nearest may not be near
            and (kind != EvidenceKind.SCREEN or is_readable(row.text, row.confidence))
        }
        weights = self._rarities(asked, scope, kind) if not all(worded.values()) else None
        strengths: dict[int, float] = {}
        matches: dict[int, list[int]] = {}
        for id, row in known.items():
            matches[id], share = matching_words(asked.loose, _tokens(row), weights)
            by_word = _strength_of_words(
                asked, share, by_words, complete=id in worded and worded[id]
            )
            strengths[id] = max(by_word, near.get(id, 0.0))
        best = max(strengths.values(), default=0.0)
        if best <= 0:
            return []
        places = _reciprocal(list(worded), list(near))
        kept = sorted(
            (id for id in known if strengths[id] >= COMPARABLE * best),
            key=lambda id: (-places[id], id),
        )[:KEPT]
        return [_hit(known[id], matches[id], strengths[id], asked.quoted) for id in kept]

    # --- words ---

    def _by_words(self, asked: _Asked, scope: Scope, kind: str) -> tuple[dict[int, bool], int]:
        """Passages in their order, True where they hold all words; and how many hold all."""
        if not asked.terms:
            return {}, 0
        with self._catalog.read_replica() as session:

            def found(query: str, *, every: bool) -> list[WordHit]:
                match = "all" if every else "any"
                return search_words(
                    session,
                    query,
                    [kind],
                    scope.collection_ids,
                    limit=CANDIDATES,
                    match=match,
                    video_ids=scope.video_ids,
                )

            complete = found(asked.query, every=True)
            enough = asked.quoted or len(asked.loose) < 2 or len(complete) >= ENOUGH
            partial = [] if enough else found(asked.loose_query, every=False)
        order = {hit.passage_id: True for hit in complete}
        for hit in partial:
            order.setdefault(hit.passage_id, False)
        return order, len(complete)

    def _rarities(self, asked: _Asked, scope: Scope, kind: str) -> list[float]:
        """What each loose term weighs, above 0: the logarithm of how few passages hold it."""
        with self._catalog.read_replica() as session:
            holders, passages = count_holders(
                session,
                asked.loose,
                [kind],
                scope.collection_ids,
                scope.video_ids,
                limit=COUNTED,
            )
        return [rarity(count, passages) for count in holders]

    # --- meaning ---

    def _by_meaning(
        self, asked: _Asked, selection: Selection, stage: str, keys: Iterable[str]
    ) -> _Near:
        """The passages that are nearest to the question: as English where it is English, and in any
        language.
        """
        if asked.vector is None:
            return _Near()
        english: dict[int, float] = {}
        across: dict[int, float] = {}
        needed = needed_across = MATCH_MEANING
        space = self._space()
        in_any_language = space.across(asked.vector[None])[0]
        for key in keys:
            if embedder_key_of(key) != space.key:
                continue
            index = self._index_for(key, stage)
            if asked.english:
                hits = index.search(asked.vector, CANDIDATES, selection)
                english.update(zip(hits.ids.tolist(), hits.scores.tolist()))
            hits = index.search(in_any_language, CANDIDATES, selection)
            across.update(zip(hits.ids.tolist(), hits.scores.tolist()))
            best = max((*english.values(), *across.values()), default=0.0)
            if best * max(1.0, space.across_scale) <= NEAR:
                continue  # what is usual, which takes many searches, does not matter
            usual = self._usual_of(key, stage)
            needed = max(needed, usual.product + MATCH_MARGIN)
            needed_across = max(needed_across, usual.cosine + MATCH_MARGIN_ACROSS)
        return _Near(english, across, needed, needed_across)

    def _usual_of(self, key: str, stage: str) -> _Usual:
        """The usual product of a neutral prompt with its nearest passage: a larger library is
        nearer to anything.

        The median: some prompts do have an answer.
        """
        following = self._usual.get(key)
        if following is None:
            measure = partial(self._measure_usual, key, stage)
            following = self._usual[key] = LiveValue(self._catalog, key, stage, measure)
        return following.get()

    def _measure_usual(self, key: str, stage: str, state: LiveState) -> _Usual:
        del state  # the index follows it by itself, within half a second
        index = self._index_for(key, stage)
        best = [
            hits.scores[0]
            for vector in self._neutral_vectors()
            if len(hits := index.search(vector, 1))
        ]
        cosines = self._best_cosines(index)
        product, cosine = (median(values) if values else 0.0 for values in (best, cosines))
        return _Usual(product, cosine)

    def _neutral_vectors(self) -> np.ndarray:
        if self._neutral is None:
            space = self._space()
            self._neutral = neutral_vectors(self._cache, space.key, space.embed_questions)
        return self._neutral

    def _best_cosines(self, index: VectorIndex) -> list[float]:
        """Of each neutral prompt with the passage that is nearest in any language."""
        space = self._space()
        across = space.across(self._neutral_vectors())
        found = [index.search(vector, PROBED) for vector in across]
        with self._catalog.read_replica() as session:
            known = get_passages(session, {id for hits in found for id in hits.ids.tolist()})
        english = {id: space.is_english(row.text) for id, row in known.items()}
        cosines = [
            [
                _cosine(score, space, english=english[id])
                for id, score in zip(hits.ids.tolist(), hits.scores.tolist())
                if id in english
            ]
            for hits in found
        ]
        return [max(values) for values in cosines if values]


def rarity(holders: int, passages: int) -> float:
    """Weight of a word that `holders` of the passages hold: inverse document frequency (Sparck
    Jones 1972), smoothed so that it stays above 0.
    """
    return float(np.log1p(max(passages, FEW_PASSAGES) / (holders + 1)))


def _is_phrase(text: str) -> bool:
    """Whether it is more than a word: two of them, or as many characters of a script that does not
    part them.
    """
    return len(text.split()) > 1 or len(UNSPACED.findall(text)) >= UNSPACED_PHRASE


def _strength_of_words(asked: _Asked, share: float, complete_hits: int, *, complete: bool) -> float:
    """In [0, 1]. All words of a question are an answer; one common word is none. `share`: of the
    words, weighed by their rarity.
    """
    if not complete:
        return SOME_WORDS * min(1.0, 2 * share) ** 2 * (1.5 if asked.hint else 1.0)
    word = "".join(term.text.replace(" ", "") for term in asked.terms)
    telling = asked.quoted or asked.hint or len(asked.terms) > 1 or len(asked.loose) > 1
    if telling or (len(word) + len(_HAN.findall(word)) >= LONE_LETTERS and complete_hits <= RARE):
        return 1.0
    return LONE_WORD


def _cosine(product: float, space: TextSpace, *, english: bool) -> float:
    """Of the multilingual model, from the product with `across` of a question."""
    return product * space.across_scale if english else product


def _strength_of_meaning(product: float, needed: float) -> float:
    """0 at NEAR, MATCHED at what is needed for a match, 1 at SAME."""
    return float(np.interp(product, [NEAR, needed, max(SAME, needed + 0.1)], [0.0, MATCHED, 1.0]))


def _reciprocal(*orders: Sequence[int]) -> dict[int, float]:
    """Reciprocal rank fusion of several orders of the same passages."""
    places: dict[int, float] = {}
    for order in orders:
        for rank, id in enumerate(order, 1):
            places[id] = places.get(id, 0.0) + 1 / (RRF_CONSTANT + rank)
    return places


def _tokens(row: PassageRow) -> list[str]:
    return [word for _, _, word in row.words] or row.text.split()


def _hit(row: PassageRow, matching: Sequence[int], strength: float, quoted: bool) -> PassageHit:
    words = tuple(row.words[number] for number in matching) if row.words else ()
    return PassageHit(row.video_id, _span_of(row, words, quoted), row.text, strength, words)


def _span_of(row: PassageRow, words: Sequence[tuple[float, float, str]], quoted: bool) -> Span:
    """What was asked word for word lasts as long as the words; else it is the sentence, if that is
    not a long one.
    """
    if not words or not (quoted or row.span.length_s > LONG_S):
        return row.span
    around_s = 0.0 if quoted else AROUND_S
    spoken = Span(words[0][0] - around_s, max(words[-1][1] + around_s, words[0][0] + 0.1))
    return spoken.clamp(row.span.start_s, max(row.span.end_s, row.span.start_s + 0.1))
