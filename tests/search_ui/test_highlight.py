"""Which words of a text are highlighted."""

from search_ui.highlight import highlight


def test_words_of_the_question_are_highlighted():
    assert highlight("The dog jumps over a fence", "dogs jump") == [
        ("The ", False),
        ("dog", True),
        (" ", False),
        ("jumps", True),
        (" over a fence", False),
    ]
    assert highlight("他在公园滑滑板", "滑板") == [("他在公园滑", False), ("滑板", True)]
    assert highlight("no match here", "zebra") == [("no match here", False)]
    assert highlight("<b>cat</b>", "cat") == [("<b>", False), ("cat", True), ("</b>", False)]
    long = highlight("x " * 500 + "cat", "cat")
    assert ("cat", True) in long
    assert sum(len(piece) for piece, _ in long) < 300
