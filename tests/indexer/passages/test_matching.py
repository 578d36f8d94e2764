"""Which words of a passage a question's words are."""

from __future__ import annotations

import pytest

from indexer.catalog.fulltext import parse_terms
from indexer.passages.matching import matching_words, pairs_of


@pytest.mark.parametrize(
    ("query", "text", "numbers", "share"),
    [
        ("skating dog", "The skating dogs win.", [1, 2], 1.0),
        ('"sun rose"', "there when the sun rose.", [3, 4], 1.0),
        ('"rose sun"', "there when the sun rose.", [], 0.0),
        ("fish*", "Two fishermen carry", [1], 1.0),
        ("run", "He was running fast", [2], 1.0),
        ("carries nets", "carry a heavy net", [0, 3], 1.0),
        ("Zürich", "back in ZURICH, again", [2], 1.0),
        ("boat harbour", "a boat sails", [1], 0.5),
        ("this cat", "thistle category", [], 0.0),
        ("港口 开门", "港口 早上 七点 开门", [0, 3], 1.0),
        ("口早", "港口 早上", [0, 1], 1.0),
        ("dog", "", [], 0.0),
    ],
)
def test_matching_words(query, text, numbers, share):
    assert matching_words(parse_terms(query), text.split()) == (numbers, share)


def test_the_share_is_weighed():
    terms = parse_terms("zebra people")
    assert matching_words(terms, ["people", "came"], [6.0, 2.0]) == ([0], 0.25)
    assert matching_words([], ["people"], []) == ([], 0.0)


def test_runs_of_characters_are_asked_in_pairs():
    terms = pairs_of(parse_terms("港口开门 seven"))
    assert [term.text for term in terms] == ["港 口", "口 开", "开 门", "seven"]
    assert matching_words(terms, ["港口早上七点开门"])[1] == pytest.approx(0.5)
