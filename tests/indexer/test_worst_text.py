"""Text that files brought (subtitles, titles, what was recognised) is read in time that grows with
its length: a megabyte of the worst input takes less than a second of CPU time.
"""

from collections.abc import Callable

import pytest

from indexer.catalog.database.text_normalize import index_form
from indexer.chapters.names import _WORD as NAME_WORD
from indexer.embedders.text.scripts import mostly_in
from indexer.embedders.text.sentences import Sentences
from indexer.formatting import container_title
from indexer.grounder.replies import read_spans_in_words
from indexer.media.tracks import _DESCRIBED
from indexer.messages import hide_passwords
from indexer.passages.subtitles.side_files import language_code
from indexer.search.evidence.readable import is_readable
from indexer.search.evidence.titles import _words_of, period_of
from search_ui.highlight import highlight
from search_ui.session_state import escape_markdown
from tests.support import within_cpu_s

MEGABYTE = 1_000_000
LIMIT_S = 1.0
LETTERS = ["a", "aA1_", "看", "あ い", "ﷺ", "\u0301\u0315", "é ", "\u0f73\u0f75"]
DATES = ["2023", "2023-", "2023-05-", "may ", "may", "in  ", "in", "年", "1999 ", " ", "19"]
MARKS = ["*", "](", " a", "\\"]
ADDRESSES = ["a.", "a:b:", "//", "a:b@", "@ =", "&token="]
REPLIES = ["1", "1 ", "1:", "1.", "1 - ", " ", "<think>", "<answer>", "[", "[1,", '{"a":']
TITLES = ["new ", "my new ", "encode", "encode-", "- ", "created by ", "T"]
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
    "passwords": (lambda text: hide_passwords(f"{text} @="), ADDRESSES),
    "titles of programs": (lambda text: container_title(text, "a.mp4"), TITLES),
    "replies of models": (read_spans_in_words, REPLIES),
    "words of chapters": (NAME_WORD.findall, [*LETTERS, "a-", "a'"]),
    "streams": (_DESCRIBED.search, ["  Stream #0:1", "  Stream #0:1: Video: a (", "(", "1"]),
}


@pytest.mark.parametrize("name", WORST)
def test_a_megabyte_of_the_worst_text_is_read(name):
    """A pattern of quadratic time needs minutes or hours for one of them."""
    read, pieces = WORST[name]
    read("x")  # what is loaded once is not what it takes
    for piece in pieces:
        text = f"x{piece * (MEGABYTE // len(piece.encode()))}!"
        within_cpu_s(LIMIT_S, lambda text=text: read(text))
