"""How much the words of a passage count, over stored rows."""

import pytest

from grounding.spans import Span
from indexer.catalog.finalize import finalize_video
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.passages import NewPassage, commit_passages
from indexer.context import Context
from indexer.questions.statement import read_question
from indexer.search.evidence.text import MATCHED, TextSearch, rarity
from indexer.search.types import Scope
from tests.indexer.catalog import support
from tests.support import demo_settings

TALK = [
    "the zebra was late again",
    "people waited for it",
    *[f"people came by train number {number}" for number in range(200)],
]
LINES = [("dg", 0.99), ("EXIT", 0.95), ("kgb dlr", 0.8), ("dog |-/_=*+", 0.9), ("Hot dog", 0.9)]
LINES += [("从小到大都是在厕所", 0.9), ("我家的狗很可爱", 0.9)]


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> TextSearch:
    context = Context(demo_settings(tmp_path_factory.mktemp("words")))
    catalog = context.catalog
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    passages = {
        "speech": [NewPassage("speech", Span(n, n + 1), text) for n, text in enumerate(TALK)],
        "screen": [
            NewPassage("screen", Span(n, n + 1), text, confidence=confidence)
            for n, (text, confidence) in enumerate(LINES)
        ],
    }
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {"speech": "s1", "screen": "o1"})
        for stage, new in passages.items():
            item = chunk_tasks.claim_task(s, "me", 60, [stage])
            assert item is not None
            assert commit_passages(s, item.task_id, "me", new, 1.0)
        finalize_video(s, video_id)
    return TextSearch(context)


def hits(texts: TextSearch, question: str, kind: str):
    statement = read_question(question).statements[0]
    return texts.find(statement, Scope(), [kind]).hits.get(kind, [])


def test_a_rare_word_counts_more_than_a_common_one(texts):
    """Each passage has one of the two words."""
    rare = hits(texts, "zebra people", "speech")
    assert rare[0].text == TALK[0]
    assert rare[0].score < MATCHED
    assert len(rare) == 1, "what has the common word alone is left far behind"
    common = hits(texts, "giraffe people", "speech")
    assert common[0].score < rare[0].score / 4


def test_a_rare_chinese_word_of_two_characters_is_an_answer(texts):
    assert hits(texts, "厕所", "screen")[0].score >= MATCHED
    assert hits(texts, "狗", "screen")[0].score < MATCHED


def test_all_words_are_an_answer(texts):
    assert hits(texts, "people waited", "speech")[0].score >= MATCHED


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        ("dg", []),
        ("kgb", []),
        ("dog", ["Hot dog"]),
        ("exit", ["EXIT"]),
        ('the sign reads "dg"', []),
    ],
)
def test_scraps_on_screen_never_answer(texts, question, lines):
    assert [hit.text for hit in hits(texts, question, "screen")] == lines


def test_rarity():
    """By hand: ln(1 + 1000 / 1) and ln(1 + 1000 / 1000); few passages count as a hundred."""
    assert rarity(0, 1000) == pytest.approx(6.9088, abs=1e-4)
    assert rarity(999, 1000) == pytest.approx(0.6931, abs=1e-4)
    assert rarity(1, 2) == rarity(1, 100)
