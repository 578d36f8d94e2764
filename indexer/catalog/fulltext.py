"""Words to passages: FTS5 on SQLite, tsvector on PostgreSQL, behind one function that takes what a
person types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    column,
    func,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog import database
from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import in_values, is_sqlite
from indexer.catalog.database.text_normalize import UNSPACED, separate_unspaced
from indexer.catalog.passages import served_passage_key
from indexer.catalog.tables.library import Passage, Video
from indexer.stop_words import STOP_WORDS

_TERM = re.compile(r'"([^"]*)"|(\S+)')
_WORD = re.compile(r"[^\W_]")

MOST_TERMS, LONGEST_PHRASE, LONGEST_QUERY = 32, 32, 10_000
"""Terms of a query, words of a phrase and characters that are looked for: databases have limits of
their own that a pasted page would reach.
"""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand next to each other; with `prefix` the last one may go on."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class WordHit:
    """A passage that matches; `score` orders hits of one question (higher is better), it means
    nothing else.
    """

    passage_id: int
    video_id: int
    chunk_id: int | None
    kind: str
    span: Span
    text: str
    score: float


def search_words(
    s: Session,
    query: str,
    kinds: Iterable[str] | None = None,
    collection_ids: Sequence[int] | None = None,
    video_id: int | None = None,
    limit: int = 100,
    match: Literal["all", "any"] = "all",
    video_ids: Sequence[int] | None = None,
) -> list[WordHit]:
    """Served passages that hold all words of `query` (or any of them), best first.

    "in quotes" is a phrase, `skate*` a prefix; case, accents and English endings do not matter.
    Nothing that is typed is a syntax error.
    """
    terms = parse_terms(query)
    if not terms:
        return []
    matches, score = (_sqlite if is_sqlite(s) else _postgres)(terms, match)
    statement = (
        select(
            Passage.id,
            Passage.video_id,
            Passage.chunk_id,
            Passage.kind,
            Passage.start_s,
            Passage.end_s,
            Passage.text,
            score.label("score"),
        )
        .select_from(Passage)
        .join(Video, and_(Video.id == Passage.video_id, Passage.key == served_passage_key()))
        .order_by(text("score DESC"), Passage.id)
        .limit(limit)
    )
    statement = _within(s, matches(statement), kinds, collection_ids, video_ids)
    if video_id is not None:
        statement = statement.where(Passage.video_id == video_id)
    rows: Iterable[Any] = s.execute(statement)
    return [
        WordHit(row[0], row[1], row[2], row[3], Span(row[4], row[5]), row[6], float(row[7]))
        for row in rows
    ]


def count_holders(
    s: Session,
    terms: Sequence[Term],
    kinds: Iterable[str] | None = None,
    collection_ids: Sequence[int] | None = None,
    video_ids: Sequence[int] | None = None,
    limit: int = 1000,
) -> tuple[list[int], int]:
    """How many served passages hold each term, and how many there are; counted up to `limit`."""
    served = and_(Video.id == Passage.video_id, Passage.key == served_passage_key())
    everything = _within(
        s, select(Passage.id).join(Video, served), kinds, collection_ids, video_ids
    )

    def count(statement: Select[Any]) -> int:
        return s.scalar(select(func.count()).select_from(statement.limit(limit).subquery())) or 0

    holders = [
        count((_sqlite if is_sqlite(s) else _postgres)([term], "all")[0](everything))
        for term in terms
    ]
    return holders, count(everything)


def _within(
    s: Session,
    statement: Any,
    kinds: Iterable[str] | None,
    collection_ids: Sequence[int] | None,
    video_ids: Sequence[int] | None,
) -> Any:
    if kinds is not None:
        statement = statement.where(in_values(s, Passage.kind, kinds))
    if collection_ids is not None:
        statement = statement.where(in_values(s, Passage.collection_id, collection_ids))
    if video_ids is not None:
        statement = statement.where(in_values(s, Passage.video_id, video_ids))
    return statement


def parse_terms(query: str) -> list[Term]:
    """Terms of what a person typed. A run of a script without spaces is one phrase of its
    characters.
    """
    found = []
    for quoted, word in _TERM.findall(sanitize_text(query[:LONGEST_QUERY])):
        if quoted:
            found.append((Term(_normal(quoted)), True))
            continue
        prefix = word.endswith("*")
        found += [
            (Term(_normal(part), prefix and last), False) for part, last in _runs(word.strip("*"))
        ]
    terms = [(term, kept) for term, kept in found if _WORD.search(term.text)]
    telling = [
        term
        for term, kept in terms
        if kept or term.prefix or term.text.casefold() not in STOP_WORDS
    ]
    return list(dict.fromkeys(telling or [term for term, _ in terms]))[:MOST_TERMS]


def _runs(word: str) -> list[tuple[str, bool]]:
    """`看滑板now` -> 看滑板, now; the flag marks the last."""
    parts = [
        match[0] for match in re.finditer(f"{UNSPACED.pattern}+|(?:(?!{UNSPACED.pattern}).)+", word)
    ]
    return [(part, number == len(parts) - 1) for number, part in enumerate(parts)]


def _normal(words: str) -> str:
    return " ".join(separate_unspaced(words).split()[:LONGEST_PHRASE])


def _sqlite(terms: Sequence[Term], match: str) -> tuple[Any, ColumnElement[float]]:
    """Each term is a quoted FTS5 string, in which nothing but a quote is special."""
    written = [
        f'"{term.text.replace(chr(34), " ")}"{" *" if term.prefix else ""}' for term in terms
    ]
    expression = (" AND " if match == "all" else " OR ").join(written)
    words = table("passage_words", column("rowid"))

    def matches(statement: Select[Any]) -> Select[Any]:
        matched = text("passage_words MATCH :words").bindparams(words=expression)
        return statement.join(words, words.c.rowid == Passage.id).where(matched)

    return matches, literal_column("-bm25(passage_words)")


def _postgres(terms: Sequence[Term], match: str) -> tuple[Any, ColumnElement[float]]:
    query = _tsquery(terms[0])
    for term in terms[1:]:
        query = query.op("&&" if match == "all" else "||")(_tsquery(term))
    indexed = literal_column("passage.passage_words")

    def matches(statement: Select[Any]) -> Select[Any]:
        return statement.where(indexed.op("@@")(query))

    # 1: longer passages count less, by the logarithm of their length.
    return matches, func.ts_rank_cd(indexed, query, 1)


def _tsquery(term: Term) -> Any:
    """As it stands, or with English endings taken off."""
    kind = database.postgresql.TSQUERY
    if term.prefix:
        *before, last = term.text.split()
        quoted = "'" + last.replace("\\", " ").replace("'", " ") + "':*"
        words = (
            [
                func.phraseto_tsquery(
                    literal_column("'simple'::regconfig"), " ".join(before), type_=kind
                )
            ]
            if before
            else []
        )
        words.append(func.to_tsquery(literal_column("'simple'::regconfig"), quoted, type_=kind))
        return words[0] if len(words) == 1 else func.tsquery_phrase(*words, type_=kind)
    simple = func.phraseto_tsquery(literal_column("'simple'::regconfig"), term.text, type_=kind)
    english = func.phraseto_tsquery(literal_column("'english'::regconfig"), term.text, type_=kind)
    return simple.op("||", return_type=kind())(english).self_group()
