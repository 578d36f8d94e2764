import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.catalog.database.text_normalize import index_form, normalize

FORMS = ["NFC", "NFD", "NFKC"]
MARKS = ["\u0315\u0300", "\u0301\u0323", "\u0f73\u0f75", "\u0327\u0301\u0301", "\uff9e\u3099"]


@given(st.text(max_size=200), st.sampled_from(FORMS))
def test_texts_of_people_are_as_the_standard_says(text, form):
    marks = max(map(len, "".join("m" if unicodedata.combining(c) else " " for c in text).split()),
                default=0)  # fmt: skip
    if marks <= 25:
        assert normalize(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("marks", MARKS)
@pytest.mark.timeout(60)
def test_a_megabyte_of_marks(form, marks):
    """The standard library alone takes a quarter of an hour for it."""
    text = "a" + marks * (1_000_000 // len(marks.encode()))
    unified = normalize(form, text)
    assert unified[0] in "a\u00e1\u00e0\u1ea1\u0105"
    assert len(unified) < 200


def test_accents_are_taken_off_however_many():
    assert index_form("Zu\u0308rich e\u0301\u0301\u0301") == "Zurich e"
    assert index_form("plain") is None
