import io
import json
import random

import ijson
import pytest

from grounding.records import finite_json
from grounding.records.finite_json import FiniteJson


def through(text: str) -> str:
    return FiniteJson(io.BytesIO(text.encode())).read().decode()


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("[NaN, -Infinity,Infinity]", "[null, null,null]"),
        ("NaN", "null"),
        (f"[{'7' * 308}, {'7' * 400}, -{'7' * 400}.5e-3]", f"[{'7' * 308}, null, null]"),
        (
            '{"NaN": "Infinity \\" NaN \\\\", "a": NaN}',
            '{"NaN": "Infinity \\" NaN \\\\", "a": null}',
        ),
        ("[1.5e-3, true, false, null, {}]", "[1.5e-3, true, false, null, {}]"),
        ("", ""),
        ('["cut off \\', '["cut off \\'),
    ],
)
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1 << 20])
def test_only_what_is_no_finite_number_becomes_null(
    text: str, becomes: str, piece: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(finite_json, "_PIECE_BYTES", piece)
    assert through(text) == becomes


@pytest.mark.parametrize("piece", [1, 5, 64])
def test_rows_are_those_that_python_wrote(piece: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(finite_json, "_PIECE_BYTES", piece)
    draw = random.Random(piece)
    words = ["NaN", '"', "\\", "Infinity", "\n", "\u00e9", "-", "]"]
    rows = [
        {
            "text": "".join(draw.choices(words, k=draw.randrange(9))),
            "x": draw.choice([float("nan"), 0.5, -3]),
        }
        for _ in range(60)
    ]
    written = json.dumps(rows, ensure_ascii=False)
    expected = [{**row, "x": None if row["x"] != row["x"] else row["x"]} for row in rows]
    assert (
        list(ijson.items(FiniteJson(io.BytesIO(written.encode())), "item", use_float=True))
        == expected
    )
