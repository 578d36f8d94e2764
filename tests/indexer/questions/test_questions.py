import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.evaluation.ground_truth import load_rows
from indexer.questions.content_words import content_words
from indexer.questions.english_inversion import third_person
from indexer.questions.negation import Negation, chinese_negation, english_negation
from indexer.questions.statement import LONGEST, MOST_STATEMENTS, read_question


@dataclass(frozen=True)
class Phrasing:
    """A row of phrasings.jsonl: a question, and what it asks for."""

    text: str
    statements: tuple[str, ...]
    counting: bool = False
    denied: tuple[str, ...] = ()


def read_table() -> list[Phrasing]:
    lines = (Path(__file__).parent / "phrasings.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        Phrasing(
            row["text"],
            tuple(row["statements"]),
            row.get("counting", False),
            tuple(row.get("denied", ())),
        )
        for row in rows
    ]


TABLE = read_table()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.text)
def test_questions_become_statements(row):
    question = read_question(row.text)
    statements = question.statements
    assert tuple(statement.text for statement in statements) == row.statements
    assert question.text == row.text
    assert question.counting == row.counting
    assert tuple(s.negation.denied for s in statements if s.negation) == row.denied


def test_the_table_is_large_and_in_two_languages():
    chinese = [row for row in TABLE if re.search("[\u4e00-\u9fff]", row.text)]
    assert len(chinese) >= 75
    assert len(TABLE) - len(chinese) >= 75
    assert len({row.text for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    "statement", sorted({s for row in TABLE for s in row.statements if not s.startswith("what ")})
)
def test_a_statement_is_its_own_statement(statement):
    assert read_question(statement).statement == statement


@pytest.mark.parametrize(
    ("text", "scene", "denied"),
    [
        ("there is no dog on the beach", "the beach", "dog on the beach"),
        ("nobody is at home, only the dog", "the dog", "someone is at home"),
        ("the road is empty, no car in sight", "the road is empty", "car in sight"),
        ("the man never smiles", "the man", "the man smiles"),
        ("the dog is not in the picture", "", "the dog"),
        ("房间里没有人,只有圆桌", "房间里,只有圆桌", "房间里有人"),
        ("道路空荡荡的,看不到汽车", "道路空荡荡的", "汽车"),
        ("everything except the goals", "", "the goals"),
        ("nobody is at home except the dog", "the dog", "someone is at home"),
        ("neither of them is in the room", "the room", "someone is in the room"),
        ("the door is neither open nor closed", "the door", "the door is open or closed"),
        ("走廊没人", "走廊", "走廊有人"),
        ("除了狗还有动物", "动物", "狗"),
    ],
)  # fmt: skip
def test_a_negated_statement_says_what_must_not_be_seen(text, scene, denied):
    negation = (english_negation if text.isascii() else chinese_negation)(text)
    assert negation == Negation(scene, denied)


@pytest.mark.parametrize(
    "text",
    [
        "a no parking sign",
        "she wears nothing but white",
        "not only the dog barks",
        "狗不停地跳",
        "无人机",
        "水淹没了道路",
    ],
)
def test_words_that_deny_nothing(text):
    assert (english_negation if text.isascii() else chinese_negation)(text) is None


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("When does he say that he is not ready?", False),
        ("When does he not say that he is ready?", True),
        ('the sign reads "NO ENTRY"', False),
        ("她什么时候说她不来", False),
        ("她什么时候没有说你好", True),
    ],
)
def test_a_negation_inside_what_is_said_belongs_to_it(text, negated):
    [statement] = read_question(text).statements
    assert (statement.negation is not None) == negated
    assert statement.hint


def test_nothing_is_read_into_a_quotation():
    [statement] = read_question('When does she say "when? and when does it rain?"').statements
    assert statement.phrases == ("when? and when does it rain?",)
    assert statement.words == "when? and when does it rain?"


def test_content_words_of_only_function_words_are_all_of_them():
    assert content_words("the dog is on a sofa") == "dog sofa"
    assert content_words("to be or to do") == "to be or to do"


@pytest.mark.parametrize(
    ("text", "hint", "words", "phrases"),
    [
        ('when does she say "hello world"?', "speech", "hello world", ("hello world",)),
        ("When does she say that we need more money?", "speech", "we need more money", ()),
        ("when do they talk about climate change", "speech", "climate change", ()),
        ("When is the budget mentioned?", "speech", "the budget", ()),
        ("她什么时候说到预算", "speech", "预算", ()),
        ("When does the sign read STOP?", "screen", "STOP", ()),
        ("the sign that says “EXIT”", "screen", "EXIT", ("EXIT",)),
        ("revenue chart on the slide", "screen", "revenue chart", ()),
        (
            "text saying The Peach Open Movie Project presents",
            "screen",
            "The Peach Open Movie Project presents",
            (),
        ),
        ("屏幕上写着「再见」的时候", "screen", "再见", ("再见",)),
        ("When can you hear glass breaking?", "sound", "glass breaking", ()),
        ("When is a siren heard?", "sound", "a siren", ()),
        ("the sound of waves", "sound", "waves", ()),
        ("When do you hear her talk about money?", "speech", "money", ()),
        ('When do you hear "good night"?', "speech", "good night", ("good night",)),
        ("什么时候能听到掌声？", "sound", "掌声", ()),
        ("黑板上什么时候写了公式？", "screen", "公式", ()),
        ("a man reads a newspaper", "", "a man reads a newspaper", ()),
        ("two people talk in a kitchen", "", "two people talk in a kitchen", ()),
        ("the dog's owner and the cat's owner", "", "the dog's owner and the cat's owner", ()),
    ],
)
def test_steering(text, hint, words, phrases):
    [statement] = read_question(text).statements
    assert (statement.hint, statement.words, statement.phrases) == (hint, words, phrases)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "?",
        "when",
        "when does",
        "does",
        "who",
        "what",
        "is there",
        "show me",
        "什么时候",
        "有没有",
        "找",
        "“”",
        "is not",
        "does not",
    ],
)
def test_fragments_give_a_statement_without_error(text):
    [statement] = read_question(text).statements
    assert statement.text or not text.strip(" ?")


def test_statements_of_real_annotations_stay(test_data):
    """Nearly all of what people write as a description must come through untouched."""
    files = ("ground_truth.jsonl", "ground_truth_more.jsonl", "ground_truth_more_chinese.jsonl")
    ours = [row.query for name in files for row in load_rows(test_data / name)]
    assert [text for text in ours if read_question(text).statement != text] == []
    described = {
        re.sub(r"\s+", " ", row.query).strip().rstrip(".!?,; ")
        for row in load_rows(test_data / "annotations" / "charades_sta_test.txt")
    }
    changed = [text for text in described if read_question(text).statement != text]
    assert len(changed) <= 0.002 * len(described)


def test_questions_made_of_real_descriptions_come_back(test_data):
    """`person opens the door` -> `when does the person open the door?` -> `the person opens the
    door`, for the annotations in that form.
    """
    tried = wrong = 0
    for row in load_rows(test_data / "annotations" / "charades_sta_test.txt"):
        match = re.fullmatch(r"(?:the |a )?person (\w+[^s])(e?s) (the [\w ]+)\.?", row.query)
        base = match and (
            match[1] if third_person(match[1]) == match[1] + match[2] else match[1] + "e"
        )
        if not match or not base or third_person(base) != match[1] + match[2]:
            continue
        tried += 1
        wrong += (
            read_question(f"When does the person {base} {match[3]}?").statement
            != f"the person {match[1]}{match[2]} {match[3]}"
        )
    assert tried > 300
    assert wrong <= 0.03 * tried


@pytest.mark.parametrize(
    "unit",
    ["a dog runs and then ", "when does a dog bark? ", '"dog" ', "狗跑，然后", "x", "not ", "'s '"],
)
def test_a_document_is_read_as_a_question_of_bounded_length(unit: str):
    statements = read_question(unit * 20_000).statements
    assert 1 <= len(statements) <= MOST_STATEMENTS
    assert all(len(statement.text) <= LONGEST for statement in statements)
