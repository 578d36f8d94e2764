"""Rows become prompts of inference with labels on answers; rows that are no use are counted and
stop nothing.
"""

import json
import shutil

import numpy as np
import pytest
import torch

from grounding.errors import TrainingError
from grounding.lego.checkpoint.load import load_model
from grounding.lego.grounder import load_grounder
from grounding.lego.preprocess.image import ImageTransform
from grounding.lego.preprocess.tokenizer import LegoTokenizer
from grounding.records.record import read_records
from grounding.records.skips import SkipRow, Tally
from grounding.training.examples import Reader, check_answer
from grounding.training.rows import EpochSampler, Rows, collate, rows_of_epoch
from grounding.training.settings import Source
from grounding.training.stage import run_stage
from tests.grounding.training.conftest import START


@pytest.fixture(scope="module")
def reader():
    model = load_model(START, dtype=torch.float32, clip_folder=START.parent / "clip_tower")
    return Reader(
        {name: model.modality(name) for name in model.modalities},
        LegoTokenizer(START),
        ImageTransform(56),
        500,
    )


def row(question, answer, **media):
    return {
        "id": "row",
        **media,
        "conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}],
    }


def test_prompt_of_training_is_that_of_inference(reader, drawn):
    grounder = load_grounder(START, dtype="float32", clip_folder=START.parent / "clip_tower")
    prompts = []
    grounder.generator = type(
        "Seen", (), {"generate": lambda self, asked: prompts.extend(asked) or []}
    )()
    for record in read_records(drawn / "stage2.jsonl"):
        example = reader.example(record, drawn)
        fake = {
            name: grounder.model.encode(name, [reader.read(name, path)])[0]
            for name, path in example.media.items()
        }
        prompts.clear()
        grounder.ask_all([(record.question, fake)])
        first = next(i for i, label in enumerate(example.labels) if label != -100)
        assert example.ids[:first] == prompts[0].ids


def test_labels_are_the_answers_and_their_stops(reader, drawn):
    for record in read_records(drawn / "stage3.jsonl"):
        example = reader.example(record, drawn)
        assert all(label in (-100, id_) for label, id_ in zip(example.labels, example.ids))
        text = reader.tokenizer.decode([label for label in example.labels if label != -100])
        assert text.replace(" ", "") == "".join(
            f"{message.text}###" for message in record.messages[1::2]
        ).replace(" ", "")


@pytest.mark.parametrize(
    "answer",
    [
        "in {0.5,0.2}",
        "{0.1,1.2}",
        "{soon}",
        "{0.1}",
        "[0.1, 0.2, 0.05, 0.4]",
        "[0.1, 0.2, 0.3]",
        "[10, 20, 30, 40]",
    ],
)
def test_answers_of_nonsense(answer):
    with pytest.raises(SkipRow, match="with a broken"):
        check_answer(answer)


@pytest.mark.parametrize(
    "answer", ["The dog jumps in {0.09, 0.15}.", "a dog [0.1, 0.2, 0.3, 0.40] and [sic]", "No."]
)
def test_answers_that_hold(answer):
    check_answer(answer)


def test_bad_rows_are_counted_with_their_reasons(reader, drawn, records_of):
    good = json.loads((drawn / "stage2.jsonl").read_text().splitlines()[0])
    rows = [
        good,
        "{broken",
        row("<image>\nWhat?", "A dog.", image="none.png"),
        row("<video>\nWhen?", "in {0.9,0.1}", video=good["video"]),
    ]
    rows += [
        '{"id": "deep", "x": ' + "[" * 3000 + "]" * 3000 + "}",
        row("<video>\nWhat?", "A \ud800.", video=good["video"]),
    ]
    rows += [
        row("<video>\nWhat?", "word " * 600, video=good["video"]),
        row("<image>\nWhat?", "", image="x.png"),
        [1],
    ]
    tally = Tally()
    made = Rows([Source(records_of(rows), media=drawn)], reader, None, tally, 0)
    assert len(made) == 1
    assert tally.counts == {
        "not JSON": 2,
        "half a character": 1,
        "missing file": 1,
        "answer with a broken span": 1,
        "too long": 1,
        "empty turn": 1,
        "not a record": 1,
    }


def test_a_corrupt_file_gives_its_place_to_the_next_row_and_is_counted(
    planned, drawn, tmp_path, records_of
):
    lines = [json.loads(line) for line in (drawn / "stage1.jsonl").read_text().splitlines()]
    pictures = [line for line in lines if "image" in line][:4]
    for line in pictures:
        (tmp_path / line["image"]).parent.mkdir(exist_ok=True)
        shutil.copy(drawn / line["image"], tmp_path / line["image"])
    (tmp_path / pictures[1]["image"]).write_bytes((drawn / pictures[1]["image"]).read_bytes()[:90])
    folder = run_stage(planned(1, sources=[Source(records_of(pictures))], max_steps=4))
    skipped = json.loads((folder.parent / "skipped.json").read_text())
    assert skipped["counts"] == {"corrupt image": 1}  # however often its turn came
    assert pictures[1]["id"] in skipped["samples"]["corrupt image"][0]


def test_a_run_without_a_usable_row_says_why(planned, records_of):
    with pytest.raises(TrainingError, match=r"holds no usable row: \{'missing file': 1\}"):
        run_stage(
            planned(
                1, sources=[Source(records_of([row("<image>\nWhat?", "A dog.", image="none.png")]))]
            )
        )


def test_all_files_unreadable_ends_the_run(planned, drawn, tmp_path, records_of):
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(TrainingError, match="rows one after another cannot be read"):
        run_stage(
            planned(
                1,
                sources=[Source(records_of([row("<image>\nWhat?", "A dog.", image="x.png")] * 2))],
            )
        )


def test_weights_of_a_mixture(reader, drawn):
    tally = Tally()
    rows = Rows(
        [Source(drawn / "stage2.jsonl", 2.5), Source(drawn / "stage1.jsonl", 0.5)],
        reader,
        None,
        tally,
        0,
    )
    assert len(rows) == 2 * 18 + 9 + 9
    assert len({rows[i].example.ids for i in range(45)}) == 18
    assert rows_of_epoch(10, 0.001, np.random.default_rng(0)) != []


def test_batches_hold_rows_of_like_length(reader, drawn):
    rows = Rows([Source(drawn / "stage2.jsonl", 4)], reader, None, Tally(), 0)

    def spread(grouped):
        order = list(EpochSampler(rows.lengths, 4, 0, grouped))
        assert sorted(order) == list(range(len(rows)))
        parts = [order[i : i + 4] for i in range(0, len(order), 4)]
        return sum(
            max(rows.lengths[i] for i in part) - min(rows.lengths[i] for i in part)
            for part in parts
        )

    assert spread(grouped=True) < 0.5 * spread(grouped=False)


def test_order_depends_on_seed_and_epoch_alone():
    order = EpochSampler(range(50), 4, 1, True)
    first = list(order)
    order.set_epoch(1)
    assert list(order) != first
    order.set_epoch(0)
    assert list(order) == first


def test_items_are_padded_on_the_right(reader, drawn):
    rows = Rows([Source(drawn / "stage2.jsonl")], reader, None, Tally(), 0)
    batch = collate([rows[0], rows[1]])
    assert batch["input_ids"].shape == batch["labels"].shape == batch["attention_mask"].shape
    assert batch["attention_mask"].sum(dim=1).tolist() == [len(rows[i].example.ids) for i in (0, 1)]
