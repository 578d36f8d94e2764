import numpy as np
import pytest

from indexer.passages.screen.text_presence import edges, has_writing, same_writing
from tests.indexer.passages.pictures import film, moving, plain, write


def picture(text: str, size: int = 28, fill: str = "white", x: float = 60) -> np.ndarray:
    return film(1, lambda c, s: write(c, text, x, 200, size, fill=fill)).images[0]


@pytest.mark.parametrize("size", [14, 20, 28, 48])
def test_writing_is_seen(size: int):
    assert has_writing(edges(picture("Revenue grew by twelve percent", size)))


def test_faint_writing_is_seen():
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(np.full((480, 854, 3), 40, np.uint8))
    ImageDraw.Draw(image).text(
        (60, 200),
        "Revenue grew by twelve percent",
        font=ImageFont.load_default(20),
        fill=(80, 80, 80),
    )
    assert has_writing(edges(np.asarray(image)))


def test_smooth_pictures_hold_none():
    assert not has_writing(edges(plain(0)))
    assert not has_writing(edges(np.zeros((480, 854, 3), np.uint8)))


def test_the_same_writing_is_known_again_and_other_writing_is_not():
    text = edges(picture("The harbour at seven"))
    grain = np.random.default_rng(1).normal(0, 3, (480, 854, 3))
    noisy = np.clip(picture("The harbour at seven") + grain, 0, 255).astype(np.uint8)
    assert same_writing(edges(noisy), text)
    assert not same_writing(edges(picture("Two fishermen wait")), text)
    assert not same_writing(edges(plain(0)), text)
    assert not same_writing(edges(picture("The harbour at seven", x=90)), text)
    assert not same_writing(text[:100], text)


def test_pictures_that_move_are_not_the_same():
    frames = film(2, lambda c, s: write(c, "The harbour", 60 + 40 * s, 200), moving).images
    assert not same_writing(edges(frames[0]), edges(frames[1]))
