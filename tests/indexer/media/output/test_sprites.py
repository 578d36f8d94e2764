"""Sheets of small pictures: each tile shows its time, whatever the file is like."""

import io

import numpy as np
import pytest
from PIL import Image

from indexer.embedders.demo import COLOURS
from indexer.media.decode.reader_process import ReaderProcess
from indexer.media.output.sprites import COLUMNS, LONG_SIDE, MOST_TILES, SpriteGrid, sprite_sheet
from tests.indexer.media.golden import ffmpeg
from tests.support import colour_video

SHOTS = [("red", 3.0), ("green", 4.0), ("blue", 5.0)]


def colour_of(sheet: Image.Image, tile: int, size: tuple[int, int]) -> str:
    """Name of the colour in the middle of a tile."""
    width, height = size
    x, y = (tile % COLUMNS + 0.5) * width, (tile // COLUMNS + 0.5) * height
    pixel = np.array(sheet.getpixel((x, y)))
    return min(COLOURS, key=lambda name: np.abs(pixel - np.array(COLOURS[name])).sum())


def made(path, duration_s, size, number=0) -> Image.Image:
    with ReaderProcess(path) as reader:
        jpeg = sprite_sheet(reader, SpriteGrid(duration_s), number, size)
    return Image.open(io.BytesIO(jpeg))


def test_each_tile_shows_its_time(tmp_path):
    path = colour_video(tmp_path / "film.mp4", SHOTS, (90, 160))
    sheet = made(path, 12.0, (160, 90))
    assert sheet.size == (COLUMNS * 160, 3 * 90)
    shown = [colour_of(sheet, tile, (160, 90)) for tile in range(24)]
    assert shown == ["red"] * 6 + ["green"] * 8 + ["blue"] * 10


def test_keyframes_are_enough_where_every_tile_has_one(tmp_path):
    path = tmp_path / "keyframes.mp4"
    source = colour_video(tmp_path / "film.mp4", SHOTS, (90, 160))
    ffmpeg("-i", source, "-g", "5", "-keyint_min", "5", path)
    shown = made(path, 12.0, (160, 90))
    assert [colour_of(shown, tile, (160, 90)) for tile in (5, 6, 13, 14)] == [
        "red",
        "green",
        "green",
        "blue",
    ]


@pytest.mark.parametrize("size", [(90, 160), (16, 640), (640, 16)])
def test_tiles_are_small_whatever_the_shape(tmp_path, size):
    path = colour_video(tmp_path / "film.mp4", [("red", 1.0)], size)
    height, width = size
    sheet = made(path, 1.0, (width, height))
    assert max(sheet.width / COLUMNS, sheet.height) <= LONG_SIDE + 2


def test_a_file_that_ends_early_repeats_its_last_picture(tmp_path):
    path = colour_video(tmp_path / "film.mp4", SHOTS, (90, 160))
    assert colour_of(made(path, 40.0, (160, 90)), 79, (160, 90)) == "blue"


@pytest.mark.parametrize("duration_s", [0.04, 0.5, 12.0, 499.9, 500.0, 7200.0, 360_000.0])
def test_grid_covers_the_video_and_is_bounded(duration_s):
    grid = SpriteGrid(duration_s)
    times_s = np.concatenate([grid.times_s(sheet) for sheet in range(grid.sheets)])
    assert len(times_s) == grid.tiles <= MOST_TILES
    assert (np.diff(times_s) > 0).all()
    assert times_s[0] >= 0
    assert times_s[-1] <= duration_s
    assert times_s[-1] >= duration_s - grid.interval_s
