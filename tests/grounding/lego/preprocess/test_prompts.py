import json

import pytest

from grounding.errors import CheckpointError, PromptError
from grounding.lego.preprocess.prompts import (
    IGNORED,
    STOP,
    Turn,
    check_question,
    encode_with_labels,
    expand_markers,
    media_question,
    render,
)
from grounding.lego.preprocess.questions import when_question
from grounding.lego.preprocess.tokenizer import LegoTokenizer

DIALOGUE = [
    Turn("Human", "When does it happen?"),
    Turn("Assistant", "In {0.09,0.15}."),
    Turn("Human", "And then?"),
    Turn("Assistant", "Nothing"),
]


@pytest.fixture
def modalities(model):
    return dict(model.modalities.items())


def test_decoded_text_equals_the_public_code(tiny, tokenizer):
    for case in json.loads((tiny / "preprocess" / "prompts.json").read_text())["decode"]:
        assert tokenizer.decode(case["ids"], keep_special=True) == case["decode"]
        assert tokenizer.decode(case["ids"]) == case["decode_skip_special"]


def test_saved_tokenizer_gives_the_same_ids(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    text = render(
        [Turn("Human", "<vi_start><vi_patch><vi_end>\nA dog, and 你好."), Turn("Assistant", None)]
    )
    assert LegoTokenizer(tmp_path).encode(text) == tokenizer.encode(text)


def test_folder_without_a_tokenizer(tmp_path):
    with pytest.raises(CheckpointError, match=r"tokenizer\.model"):
        LegoTokenizer(tmp_path)


def test_labels_are_the_answers_and_their_ends(tokenizer):
    ids, labels = encode_with_labels(DIALOGUE, tokenizer)
    assert len(ids) == len(labels)
    assert all(label in (IGNORED, token) for label, token in zip(labels, ids))
    answers = tokenizer.decode([token for token, label in zip(ids, labels) if label != IGNORED])
    assert answers == f"In {{0.09,0.15}}.{STOP} Nothing{STOP}"


def test_training_reads_what_asking_reads(tokenizer):
    """Up to each answer the ids are those of the question as it is asked."""
    ids, labels = encode_with_labels(DIALOGUE, tokenizer)
    for turn in (1, 3):
        asked = tokenizer.encode(render([*DIALOGUE[:turn], Turn("Assistant", None)]))
        assert ids[: len(asked)] == asked
        assert labels[len(asked) - 1] == IGNORED
        assert labels[len(asked)] == ids[len(asked)]


def test_markers_become_placeholders(modalities):
    text = expand_markers("<video>\nWhen? <sound>", modalities)
    assert (
        text == f"<vi_start>{'<vi_patch>' * 8}<vi_end>\nWhen? <so_start>{'<so_patch>' * 4}<so_end>"
    )


def test_media_stand_in_the_published_order(modalities):
    text = media_question("Which?", ["image", "sound"], modalities)
    assert text.startswith("<so_start>")
    assert "<so_end>\n<im_start>" in text
    assert text.endswith("<im_end>\nWhich?")


@pytest.mark.parametrize(
    "words", ["what ### is", "a <vi_patch> b", "the <video>", "</s>", "<unk> x", "  "]
)
def test_question_that_would_break_the_prompt(words, tokenizer, modalities):
    with pytest.raises(PromptError):
        check_question(words, tokenizer, modalities)


@pytest.mark.parametrize("words", ["a # b", "x < y > z", "[0.1, 0.2]", "{0.1,0.2}", "你好?"])
def test_other_signs_are_fine_in_a_question(words, tokenizer, modalities):
    assert check_question(f" {words} ", tokenizer, modalities) == words


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("the dog turns around.", "Please give me the timestamp when the dog turns around?"),
        ("When does the dog use its paws?", "When does the dog use its paws?"),
        (
            "Please give me the timestamp when it rains",
            "Please give me the timestamp when it rains",
        ),
    ],
)
def test_statement_becomes_a_question(words, asked):
    assert when_question(words) == asked
