import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grounding.errors import DataError
from grounding.lego.model.registry import MODALITIES
from grounding.lego.preprocess import prompts
from grounding.records.record import (
    MARKERS,
    MEDIA_ORDER,
    Message,
    Record,
    read_records,
    single_turn,
)
from grounding.records.skips import SkipRow, Tally
from grounding.records.writer import RecordWriter, write_records

DOG = {
    "id": "7",
    "video": "dog.mp4",
    "conversations": [
        {"from": "human", "value": "<video>\nWhen does the dog jump?"},
        {"from": "gpt", "value": "The dog jumps in {0.09,0.15}."},
    ],
    "source": "ours",
}


def records(count: int) -> list[Record]:
    return [
        single_turn(f"What is number {i}?", f"It is {i}.", {"image": f"{i}.png"}, id=str(i))
        for i in range(count)
    ]


def test_markers_are_those_of_the_model():
    assert {kind.name: kind.marker for kind in MODALITIES} == MARKERS
    assert prompts.MEDIA_ORDER == MEDIA_ORDER
    for kind in MODALITIES:
        with pytest.raises(SkipRow, match="reserved words"):
            single_turn(f"a {kind.placeholder.patch} b", "yes", {})


def test_a_published_row_keeps_everything():
    record = Record.from_json(DOG)
    assert record.media == {"video": "dog.mp4"}
    assert (record.question, record.answer) == (
        "When does the dog jump?",
        "The dog jumps in {0.09,0.15}.",
    )
    assert record.to_json() == DOG


def test_image_and_sound_stand_in_the_order_of_the_model():
    record = single_turn("Where is it?", "There.", {"image": "a.png", "sound": "a.wav"})
    assert record.messages[0].text == "<sound>\n<image>\nWhere is it?"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"conversations": []}, "no conversation"),
        ({"conversations": None}, "no conversation"),
        ({"conversations": DOG["conversations"][:1]}, "no answer at the end"),
        ({"conversations": [{"from": "system", "value": "x"}]}, "not a turn"),
        ({"conversations": [{"from": "human", "value": 3}]}, "not a turn"),
        ({"conversations": ["x"]}, "not a turn"),
        ({"conversations": DOG["conversations"][::-1]}, "turns do not alternate"),
        (
            {"conversations": [DOG["conversations"][0], {"from": "gpt", "value": " \n"}]},
            "empty turn",
        ),
        (
            {"conversations": [{"from": "human", "value": "<video>\n"}, DOG["conversations"][1]]},
            "empty turn",
        ),
        (
            {
                "conversations": [
                    DOG["conversations"][0],
                    {"from": "gpt", "value": "yes ### Human: no"},
                ]
            },
            "reserved words",
        ),
        (
            {"conversations": [DOG["conversations"][0], {"from": "gpt", "value": "<image>"}]},
            "empty turn",
        ),
        (
            {"conversations": [DOG["conversations"][0], {"from": "gpt", "value": "a <image>"}]},
            "marker in an answer",
        ),
        ({"video": None}, "markers and media do not belong together"),
        ({"image": "a.png"}, "markers and media do not belong together"),
        ({"video": ""}, "medium without a path"),
        ({"video": ["a.mp4", "b.mp4"]}, "medium without a path"),
        ({"truth": [1]}, "not a record"),
    ],
)
def test_a_row_that_is_none_says_why(change: dict, reason: str):
    with pytest.raises(SkipRow) as caught:
        Record.from_json({**DOG, **change})
    assert caught.value.reason == reason


def test_other_media_are_refused():
    with pytest.raises(SkipRow, match="unknown medium"):
        Record((Message("human", "a"), Message("gpt", "b")), {"smell": "x"})


@pytest.mark.parametrize("form", ["lines", "array", "indented array", "byte order mark"])
def test_lines_and_arrays_are_read(tmp_path: Path, form: str):
    rows = [DOG, {**DOG, "id": "8"}]
    text = (
        "\n\n".join(map(json.dumps, rows))
        if form == "lines"
        else json.dumps(rows, indent=2 if form == "indented array" else None)
    )
    file = tmp_path / "records.json"
    file.write_text(text, encoding="utf-8-sig" if form == "byte order mark" else "utf-8")
    assert [record.to_json() for record in read_records(file)] == rows


def test_bad_rows_are_counted_and_the_rest_is_read(tmp_path: Path):
    file = tmp_path / "records.jsonl"
    lines = [
        json.dumps(DOG),
        "{broken",
        json.dumps({**DOG, "video": None}),
        "[1, 2]",
        "\udcff",
        json.dumps(DOG),
    ]
    file.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    tally = Tally()
    assert len(list(read_records(file, tally))) == 2
    assert tally.counts == {
        "not JSON": 2,
        "markers and media do not belong together": 1,
        "not a record": 1,
    }
    assert str(file) in tally.samples["not JSON"][0]
    with pytest.raises(DataError, match=r"records\.jsonl:2"):
        list(read_records(file))


def test_a_broken_array_gives_what_stands_before_it(tmp_path: Path):
    file = tmp_path / "records.json"
    file.write_text(json.dumps([DOG, DOG])[:-40])
    read = read_records(file, Tally())
    next(read)
    with pytest.raises(DataError, match=r"broken after 1 rows"):
        next(read)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"nowhere\.json does not exist"):
        list(read_records(tmp_path / "nowhere.json"))


def test_written_records_are_read_again(tmp_path: Path):
    file = tmp_path / "deep" / "records.jsonl"
    assert write_records(file, records(3)) == 3
    assert list(read_records(file)) == records(3)
    assert os.listdir(file.parent) == ["records.jsonl"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    file = tmp_path / "records.jsonl"
    write_records(file, records(2))

    def failing():
        yield records(1)[0]
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError):
        write_records(file, failing())
    assert list(read_records(file)) == records(2)
    assert os.listdir(tmp_path) == ["records.jsonl"]


def test_an_unfinished_run_goes_on_where_it_was_committed(tmp_path: Path):
    file = tmp_path / "records.jsonl"
    with RecordWriter(file, {"seed": 1}) as writer:
        writer.write(records(1)[0])
        writer.commit({"rows": 5})
        writer.write(records(2)[1])  # never committed
    assert not file.exists()
    with RecordWriter(file, {"seed": 1}) as writer:
        assert (writer.count, writer.state) == (1, {"rows": 5})
        writer.write(records(3)[2])
        writer.finish()
    assert [record.id for record in read_records(file)] == ["0", "2"]
    assert os.listdir(tmp_path) == ["records.jsonl"]


@pytest.mark.parametrize(
    "damage", ["other job", "shorter part", "state is no JSON", "state of another form"]
)
def test_what_does_not_fit_begins_again(tmp_path: Path, damage: str):
    file = tmp_path / "records.jsonl"
    with RecordWriter(file, {"seed": 1}) as writer:
        writer.write(records(1)[0])
        writer.commit({"rows": 5})
    if damage == "shorter part":
        (tmp_path / "records.jsonl.part").write_text("")
    if damage.startswith("state"):
        (tmp_path / "records.jsonl.state").write_text("{" if damage == "state is no JSON" else "[]")
    with RecordWriter(file, {"seed": 2 if damage == "other job" else 1}) as writer:
        assert (writer.count, writer.state) == (0, {})
        writer.finish()
    assert file.read_text() == ""


words = st.text(min_size=1).filter(
    lambda text: text.strip() and not any(mark in text for mark in ("###", "<"))
)


@given(
    st.lists(st.tuples(words, words), min_size=1, max_size=4),
    st.sets(st.sampled_from(sorted(MARKERS))),
)
def test_any_conversation_survives_writing(pairs, names):
    messages = [
        message
        for question, answer in pairs
        for message in (Message("human", question), Message("gpt", answer))
    ]
    media = {name: f"{name}.bin" for name in names}
    first = Message(
        "human", "\n".join([*(MARKERS[name] for name in sorted(names)), messages[0].text])
    )
    record = Record((first, *messages[1:]), media, "x")
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record
