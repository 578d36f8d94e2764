import json
from pathlib import Path

import pytest

from grounding.datasets.questions import FIELDS, NEEDED, QuestionBank, stable_hash
from grounding.datasets.tasks import RENDERERS, as_sentence, as_statement, tidy
from grounding.errors import DataError
from grounding.lego.preprocess import questions
from grounding.records.record import MARKERS

BANK = QuestionBank.load()


def test_every_task_has_many_wordings():
    assert set(BANK.questions) == set(FIELDS) == set(RENDERERS)
    assert all(len(set(BANK.questions[task])) == len(BANK.questions[task]) for task in FIELDS)
    assert min(len(BANK.questions[task]) for task in FIELDS if task != "exchange") >= 20


def test_the_questions_that_inference_asks_are_among_them():
    assert questions.WHEN.format("$query") in BANK.questions["moment"]
    assert questions.WHERE.format("$phrase") in BANK.questions["locate"]
    assert questions.WHERE_SOUND in BANK.questions["locate_sound"]
    assert questions.EVENTS in BANK.questions["events"]
    assert questions.DESCRIBE["image"] in BANK.questions["grounded_caption"]
    assert questions.DESCRIBE["video"] in BANK.questions["describe_video"]
    assert questions.DESCRIBE["sound"] in BANK.questions["describe_sound"]


def test_no_wording_contains_what_structures_a_prompt():
    for wordings in (*BANK.questions.values(), *BANK.answers.values()):
        assert not any(
            mark in wording for wording in wordings for mark in ("###", *MARKERS.values())
        )


def test_a_row_gets_the_same_words_again_and_another_row_others():
    fields = {"query": "the dog jumps", "Query": "The dog jumps", "spans": "{0.1,0.2}"}
    asked = [BANK.ask("moment", fields, 1, f"row {i}") for i in range(200)]
    assert asked == [BANK.ask("moment", fields, 1, f"row {i}") for i in range(200)]
    assert {question for question, _ in asked} == {
        question.replace("$query", "the dog jumps") for question in BANK.questions["moment"]
    }


def test_the_hash_is_the_same_on_every_machine():
    assert stable_hash(0, "a", 1) == 11280495912935422354
    assert stable_hash(0, "a") != stable_hash(1, "a")
    assert stable_hash(0, "ab", "c") != stable_hash(0, "a", "bc")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"moment": {"questions": ["When?"], "answers": ["$spans"]}},
            r"'When\?' of moment lacks the field \$query",
        ),
        (
            {"moment": {"questions": ["When $query?"], "answers": ["Now."]}},
            r"'Now.' of moment lacks the field \$spans",
        ),
        ({"moment": {"questions": ["When $query $cost?"], "answers": ["$spans"]}}, "unknown: cost"),
        ({"moment": {"questions": ["When $query for 5 $?"], "answers": ["$spans"]}}, r"a lone \$"),
        ({"moment": {"questions": [], "answers": ["$spans"]}}, "moment has no question"),
        ({"moment": {"questions": ["When $query?"]}}, "is not a bank of questions"),
        ({"moment": {"questions": [3], "answers": ["$spans"]}}, "is not a text"),
        ({"dance": {"questions": ["a"], "answers": ["b"]}}, "task 'dance' is unknown"),
        ([], "is not a bank of questions"),
    ],
)
def test_a_bank_that_is_wrong_says_where(tmp_path: Path, change: object, message: str):
    (tmp_path / "bank.json").write_text(json.dumps(change))
    if change == []:
        (tmp_path / "bank.json").write_text("{")
    with pytest.raises(DataError, match=message):
        QuestionBank.load(tmp_path / "bank.json")


def test_every_needed_field_is_a_field():
    for task, needed in NEEDED.items():
        assert all(not name or name in known for name, known in zip(needed, FIELDS[task]))


@pytest.mark.parametrize(
    ("text", "statement", "sentence"),
    [
        ("The dog  jumps.", "the dog jumps", "The dog jumps."),
        ("TV is on", "TV is on", "TV is on."),
        ("a", "a", "A."),
        ("Is it?", "is it", "Is it?"),
        (" person opens a door . ", "person opens a door", "Person opens a door ."),
    ],
)
def test_words_fit_into_sentences(text: str, statement: str, sentence: str):
    assert (as_statement(text), as_sentence(text)) == (statement, sentence)


def test_tidy():
    assert tidy("a  dog , a cat . And so on ...") == "a dog, a cat. And so on ..."
    assert (
        tidy("The dog jumps.. Then [0.1, 0.2, 0.3, 0.4] .")
        == "The dog jumps. Then [0.1, 0.2, 0.3, 0.4]."
    )
