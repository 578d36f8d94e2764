import pytest

from indexer.search.evidence.readable import is_readable


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("EXIT", 0.8),
        ("EXIT 42", None),
        ("4711", 0.9),
        ("12:45", 0.9),
        ("100% off", 0.9),
        ("BBC", 0.95),
        ("出口", 0.8),
        ("出口 A", 0.8),
        ("Привет", 0.8),
        ("नमस्ते", 0.8),
        ("Überschuß", 0.8),
        ("rhythm", 0.8),
        ("Quarterly results: O'Reilly & Sons (C++)", 0.8),
    ],
)
def test_lines_that_are_text_may_answer(text, confidence):
    assert is_readable(text, confidence)


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("", 1.0),
        ("dg", 1.0),
        ("d o", 1.0),
        ("42", 1.0),
        ("口", 1.0),
        ("|-/ _ =a1b", 1.0),
        ("bcdfg", 0.8),
        ("wk rtz a", 0.8),
        ("Exit", 0.3),
    ],
)
def test_scraps_and_texture_never_answer(text, confidence):
    assert not is_readable(text, confidence)
