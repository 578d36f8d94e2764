from pathlib import Path

import pytest

from grounding.instructions.__main__ import main

GENERATE = ["generate", "r.jsonl", "-o", "out", "--endpoint", "http://127.0.0.1:1/v1"]
GENERATE += ["--model", "m"]


def test_an_output_that_is_a_source_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture):
    source = tmp_path / "records.jsonl"
    source.write_text('{"id": 1}\n')
    store = ["--store", str(tmp_path / "store")]
    assert main(["generate", str(source), "-o", str(source), *GENERATE[4:], *store]) == 1
    assert "would be overwritten" in capsys.readouterr().err
    assert source.read_text() == '{"id": 1}\n'


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "a file").write_text("")
    (tmp_path / "r.jsonl").write_text("")
    output = str(tmp_path / "a file" / "out.jsonl")
    assert main(["generate", str(tmp_path / "r.jsonl"), "-o", output, *GENERATE[4:]]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5"])
@pytest.mark.parametrize(
    "option",
    [
        "--limit",
        "--tries",
        "--turns",
        "--concurrency",
        "--attempts",
        "--max-requests",
        "--max-tokens",
    ],
)
def test_counts_begin_at_one(option: str, number: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as caught:
        main([*GENERATE, option, number])
    assert caught.value.code == 2
    assert f"'{number}' is not a whole number from 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--per-minute", "-1"),
        ("--timeout", "0"),
        ("--timeout", "inf"),
        ("--temperature", "-0.1"),
        ("--single", "1.5"),
        ("--single", "nan"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(
    option: str, value: str, capsys: pytest.CaptureFixture
):
    with pytest.raises(SystemExit) as caught:
        main([*GENERATE, option, value])
    assert caught.value.code == 2
    assert f"argument {option}: '{value}' is not a number" in capsys.readouterr().err
