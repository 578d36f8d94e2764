import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grounding.spans import Span
from indexer.media.decode.reader import Reader
from indexer.passages.base import Passage
from indexer.passages.screen.ocr import SHORT_SIDE, TextModel, load_text_model
from indexer.passages.screen.screen_reader import RATE_HZ, ScreenText, read_screen, screen_key
from indexer.settings import load_settings
from tests.indexer.passages.pictures import WIDTH, bars, film, frames_of, moving, plain, write

pytest.importorskip("rapidocr", reason="the extra ocr is not installed")
NO_CUTS = np.empty(0)


@pytest.fixture(scope="module")
def model() -> TextModel:
    return load_text_model(load_settings())


def read(model: TextModel, frames, cuts_s=NO_CUTS, full_passes: int | None = None) -> list[Passage]:
    screen = ScreenText(model, Span(0, len(frames)))
    screen.feed(frames, np.asarray(cuts_s))
    if full_passes is not None:
        assert screen.full_passes <= full_passes
    return screen.finish()


def told(passages: list[Passage]) -> list[tuple[str, float, float]]:
    return [(p.text, p.start_s, p.end_s) for p in passages]


def test_a_title_holds_from_its_first_to_its_last_sighting(model: TextModel):
    frames = film(
        8, lambda c, s: write(c, "Quarterly results", 200, 180, 48) if 2 <= s <= 5 else None
    )
    passages = read(model, frames, full_passes=2)
    assert told(passages) == [("Quarterly results", 1.5, 5.5)]
    assert passages[0].kind == "screen"
    assert passages[0].words is None
    assert passages[0].confidence is not None
    assert type(passages[0].confidence) is float
    assert passages[0].confidence > 0.9


def test_a_title_that_is_cut_to_starts_at_the_cut(model: TextModel):
    frames = film(6, lambda c, s: write(c, "Chapter Two", 200, 180, 48) if 2 <= s <= 3 else None)
    assert told(read(model, frames, [1.28, 3.84])) == [("Chapter Two", 1.28, 3.84)]


def test_a_title_is_read_once_however_long_it_stays(model: TextModel):
    frames = film(30, lambda c, s: write(c, "The harbour at seven", 120, 180, 40))
    assert told(read(model, frames, full_passes=1)) == [("The harbour at seven", 0, 30)]


def test_other_text_comes_in_the_same_place_of_a_shot(model: TextModel):
    names = {2: "Speaker Alice Winter", 8: "Speaker Bruno Sommer", 14: "Speaker Clara Herbst"}
    frames = film(
        20,
        lambda c, s: [
            write(c, text, 60, 300, 30) for first, text in names.items() if first <= s < first + 4
        ],
    )
    assert [text for text, _, _ in told(read(model, frames))] == list(names.values())


def test_a_lower_third_over_moving_pictures(model: TextModel):
    def draw(canvas, second):
        if 3 <= second <= 8:
            canvas.rectangle((40, 370, 520, 450), fill=(10, 30, 80))
            write(canvas, "Maria Gonzalez", 60, 376, 32)
            write(canvas, "Harbour master", 60, 416, 24)

    passages = read(model, film(12, draw, moving))
    assert [p.text for p in passages] == ["Maria Gonzalez", "Harbour master"]
    for passage in passages:  # a shot in which nothing was found is looked at every other second
        assert 2 <= passage.start_s <= 3.5
        assert passage.end_s == 8.5


def test_subtitles_that_follow_each_other_in_one_place(model: TextModel):
    texts = (
        "Where have you been all day?",
        "I was down at the harbour.",
        "And what did you see there?",
    )
    frames = film(9, lambda c, s: write(c, texts[s // 3], 200, 420, 28), moving)
    assert told(read(model, frames)) == [
        (texts[0], 0, 2.5),
        (texts[1], 2.5, 5.5),
        (texts[2], 5.5, 9),
    ]


def test_credits_that_roll_come_once_each(model: TextModel):
    names = (
        "Directed by Anna Lind",
        "Camera Peter Holm",
        "Sound Ingrid Berg",
        "Music Olaf Strand",
        "Editing Karin Dahl",
    )
    frames = film(
        14,
        lambda c, s: [
            write(c, name, 240, 470 + 90 * n - 60 * s, 30) for n, name in enumerate(names)
        ],
    )
    passages = read(model, frames)
    assert [p.text for p in passages] == list(names)
    assert all(p.end_s - p.start_s >= 5 for p in passages)


def test_a_ticker_is_put_together(model: TextModel):
    news = "Storm warning for the northern coast: ferries stay in port until Friday morning"
    frames = film(12, lambda c, s: write(c, news, WIDTH - 160 * s, 430, 30))
    texts = [p.text for p in read(model, frames)]
    assert any("northern coast: ferries stay in port until" in text for text in texts)
    assert len(texts) <= 3


@pytest.mark.parametrize("background", [plain, moving, bars], ids=["smooth", "moving", "railings"])
def test_no_text_where_there_is_none(model: TextModel, background):
    assert (
        read(
            model,
            film(10, lambda c, s: None, background),
            full_passes=0 if background is plain else 8,
        )
        == []
    )


def test_chinese(model: TextModel):
    fonts = pytest.importorskip(
        "pylopdf_fonts_zh_cn", reason="no font with Chinese letters (pylopdf-fonts-zh-cn)"
    )
    frames = film(
        4,
        lambda c, s: write(c, "今天天气很好我们去公园", 120, 180, 40, font=str(fonts.sans_path())),
    )
    assert told(read(model, frames)) == [("今天天气很好我们去公园", 0, 4)]


def test_a_small_line(model: TextModel):
    frames = film(3, lambda c, s: write(c, "Subject to audit and approval", 60, 440, 14))
    assert [p.text for p in read(model, frames)] == ["Subject to audit and approval"]


def test_a_slide_gives_each_of_its_lines(model: TextModel):
    lines = (
        "Revenue grew by twelve percent",
        "Costs fell in all regions",
        "Outlook: cautious",
        "Questions?",
    )
    frames = film(
        3, lambda c, s: [write(c, line, 80, 60 + 90 * n, 32) for n, line in enumerate(lines)]
    )
    assert [p.text for p in read(model, frames, full_passes=1)] == list(lines)


def test_steps_with_other_words_stay_apart(model: TextModel):
    frames = film(
        6, lambda c, s: write(c, ("Step 1: add water", "Step 2: stir well")[s // 3], 200, 200, 40)
    )
    assert told(read(model, frames)) == [
        ("Step 1: add water", 0, 2.5),
        ("Step 2: stir well", 2.5, 6),
    ]


def test_a_clock_keeps_one_reading(model: TextModel):
    passages = read(model, film(8, lambda c, s: write(c, f"CAM 04  12:31:0{s}", 560, 20, 26)))
    assert len(passages) == 1
    assert passages[0].text.startswith("CAM 04")


def test_more_lines_than_can_be_read_cost_no_more(model: TextModel):
    random = np.random.default_rng(5)
    signs = [
        ["".join(random.choice(list("ABCDEFGHKLMNPRSTUVWXYZ"), 6)) for _ in range(24)]
        for _ in range(8)
    ]
    places = [(40 + 210 * (n % 4), 20 + 75 * (n // 4)) for n in range(24)]
    frames = film(
        8, lambda c, s: [write(c, text, x, y, 30) for text, (x, y) in zip(signs[s], places)]
    )
    screen = ScreenText(model, Span(0, 8))
    screen.feed(frames, np.arange(1.0, 8.0))
    passages = screen.finish()
    assert 50 <= len(passages) <= 60
    assert {p.text for p in passages} - {
        text for signs_then in signs for text in signs_then
    } == set()


def test_portions_change_nothing(model: TextModel):
    def draw(canvas, second):
        write(canvas, "Platform nine" if second < 5 else "Exit to the street", 200, 200, 36)

    frames = film(10, draw, moving)
    whole = read(model, frames)
    parts = ScreenText(model, Span(0, 10))
    for at in range(0, 10, 3):
        part = type(frames)(
            frames.images[at : at + 3], frames.times_s[at : at + 3], frames.durations_s[at : at + 3]
        )
        parts.feed(part, NO_CUTS)
    assert parts.finish() == whole
    assert [p.text for p in whole] == ["Platform nine", "Exit to the street"]


class Counting:
    """The model, with how often it was asked."""

    def __init__(self, model: TextModel) -> None:
        self.model, self.coarse_passes, self.full_passes = model, 0, 0

    def find_coarse(self, image: np.ndarray) -> np.ndarray:
        self.coarse_passes += 1
        return self.model.find_coarse(image)

    def find(self, image: np.ndarray) -> np.ndarray:
        self.full_passes += 1
        return self.model.find(image)

    def read(self, crops):
        return self.model.read(crops)


def test_pictures_that_move_cost_coarse_passes_not_full_ones(model: TextModel):
    counting = Counting(model)
    assert read(counting, film(12, lambda c, s: None, moving)) == []
    assert counting.full_passes == 0
    assert 3 <= counting.coarse_passes <= 7


class Fooled(Counting):
    """Takes the same moving texture for a line in every frame, and cannot read it."""

    def find_coarse(self, image: np.ndarray) -> np.ndarray:
        self.coarse_passes += 1
        return self._texture()

    def find(self, image: np.ndarray) -> np.ndarray:
        self.full_passes += 1
        return self._texture()

    def read(self, crops):
        return [("0O", 0.6) for _ in crops]

    @staticmethod
    def _texture() -> np.ndarray:
        return np.array([[[100, 250], [400, 250], [400, 300], [100, 300]]], np.float32)


def test_texture_that_was_taken_for_a_line_is_not_followed(model: TextModel):
    fooled = Fooled(model)
    assert read(fooled, film(16, lambda c, s: None, bars)) == []
    assert fooled.full_passes <= 2
    full_passes = fooled.full_passes
    assert read(fooled, film(16, lambda c, s: None, bars), [7.9]) == []
    assert fooled.full_passes - full_passes <= 4  # another shot is searched again


def test_a_title_that_fades_in_over_moving_pictures(model: TextModel):
    without = film(12, lambda c, s: None, moving).images
    titled = film(12, lambda c, s: write(c, "Harbour master", 60, 300, 40), moving).images
    share = np.clip((np.arange(12) - 2) / 3, 0, 1)[:, None, None, None]
    frames = frames_of([*np.uint8(without * (1 - share) + titled * share)])
    (passage,) = read(model, frames)
    assert passage.text == "Harbour master"
    assert 1.5 <= passage.start_s <= 4.5
    assert passage.end_s == 12


def test_a_line_that_stays_over_moving_pictures_is_looked_at_once(model: TextModel):
    counting = Counting(model)
    frames = film(12, lambda c, s: write(c, "Harbour master", 60, 400, 30), moving)
    assert told(read(counting, frames, [5.9])) == [("Harbour master", 0, 12)]
    assert counting.full_passes <= 2


def test_another_line_beside_one_that_stays_is_found(model: TextModel):
    def draw(canvas, second):
        write(canvas, "Harbour master", 60, 400, 30)
        if second >= 6:
            write(canvas, "Breaking news from the pier", 300, 60, 30)

    passages = read(model, film(12, draw, moving))
    assert [p.text for p in passages] == ["Harbour master", "Breaking news from the pier"]
    assert passages[1].start_s == pytest.approx(5.5, abs=1.0)


def test_a_new_line_in_the_place_of_another_begins_when_that_ends(model: TextModel):
    frames = film(
        8,
        lambda c, s: write(c, ("Anna Lind, mayor", "Olaf Berg, sailor")[s >= 5], 60, 400, 30),
        moving,
    )
    assert told(read(model, frames)) == [
        ("Anna Lind, mayor", 0, 4.5),
        ("Olaf Berg, sailor", 4.5, 8),
    ]


@pytest.mark.parametrize("size", [24, 36])
def test_a_coarse_pass_sees_a_single_line(model: TextModel, size: int):
    """Heights of the font at 720 pixels."""
    image = film(
        1, lambda c, s: write(c, "Two fishermen wait", 200, 200, size * 2 // 3), moving
    ).images[0]
    assert len(model.find_coarse(image))


def test_lines_are_where_they_are_whatever_the_size_of_the_picture(model: TextModel):
    image = film(1, lambda c, s: write(c, "The harbour at seven", 120, 180, 40)).images[0]
    large = np.asarray(Image.fromarray(image).resize((1708, 960)))
    (one,), (other,) = model.find(image), model.find(large)
    np.testing.assert_allclose(other, 2 * one, atol=8)


def test_no_pictures_no_passages(model: TextModel):
    frames = film(1, lambda c, s: None)
    empty = type(frames)(frames.images[:0], frames.times_s[:0], frames.durations_s[:0])
    assert read_screen(load_settings(), empty, NO_CUTS, Span(0, 90)) == []


def test_it_says_nothing(capfd: pytest.CaptureFixture[str], model: TextModel):
    model.find(plain(0))
    model.read([np.zeros((30, 100, 3), np.uint8)])
    assert capfd.readouterr() == ("", "")


def test_the_key_names_model_size_and_rate():
    assert screen_key(load_settings()).startswith(f"rapidocr-{SHORT_SIDE}-{RATE_HZ:g}hz")


def test_real_titles_are_read_and_real_landscapes_are_not(model: TextModel, test_data: Path):
    texts = {}
    for name in ("sintel_trailer.mp4", "zamba_chimps.mp4", "mdn_flower.mp4", "sam2_juggle.mp4"):
        seconds = {"sintel_trailer.mp4": 52.0}.get(name, 5.0)
        with Reader(test_data / "natural" / name) as reader:
            picture = reader.read(0, seconds, RATE_HZ, SHORT_SIDE)
        texts[name] = [
            p.text
            for p in read_screen(load_settings(), picture.frames, picture.cuts_s, Span(0, seconds))
        ]
    assert "SINTEL" in texts["sintel_trailer.mp4"]
    (date,) = texts["zamba_chimps.mp4"]
    assert [int(part) for part in re.findall(r"\d+", date)] == [2015, 3, 25]
    assert texts["mdn_flower.mp4"] == texts["sam2_juggle.mp4"] == []
