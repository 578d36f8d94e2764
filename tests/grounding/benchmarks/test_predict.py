"""A checkpoint with the public layout and tiny sizes answers records about real files."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from grounding.benchmarks.__main__ import main
from grounding.benchmarks.cases import pair_up
from grounding.benchmarks.predict import answer_group, ids_answered, predict, standard_question
from grounding.benchmarks.table import make_table, read_result
from grounding.errors import DataError, EvaluationError
from grounding.lego import load_grounder
from grounding.lego.grounder import Grounder
from grounding.records.record import Record, single_turn
from grounding.records.skips import Tally
from grounding.records.writer import write_records
from tests.support import colour_video

TINY = Path(__file__).parents[1] / "lego" / "fixtures" / "tiny"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    shutil.copytree(TINY / "checkpoint", folder, dirs_exist_ok=True)
    shutil.copytree(TINY / "clip_tower", folder / "clip_tower")
    shutil.copy(TINY / "module_dims.json", folder)
    return folder


@pytest.fixture(scope="module")
def grounder(checkpoint: Path) -> Grounder:
    return load_grounder(checkpoint, dtype="float32", max_new_tokens=4)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)).save(
        folder / "a.png"
    )
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    colour_video(folder / "a.mp4", [("red", 0.6), ("blue", 0.6)])
    return folder


def records() -> list[Record]:
    box = {
        "task": "locate",
        "phrase": "the dog.",
        "boxes": [[0.1, 0.2, 0.3, 0.4]],
        "size": [80, 60],
    }
    span = {"task": "moment", "query": "the dog jumps", "spans": [[0.1, 0.2]]}
    return [
        single_turn(
            "Where is the dog?", "[0.1, 0.2, 0.3, 0.4]", {"image": "a.png"}, id="i1", truth=box
        ),
        single_turn(
            "Where is the cat?",
            "[0.1, 0.2, 0.3, 0.4]",
            {"image": "a.png"},
            id="i2",
            truth={**box, "phrase": "the cat"},
        ),
        single_turn("Where?", "[0.1, 0.2, 0.3, 0.4]", {"image": "broken.png"}, id="bad", truth=box),
        single_turn("When?", "{0.1,0.2}", {"video": "gone.mp4"}, id="gone", truth=span),
        single_turn("When?", "{0.1,0.2}", {"video": "../../etc/passwd"}, id="out", truth=span),
        single_turn("When?", "{0.1,0.2}", {"video": "v" * 300 + ".mp4"}, id="long", truth=span),
        single_turn("When does it jump?", "{0.1,0.2}", {"video": "a.mp4"}, id="v1", truth=span),
    ]


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_checkpoint_answers_and_bad_media_are_skipped(
    checkpoint: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture
):
    write_records(tmp_path / "r.jsonl", records())
    arguments = [
        str(checkpoint),
        str(tmp_path / "r.jsonl"),
        "-o",
        str(tmp_path / "out" / "a.jsonl"),
        "--root",
        str(root),
    ]
    assert main(["run", *arguments, "--dtype", "float32", "--max-new-tokens", "4"]) == 1
    printed = capsys.readouterr()
    assert "3 answered, 0 were answered before" in printed.out
    for count, reason in ((1, "corrupt image"), (2, "missing file"), (1, "unsafe path")):
        assert f"{count} skipped: {reason}" in printed.out
    rows = {row["id"]: row for row in lines(tmp_path / "out" / "a.jsonl")}
    assert set(rows) == {"i1", "i2", "bad", "gone", "out", "long", "v1"}
    assert rows["gone"]["skipped"].startswith("missing file")
    assert all(isinstance(rows[name]["answer"], str) for name in ("i1", "i2", "v1"))

    cases, _ = pair_up(tmp_path / "out" / "a.jsonl", tmp_path / "r.jsonl")
    assert [case.answer is not None for case in cases] == [
        True,
        True,
        False,
        False,
        False,
        False,
        True,
    ]


def test_a_run_goes_on_and_tries_again_what_was_skipped(
    grounder: Grounder, root: Path, tmp_path: Path
):
    write_records(tmp_path / "r.jsonl", records())
    first = predict(grounder, [tmp_path / "r.jsonl"], tmp_path / "a.jsonl", root, limit=4)
    assert (first.answered, first.known) == (2, 0)
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write('{"id": "v1", "answ')  # killed while it wrote
    shutil.copy(root / "a.mp4", root / "gone.mp4")
    second = predict(grounder, [tmp_path / "r.jsonl"], tmp_path / "a.jsonl", root)
    assert (second.answered, second.known) == (2, 2)
    rows = lines(tmp_path / "a.jsonl")
    assert [row["id"] for row in rows if "answer" in row] == ["i1", "i2", "gone", "v1"]
    assert ids_answered(tmp_path / "a.jsonl") == {"i1", "i2", "gone", "v1"}


@pytest.mark.parametrize("option", ["--batch", "--limit", "--max-new-tokens"])
def test_counts_begin_at_one(option: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        main(["run", "checkpoint", "r.jsonl", "-o", "a.jsonl", option, "0"])
    assert "'0' is not a whole number from 1" in capsys.readouterr().err


def test_records_are_never_overwritten(grounder: Grounder, root: Path, tmp_path: Path):
    write_records(tmp_path / "r.jsonl", records())
    (tmp_path / "a.jsonl").write_text('{"id": "i1", "answer": "[0.1, 0.2, 0.3, 0.4]"}\n')
    before = (tmp_path / "r.jsonl").read_bytes()
    with pytest.raises(DataError, match="would be overwritten"):
        predict(grounder, [tmp_path / "r.jsonl"], tmp_path / "r.jsonl", root)
    assert (
        main(
            [
                "rec",
                str(tmp_path / "a.jsonl"),
                str(tmp_path / "r.jsonl"),
                "--json",
                str(tmp_path / "r.jsonl"),
            ]
        )
        == 1
    )
    assert (tmp_path / "r.jsonl").read_bytes() == before


def test_an_id_with_half_a_character_ends_no_run(grounder: Grounder, root: Path, tmp_path: Path):
    row = json.dumps(records()[3].to_json())  # its media are missing
    (tmp_path / "r.jsonl").write_text(row.replace('"gone"', r'"\ud800"') + "\n")
    assert predict(grounder, [tmp_path / "r.jsonl"], tmp_path / "a.jsonl", root).skipped.counts == {
        "missing file": 1
    }


@pytest.mark.parametrize(
    ("ids", "message"),
    [(("a", ""), "has no id"), (("a", "b", "a"), "has the id 'a', which another one has")],
)
def test_records_without_ids_of_their_own_are_refused_before_any_is_asked(
    grounder, root, tmp_path, ids, message
):
    write_records(
        tmp_path / "r.jsonl",
        [single_turn("Where?", "No.", {"image": "a.png"}, id=name) for name in ids],
    )
    with pytest.raises(EvaluationError, match=message):
        predict(grounder, [tmp_path / "r.jsonl"], tmp_path / "a.jsonl", root)
    assert not (tmp_path / "a.jsonl").exists() or not (tmp_path / "a.jsonl").read_bytes()


@pytest.mark.parametrize("device", ["cuda", "banana"])
def test_a_device_that_is_not_there(
    checkpoint: Path, device: str, tmp_path: Path, capsys: pytest.CaptureFixture
):
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one")
    (tmp_path / "r.jsonl").write_text("")
    assert (
        main(
            [
                "run",
                str(checkpoint),
                str(tmp_path / "r.jsonl"),
                "-o",
                str(tmp_path / "a"),
                "--device",
                device,
            ]
        )
        == 1
    )
    assert f"device '{device}' cannot be used here" in capsys.readouterr().err


def test_going_on_keeps_answers_with_odd_characters(tmp_path: Path):
    texts = ["x\u2028y", "p\x85q", "a\x0b\x1cb\rc", "fine"]
    rows = [
        json.dumps({"id": str(i), "answer": text}, ensure_ascii=False)
        for i, text in enumerate(texts)
    ]
    whole = "".join(f"{row}\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(
        whole + '{"answer": "without an id"}\n{"id": "x", "answer": null}\n' + "[" * 100_000 + "\n"
    )
    assert ids_answered(tmp_path / "a.jsonl") == {"0", "1", "2", "3"}
    assert (tmp_path / "a.jsonl").read_text() == whole


def test_answers_are_those_that_the_grounder_gives(grounder: Grounder, root: Path, tmp_path: Path):
    write_records(tmp_path / "r.jsonl", records()[:2])
    predict(grounder, [tmp_path / "r.jsonl"], tmp_path / "a.jsonl", root)
    picture = grounder.read_image(np.asarray(Image.open(root / "a.png")))
    expected = [
        grounder.ask(standard_question(record), {"image": picture.encoded}).text
        for record in records()[:2]
    ]
    assert [row["answer"] for row in lines(tmp_path / "a.jsonl")] == expected


class Failing:
    """A writer that fails for some prompts, or for more than one at a time."""

    def __init__(self, grounder: Grounder, error: Exception) -> None:
        self.inner, self.error, self.sizes = grounder.generator, error, []

    def generate(self, prompts: Sequence):
        self.sizes.append(len(prompts))
        if len(prompts) > 1:
            raise self.error
        return self.inner.generate(prompts)


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_what_does_not_fit_into_memory_together_is_asked_one_by_one(
    grounder: Grounder, root: Path, error: Exception
):
    failing = Failing(grounder, error)
    one_by_one = Grounder(grounder.model, grounder.tokenizer, grounder.image_transform, failing)
    tally = Tally()
    rows = answer_group(one_by_one, records()[:2], root, standard_question, tally)
    assert [row["id"] for row in rows if "answer" in row] == ["i1", "i2"]
    assert failing.sizes == [2, 1, 1]
    assert not tally.total()


def test_another_failure_of_the_model_is_not_hidden(grounder: Grounder, root: Path):
    failing = Failing(grounder, RuntimeError("shapes do not fit"))
    broken = Grounder(grounder.model, grounder.tokenizer, grounder.image_transform, failing)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        answer_group(broken, records()[:2], root, standard_question, Tally())


def test_a_question_that_the_model_refuses_costs_itself_only(grounder: Grounder, root: Path):
    tally = Tally()
    rows = answer_group(
        grounder,
        records()[:2],
        root,
        lambda record: "a </s> ### b" if record.id == "i1" else "Where?",
        tally,
    )
    assert tally.counts == {"the model refuses the question": 1}
    assert ["answer" in row for row in rows] == [False, True]


def test_tasks_are_asked_in_one_wording():
    first, second, *_, last = records()
    assert (
        standard_question(first)
        == "Where is the dog in this image? Include the object positions in [x0, y0, x1, y1] "
        "format."
    )
    assert "the cat" in standard_question(second)
    assert standard_question(last) == "Please give me the timestamp when the dog jumps?"
    assert (
        standard_question(
            single_turn("Is there a dog?", "yes", {"image": "a"}, truth={"task": "dialogue"})
        )
        == "Is there a dog?"
    )
    for odd in (
        {"task": "moment"},
        {"task": "locate", "phrase": 3},
        {"task": "moment", "query": None},
    ):
        assert (
            standard_question(single_turn("When is it?", "yes", {"image": "a"}, truth=odd))
            == "When is it?"
        )
    assert standard_question(single_turn("Say.", "yes", {"image": "a"})) == "Say."


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ('{"answer": "no id"}', "is not an answer"),
        ('["a"]', "is not an answer"),
        ('{"id": "x", "answer": 3}', "is not an answer"),
        (
            '{"id": "another", "answer": "a"}',
            "no answer of .* is to a record of .*, for example 'another'",
        ),
    ],
)
def test_answers_that_do_not_belong_to_the_records(
    tmp_path: Path, answers: str, message: str, capsys: pytest.CaptureFixture
):
    write_records(tmp_path / "r.jsonl", records())
    (tmp_path / "a.jsonl").write_text(answers)
    with pytest.raises(EvaluationError, match=message):
        pair_up(tmp_path / "a.jsonl", tmp_path / "r.jsonl")
    assert main(["rec", str(tmp_path / "a.jsonl"), str(tmp_path / "r.jsonl")]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_files_that_are_missing_broken_or_double(tmp_path: Path):
    write_records(tmp_path / "r.jsonl", [*records(), records()[0]])
    (tmp_path / "a.jsonl").write_text('{"id": "i1", "answer": "a"}\n{broken\n')
    with pytest.raises(EvaluationError, match="1 records whose id another one has"):
        pair_up(tmp_path / "a.jsonl", tmp_path / "r.jsonl")
    with pytest.raises(EvaluationError, match="does not exist"):
        pair_up(tmp_path / "none.jsonl", tmp_path / "r.jsonl")
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(EvaluationError, match="holds no record"):
        pair_up(tmp_path / "a.jsonl", tmp_path / "empty.jsonl")
    write_records(tmp_path / "r.jsonl", records())
    cases, skipped = pair_up(tmp_path / "a.jsonl", tmp_path / "r.jsonl")
    assert (len(cases), skipped.counts) == (7, {"not JSON": 1})


def test_one_table_beside_the_published_numbers(tmp_path: Path, capsys: pytest.CaptureFixture):
    write_records(tmp_path / "r.jsonl", records()[:2])
    (tmp_path / "a.jsonl").write_text('{"id": "i1", "answer": "[0.1, 0.2, 0.3, 0.4]"}\n')
    arguments = [
        str(tmp_path / "a.jsonl"),
        str(tmp_path / "r.jsonl"),
        "--json",
        str(tmp_path / "s.json"),
        "--name",
        "refcoco_val",
    ]
    assert main(["rec", *arguments]) == 0
    assert "2 rows, 1 missing, 0 unread" in capsys.readouterr().out
    assert main(["table", str(tmp_path / "s.json")]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[2].startswith(
        "| refcoco_val | acc@.5 | 50.00 | [0.0, 100.0] | 88.02 | 2 (1 missing) |"
    )
    assert "| not found |" in table[3]  # the mean IoU was not published
    assert "| Charades-STA test | R@1 IoU 0.5 | not run | | 29.60 | |" in table
    assert not any("| RefCOCO val |" in line for line in table)
    assert make_table([read_result(tmp_path / "s.json")]).splitlines() == table
    written = json.loads((tmp_path / "s.json").read_text())
    for odd in (
        [],
        {**written, "counts": {"rows": None}},
        {**written, "metrics": {"a": {"value": "x", "interval": None, "percent": True}}},
    ):
        (tmp_path / "s.json").write_text(json.dumps(odd))
        assert main(["table", str(tmp_path / "s.json")]) == 1
