"""Text that files brought (subtitles, titles, what was recognised) is read in time that grows with
its length: a megabyte of the worst input ends long before the limit of the test.
"""

from collections.abc import Callable

import pytest

from indexer.catalog.database.text_normalize import index_form
from indexer.embedders.text.scripts import mostly_in
from indexer.embedders.text.sentences import Sentences
from indexer.media.tracks import _DESCRIBED
from indexer.passages.subtitles.side_files import language_code
from indexer.search.evidence.readable import is_readable
from indexer.search.evidence.titles import _words_of, period_of
from search_ui.highlight import highlight
from search_ui.session_state import escape_markdown

MEGABYTE = 1_000_000
LETTERS = ["a", "aA1_", "看", "あ い", "ﷺ", "\u0301\u0315", "é ", "\u0f73\u0f75"]
DATES = ["2023", "2023-", "2023-05-", "may ", "may", "in  ", "in", "年", "1999 ", " ", "19"]
MARKS = ["*", "](", " a", "\\"]
WORST: dict[str, tuple[Callable[[str], object], list[str]]] = {
    "form of the word index": (index_form, LETTERS),
    "dates": (period_of, DATES),
    "names": (_words_of, LETTERS),
    "screen text": (lambda text: is_readable(text, 0.8), LETTERS),
    "language": (Sentences.is_english, LETTERS[:3]),
    "script": (lambda text: mostly_in(text, {"LATIN"}), LETTERS[:3]),
    "language in a name": (language_code, ["-", "_", "en", "a-"]),
    "matched words": (lambda text: highlight(text, "running dogs 看狗"), [*LETTERS, "run", "dogs"]),
    "markdown": (escape_markdown, MARKS),
    "streams": (_DESCRIBED.search, ["  Stream #0:1", "  Stream #0:1: Video: a (", "(", "1"]),
}


@pytest.mark.parametrize("name", WORST)
@pytest.mark.timeout(250)
def test_a_megabyte_of_the_worst_text_is_read(name):
    """A pattern of quadratic time needs minutes or hours for one of them."""
    read, pieces = WORST[name]
    for piece in pieces:
        read(f"x{piece * (MEGABYTE // len(piece.encode()))}!")
