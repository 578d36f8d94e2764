import pytest

from grounding.spans import Span
from indexer.passages.screen.dedupe import ReadLine, alike, merge_repeats

ROWS = (400.0, 430.0)


def line(
    start_s: float,
    end_s: float,
    text: str,
    confidence: float = 0.9,
    rows: tuple[float, float] = ROWS,
) -> ReadLine:
    return ReadLine(Span(start_s, end_s), text, confidence, rows)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Harbour master", "Harbour rnaster", True),
        ("Harbour master", "HARBOURMASTER", True),
        ("Step 1", "Step 2", False),
        ("Lap 10 of 12", "Lap 10 of l2", False),
        ("Where are you", "Down at the harbour", False),
    ],
)
def test_near_duplicates(a: str, b: str, expected: bool):
    assert alike(a, b) is expected


def test_the_better_reading_wins_and_the_span_covers_both():
    merged = merge_repeats([line(0, 3, "Harbour rnaster", 0.8), line(4, 6, "Harbour master", 0.97)])
    assert merged == [line(0, 6, "Harbour master", 0.97)]


def test_a_line_that_comes_back_later_is_another_one():
    lines = [line(0, 3, "Breaking news"), line(20, 25, "Breaking news")]
    assert merge_repeats(lines) == lines


def test_pieces_of_running_text_become_one():
    merged = merge_repeats(
        [
            line(0, 1, "Storm warning for the nor"),
            line(1, 2, "g for the northern coast"),
            line(2, 3, "ern coast: ferries stay"),
        ]
    )
    assert [m.text for m in merged] == ["Storm warning for the northern coast: ferries stay"]
    assert merged[0].span == Span(0, 3)


def test_lines_one_above_the_other_do_not_run_on():
    lines = [
        line(0, 3, "We meet at the harbour", rows=(100, 130)),
        line(0, 3, "the harbour is closed", rows=(140, 170)),
    ]
    assert merge_repeats(lines) == lines
