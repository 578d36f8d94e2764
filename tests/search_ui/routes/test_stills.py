"""Pictures of answers: the very frame, made once, for those who may see it."""

import io

import numpy as np
import pytest
from PIL import Image

from indexer.embedders.demo import COLOURS
from indexer.questions.query_pictures import keep_picture


def colour_of(content: bytes, x: float = 0.5) -> np.ndarray:
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    return pixels[pixels.shape[0] // 2, int(pixels.shape[1] * x)].astype(int)


@pytest.mark.parametrize(("time_ms", "colour"), [(3900, "red"), (4100, "green"), (14_999, "blue")])
def test_the_frame_of_that_time(local, video_ids, time_ms, colour):
    answer = local.get(f"/still/{video_ids['traffic light.mp4']}/{time_ms}")
    assert answer.headers["content-type"] == "image/webp"
    assert np.abs(colour_of(answer.content) - COLOURS[colour]).max() < 30


def test_a_time_behind_the_end_is_the_last_frame(local, video_ids):
    answer = local.get(f"/still/{video_ids['traffic light.mp4']}/99999999")
    assert np.abs(colour_of(answer.content) - COLOURS["blue"]).max() < 30


def test_it_is_made_once(local, library, video_ids):
    video_id = video_ids["sunset.mp4"]
    local.get(f"/still/{video_id}/1234")
    made = library.find_still(video_id, 1.234)
    first_ns = made.stat().st_mtime_ns
    assert local.get(f"/still/{video_id}/1234").content == made.read_bytes()
    assert made.stat().st_mtime_ns == first_ns


def test_five_frames_side_by_side(local, video_ids):
    answer = local.get(f"/strip/{video_ids['sunset.mp4']}/0/10000")
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.size == (5 * 160 + 4 * 4, 90)
    assert np.abs(colour_of(answer.content, 0.1) - COLOURS["orange"]).max() < 30
    assert np.abs(colour_of(answer.content, 0.9) - COLOURS["purple"]).max() < 30


@pytest.mark.parametrize("span", ["5000/5000", "9000/4000", "0/999999999999"])
def test_spans_that_are_none(local, video_ids, span):
    status = local.get(f"/strip/{video_ids['sunset.mp4']}/{span}").status_code
    assert status == (200 if span.startswith("0/") else 404)


def test_only_for_those_who_see_the_video(signed, video_ids):
    for address in (f"/still/{video_ids['diary.mp4']}/0", f"/strip/{video_ids['diary.mp4']}/0/900"):
        assert signed("limited").get(address).status_code == 404
        assert signed("viewer").get(address).status_code == 200


def test_the_picture_that_was_asked_with(local, library):
    png = io.BytesIO()
    Image.new("RGB", (64, 48), COLOURS["yellow"]).save(png, "PNG")
    name = keep_picture(library.settings, png.getvalue())
    answer = local.get(f"/asked/{name}")
    assert np.abs(colour_of(answer.content) - COLOURS["yellow"]).max() == 0
    assert local.get(f"/asked/{'a' * 64}").status_code == 404
    assert local.get("/asked/..%2Fcatalog.sqlite").status_code == 404
