from grounding.spans import Span
from indexer.passages.speech.language import (
    MIN_PROBABILITY,
    WINDOW_S,
    WINDOWS,
    LanguageChoice,
    SpokenLanguage,
    choose_language,
    language_windows,
    likeliest_language,
)


def test_windows_lie_far_apart_in_a_long_video():
    windows = language_windows(3600.0)
    assert len(windows) == WINDOWS
    assert all(window.length_s == WINDOW_S for window in windows)
    assert windows[0].start_s > 300
    assert windows[-1].end_s < 3300


def test_a_short_video_is_heard_whole():
    assert language_windows(8.0) == [Span(0.0, 8.0)]
    assert [window.length_s for window in language_windows(70.0)] == [30.0, 30.0]


def test_one_window_is_outvoted_by_the_others():
    heard = [{"it": 0.6, "en": 0.4}, {"it": 0.1, "en": 0.9}, {"it": 0.2, "en": 0.8}]
    spoken = likeliest_language(heard)
    assert spoken is not None
    assert (spoken.code, round(spoken.probability, 3)) == ("en", 0.7)
    assert likeliest_language([]) is None


def test_an_unsure_language_gives_way_to_that_of_the_collection():
    sure = SpokenLanguage("de", MIN_PROBABILITY)
    unsure = SpokenLanguage("it", MIN_PROBABILITY - 0.01)
    assert choose_language(sure, "fr") == LanguageChoice("de", is_sure=True)
    assert choose_language(unsure, "fr") == LanguageChoice("fr", is_sure=True, is_assumed=True)
    assert choose_language(None, "fr") == LanguageChoice("fr", is_sure=True, is_assumed=True)
    assert choose_language(unsure, "") == LanguageChoice("it", is_sure=False)
    assert choose_language(None, "") is None


def test_an_assumed_language_is_called_that():
    assert LanguageChoice("fr", is_sure=True, is_assumed=True).note == "fr (assumed)"
    assert LanguageChoice("fr", is_sure=False).note == "fr"
