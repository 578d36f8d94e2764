import json

import pytest

from grounding.errors import DataError
from grounding.instructions.dialogues import (
    DESCRIPTIONS,
    Example,
    Exchange,
    load_examples,
    media_key,
    parse_dialogue,
    request,
)
from grounding.instructions.facts import Facts, gather, group_records
from grounding.instructions.filters import check_dialogue, fingerprint
from grounding.records.record import single_turn
from grounding.records.skips import SkipRow

DOG = (0.1, 0.2, 0.3, 0.4)
IMAGE = Facts(
    "i",
    {"image": "a.jpg"},
    ("- a dog: [0.100, 0.200, 0.300, 0.400]",),
    frozenset(),
    frozenset({DOG, (0.5, 0.5, 0.9, 0.9)}),
)
VIDEO = Facts(
    "v", {"video": "a.mp4"}, ("- {0.10,0.20} the dog jumps",), frozenset({(0.1, 0.2)}), frozenset()
)
SOUND = Facts("s", {"sound": "a.wav"}, ("- A dog barks.",), frozenset(), frozenset())


def one(
    question: str = "Where is the dog?", answer: str = "At [0.100, 0.200, 0.300, 0.400]."
) -> list[Exchange]:
    return [Exchange(question, answer)]


@pytest.mark.parametrize("media", sorted(DESCRIPTIONS))
def test_the_hand_made_examples_pass_the_filters(media: str):
    for example in load_examples()[media]:
        numbers = json.dumps(example.facts)
        spans = frozenset(_numbers(numbers, "{", "}"))
        boxes = frozenset(_numbers(numbers, "[", "]"))
        facts = Facts("x", dict.fromkeys(media.split("_"), "a"), (example.facts,), spans, boxes)
        assert check_dialogue(
            example.dialogue, facts, 4 if len(example.dialogue) > 1 else 1
        ) == list(example.dialogue)


def _numbers(text: str, opening: str, closing: str):
    for piece in text.split(opening)[1:]:
        yield tuple(map(float, piece.partition(closing)[0].split(",")))


@pytest.mark.parametrize(
    ("dialogue", "facts", "reason"),
    [
        ([], IMAGE, "number of turns"),
        (one() * 3, IMAGE, "number of turns"),
        ([*one(), Exchange("where is the Dog", "Here.")], IMAGE, "asks twice"),
        (one(answer="By the tree."), IMAGE, "no coordinates in the answers"),
        (one(answer="In the middle."), VIDEO, "no coordinates in the answers"),
        (
            one(answer="At [0.100, 0.200, 0.300, 0.444]."),
            IMAGE,
            "coordinates that the source does not have",
        ),
        (one(answer="At [64, 48, 192, 144]."), IMAGE, "coordinates that the source does not have"),
        (one(answer="At [0.100, 0.200]."), IMAGE, "malformed coordinates"),
        (one(answer="In {0.10,0.25}."), VIDEO, "coordinates that the source does not have"),
        (one(answer="In {12.5 s}."), VIDEO, "malformed coordinates"),
        (one(answer="First {0.10,0.20}, then {0.99,0.50 it ends."), VIDEO, "malformed coordinates"),
        (one(answer="In {0.10,0.20}, at [0.500, 0.600, 0.700"), VIDEO, "malformed coordinates"),
        (one(answer="In {{0.10,0.20}}."), VIDEO, "malformed coordinates"),
        (one(answer="In {0.10,0.20}}."), VIDEO, "malformed coordinates"),
        (
            one(answer="At [[0.100, 0.200, 0.300, 0.400], [0.100, 0.200, 0.300, 0.400]]."),
            IMAGE,
            "malformed coordinates",
        ),
        (one(answer="In {start,end}."), VIDEO, "malformed coordinates"),
        (
            one(answer="In {0.10,0.20}, that is from 0.10 to 0.20."),
            VIDEO,
            "coordinates without brackets",
        ),
        (one("What is at (0.100, .200)?"), IMAGE, "coordinates without brackets"),
        (
            one(answer="At [0.1, 0.2, 0.3, 0.4]."),
            SOUND,
            "coordinates that the source does not have",
        ),
        (one(question="?"), IMAGE, "empty turn"),
        (one(answer=" "), IMAGE, "empty turn"),
        (one(question="why " * 61), IMAGE, "turn too long"),
        (one(answer="so " * 201), SOUND, "turn too long"),
        (one(answer="I'm sorry, but this is hard to say."), SOUND, "refusal"),
        (one(answer="I\u2019m sorry, but this is hard to say."), SOUND, "refusal"),
        (one(answer="I can\u2019t hear it."), SOUND, "refusal"),
        (one(answer="As an AI I have no ears."), SOUND, "refusal"),
        (one(answer="I cannot see the image."), SOUND, "refusal"),
        (one(answer="According to the caption a dog barks."), SOUND, "talks about its source"),
        (
            one(question="What do the notes say?", answer="A dog barks."),
            SOUND,
            "talks about its source",
        ),
        (one(answer="The provided coordinates are in a corner."), SOUND, "talks about its source"),
    ],
)
def test_what_a_model_must_not_learn(dialogue: list[Exchange], facts: Facts, reason: str):
    with pytest.raises(SkipRow) as caught:
        check_dialogue(dialogue, facts, 1 if len(dialogue) == 1 else 2)
    assert caught.value.reason == reason


def test_several_turns_that_were_asked_for_are_at_least_two():
    assert check_dialogue(one(), IMAGE, 1) == one()
    with pytest.raises(SkipRow, match="number of turns: 1 instead of 2 to 4"):
        check_dialogue(one(), IMAGE, 4)


def test_coordinates_are_written_as_the_source_has_them():
    checked = check_dialogue(one(answer="At [.1,0.2, 0.3 ,0.4001]."), IMAGE, 1)
    assert checked[0].answer == "At [0.100, 0.200, 0.300, 0.400]."
    checked = check_dialogue(one("When?", "In { 0.1, 0.205 }."), VIDEO, 1)
    assert checked[0].answer == "In {0.10,0.20}."
    assert check_dialogue(one("What?", "A bark [sic]."), SOUND, 1)[0].answer == "A bark [sic]."


def test_talk_about_pictures_is_no_talk_about_the_source():
    dialogue = one(
        "Is there writing on it?", "Yes, notes of music, and a caption below the drawing."
    )
    assert check_dialogue(dialogue, SOUND, 1) == dialogue


@pytest.mark.parametrize(
    "text",
    [
        '[{"question": "Who?", "answer": "A dog."}]',
        '```json\n[{"question": "Who?", "answer": "A dog."}]\n```',
        'Here you are [as asked]: [{"question": "Who?", "answer": "A\\n dog."}] Enjoy!',
        '[1] [{"question": "Who?", "answer": "A dog.", "note": 1}]',
    ],
)
def test_a_dialogue_is_found_in_what_stands_around_it(text: str):
    assert parse_dialogue(text) == [Exchange("Who?", "A dog.")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Q: Who? A: A dog.",
        "[]",
        '[{"question": "Who?"}]',
        '[{"question": 1, "answer": 2}]',
        "[" * 1_000_000,
        '["a"]',
    ],
)
def test_no_dialogue(text: str):
    with pytest.raises(SkipRow, match="no dialogue in the answer"):
        parse_dialogue(text)


def test_fingerprints_do_not_see_marks_and_cases():
    assert fingerprint(one("Where is the dog?")) == fingerprint(one("where is  the Dog"))
    assert fingerprint(one(answer="At [0.1, 0.2, 0.3, 0.4].")) != fingerprint(
        one(answer="At [0.1, 0.2, 0.3, 0.5].")
    )


def test_facts_are_gathered_from_the_truth_of_all_records_about_a_file():
    media = {"video": "a.mp4"}
    jump = single_turn(
        "When?",
        "{0.1,0.2}",
        media,
        id="1",
        truth={"task": "moment", "query": "it jumps", "spans": [[0.104, 0.199]]},
    )
    runs = single_turn(
        "All?",
        "...",
        media,
        id="2",
        truth={"task": "events", "events": [[0.3, 0.5, "It runs."], [0.5, 1, "It rests."]]},
    )
    other = single_turn(
        "?",
        "A bark.",
        {"sound": "b.wav"},
        id="3",
        truth={"task": "describe_sound", "caption": "A bark."},
    )
    blank = single_turn("?", "Nothing.", {"sound": "c.wav"}, id="4")
    first, second = group_records([jump, runs, other, blank])
    assert first.lines == (
        "- {0.10,0.20} it jumps",
        "- {0.30,0.50} It runs.",
        "- {0.50,1.00} It rests.",
    )
    assert first.spans == {(0.1, 0.2), (0.3, 0.5), (0.5, 1.0)}
    assert (second.lines, second.has_coordinates) == (("- A bark.",), False)


def test_facts_leave_out_truths_of_another_form():
    odd = [
        {"spans": [[0.1, 10**400]], "query": "it jumps"},
        {"events": [[None, 1, "x"]]},
        {"boxes": [1], "phrase": "x"},
        {"boxes": 0},
    ]
    assert gather([single_turn("?", "x", {"image": "a"}, truth=truth) for truth in odd]).lines == ()


def test_facts_about_an_image_name_things_with_their_boxes():
    media = {"image": "a.jpg"}
    region = single_turn(
        "Where?", "x", media, truth={"task": "locate", "phrase": "a dog", "boxes": [list(DOG)]}
    )
    by_hand = single_turn(
        "What?",
        "A dog [0.100, 0.200, 0.300, 0.400] sits.",
        media,
        truth={"task": "grounded_caption", "mentions": [["A dog", [list(DOG)]]]},
    )
    facts = gather([region, by_hand])
    assert facts.lines[0] == "- a dog: [0.100, 0.200, 0.300, 0.400]"
    assert facts.lines[1] == "- A dog [0.100, 0.200, 0.300, 0.400] sits."
    assert facts.boxes == {DOG}


def test_a_request_shows_examples_that_are_drawn_for_its_row():
    examples = load_examples()
    messages = request(IMAGE, examples, 0, 4)
    assert [message["role"] for message in messages] == [
        "system",
        *["user", "assistant"] * 3,
        "user",
    ]
    assert messages[-1]["content"] == IMAGE.text
    assert "two to 4 questions" in messages[0]["content"]
    assert request(IMAGE, examples, 0, 4) == messages
    others = [
        request(Facts(str(i), IMAGE.media, IMAGE.lines, IMAGE.spans, IMAGE.boxes), examples, 0, 4)[
            1
        ]["content"]
        for i in range(40)
    ]
    assert set(others) == {
        example.facts for example in examples["image"] if len(example.dialogue) > 1
    }
    single = request(IMAGE, examples, 0, 1)
    assert "one question" in single[0]["content"]
    assert all(
        len(json.loads(message["content"])) == 1
        for message in single
        if message["role"] == "assistant"
    )
    singles = {
        media: [Example(one.facts, one.dialogue[:1]) for one in some]
        for media, some in examples.items()
    }
    assert len(request(IMAGE, singles, 0, 4)) == len(
        messages
    )  # none that fits: better those than none


def test_media_without_a_description_and_bad_examples_are_named(tmp_path):
    with pytest.raises(SkipRow, match="no description for these media"):
        media_key({"image": "a", "video": "b"})
    for content in ("{", "[]", "{}", '{"image": [{"facts": "a"}]}'):
        (tmp_path / "e.json").write_text(content)
        with pytest.raises(DataError, match=r"e\.json"):
            load_examples(tmp_path / "e.json")
