import numpy as np

from grounding.spans import Span
from indexer.embedders.sound.sound_classes import CLASSES, load_sound_classes
from indexer.passages.sound_events import EVENTS, find_events

STEP_S = 0.48


def events(**curves: list[float]) -> list[tuple[str, Span]]:
    """Of probabilities by class; all others are silent."""
    columns = load_sound_classes().columns
    length = max(map(len, curves.values()))
    probabilities = np.zeros((length, CLASSES), np.float32)
    for name, curve in curves.items():
        probabilities[: len(curve), columns[name]] = curve
    starts_s = 10 + STEP_S * np.arange(length)
    found = find_events(probabilities, starts_s, STEP_S, columns, on=0.5, off=0.2)
    return [(passage.text, passage.span) for passage in found]


def span(first: int, last: int) -> Span:
    return Span(10 + STEP_S * first, 10 + STEP_S * (last - 1) + STEP_S)


def test_an_event_begins_when_it_is_sure_and_ends_when_it_is_gone():
    curve = [0, 0.3, 0.6, 0.3, 0.25, 0.1, 0.4, 0.1]
    assert events(Siren=curve) == [("siren", span(1, 5))]


def test_what_is_never_sure_is_no_event():
    assert events(Siren=[0.49] * 9) == []


def test_a_short_pause_is_part_of_the_event():
    short, long = [0.9, 0.9, *[0.0] * 4, 0.9, 0.9], [0.9, 0.9, *[0.0] * 5, 0.9, 0.9]
    assert events(Siren=short) == [("siren", span(0, 8))]
    assert events(Siren=long) == [("siren", span(0, 2)), ("siren", span(7, 9))]


def test_what_one_frame_alone_hears_is_no_event():
    assert events(Siren=[0, 0.9, 0]) == []
    assert events(Siren=[0, 0.9, 0.2, 0]) == [("siren", span(1, 3))]


def test_classes_of_one_event_are_one_curve():
    first, second = [0.9, 0.9, 0, 0], [0, 0, 0.9, 0.9]
    assert events(Laughter=first, Giggle=second) == [("laughter", span(0, 4))]


def test_events_come_in_the_order_of_time():
    found = events(Applause=[0, 0.9, 0.9], Music=[0.9] * 3, Siren=[0.9, 0.9, 0])
    assert [text for text, _ in found] == ["siren", "music", "applause"]


def test_nothing_is_heard_in_nothing():
    empty = np.zeros((0, CLASSES), np.float32)
    assert find_events(empty, np.empty(0), STEP_S, load_sound_classes().columns) == []


def test_all_classes_of_the_events_exist_and_belong_to_one():
    columns = load_sound_classes().columns
    names = [name for classes in EVENTS.values() for name in classes]
    assert set(names) <= set(columns)
    assert len(names) == len(set(names))
