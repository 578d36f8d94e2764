"""Names of parts from their own words."""

from grounding.spans import Span
from indexer.catalog.passages import PassageRow
from indexer.chapters.names import LONGEST_NAME, name_parts

PARTS = [Span(0, 60), Span(60, 120), Span(120, 180)]


def passage(kind, start_s, end_s, text, confidence=0.95):
    return PassageRow(0, 1, None, kind, Span(start_s, end_s), text, "en", confidence, ())


def names(*passages):
    return [name.text for name in name_parts(PARTS, passages)]


def test_words_of_one_part_name_it():
    found = names(
        passage("speech", 5, 9, "First we knead the sourdough, and then the sourdough rests."),
        passage("speech", 20, 24, "A good sourdough needs time in the kitchen."),
        passage("speech", 70, 74, "The oven must be hot: a cold oven ruins it in any kitchen."),
        passage("speech", 90, 94, "Wait until the oven glows."),
        passage("speech", 130, 134, "Slicing is the last thing we do in the kitchen."),
        passage("speech", 150, 154, "Use a long knife for slicing."),
    )
    assert "sourdough" in found[0].lower()
    assert "oven" in found[1].lower()
    assert "slicing" in found[2].lower()
    assert not any("kitchen" in name.lower() for name in found), "it is said in every part"


def test_title_on_the_screen_comes_before_what_is_said():
    found = names(
        passage("screen", 1, 6, "THE LONG WINTER"),
        passage("speech", 5, 9, "Snow fell, and more snow fell."),
        passage("screen", 61, 66, "Harvest"),
        passage("screen", 0, 180, "Channel Seven"),
    )
    assert found == ["The long winter", "Harvest", ""], "a watermark is no title"


def test_scraps_of_writing_are_no_name():
    assert names(passage("screen", 1, 6, "SAMT"), passage("screen", 70, 80, "||/-x-1a")) == [""] * 3


def test_sound_names_what_nothing_else_does():
    found = names(
        passage("sound", 0, 180, "music"),
        passage("sound", 62, 70, "applause"),
        passage("sound", 63, 64, "dog barking"),
    )
    assert found == ["", "Applause", ""]


def test_no_two_parts_have_the_same_name():
    found = names(
        passage("sound", 10, 20, "applause"),
        passage("screen", 70, 75, "Second half begins"),
        passage("screen", 130, 135, "second half Begins!"),
    )
    assert len([name for name in found if name]) == len({name.casefold() for name in found if name})


def test_chinese_words():
    found = names(
        passage("speech", 5, 9, "我们先学习包饺子，包饺子要耐心"),
        passage("speech", 70, 74, "现在开始煮面条，面条不要太软"),
    )
    assert "饺" in found[0]
    assert "面条" in found[1] or "条" in found[1]


def test_long_lines_are_cut():
    text = "Extraordinarily " * 7 + "interesting"
    assert len(names(passage("screen", 1, 6, text))[0]) <= LONGEST_NAME


def test_lines_that_were_hardly_understood_name_nothing():
    assert names(passage("speech", 5, 9, "Crown jewels, crown jewels.", confidence=0.2)) == [""] * 3
