"""Pictures that strangers send to search with."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from indexer.errors import MediaError
from indexer.media.decode.reader_process import small_picture_in_process
from indexer.media.decode.still import FORMATS, MAX_PIXELS, small_picture


def written(picture: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def read(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png), formats=["PNG"])


@pytest.mark.parametrize("kind", FORMATS)
def test_each_named_format_is_read(kind):
    picture = Image.new("RGB", (900, 300), (200, 30, 30))
    small = read(small_picture_in_process(written(picture, kind), 300))
    assert (small.size, small.mode) == ((300, 100), "RGB")
    assert np.abs(np.asarray(small).mean((0, 1)) - (200, 30, 30)).max() < 12


@pytest.mark.parametrize("kind", ["TIFF", "PPM", "TGA", "PCX", "EPS", "ICO"])
def test_other_formats_are_refused(kind):
    data = written(Image.new("RGB", (64, 64), "red"), kind)
    with pytest.raises(MediaError, match="cannot be read") as failed:
        small_picture_in_process(data, 64)
    assert "JPEG, PNG" in failed.value.hint


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_pictures_are_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = written(Image.new("RGB", (80, 40), "blue"), "JPEG", exif=exif)
    assert read(small_picture(data, 80)).size == ((40, 80) if orientation == 6 else (80, 40))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16", "LA"])
def test_all_kinds_of_pixels_become_rgb(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert read(small_picture(written(Image.new(mode, (20, 10)), kind), 640)).mode == "RGB"


def test_more_than_25_megapixels_are_refused_before_they_are_decoded():
    assert MAX_PIXELS == 25_000_000
    header = struct.pack(">IIBBBBB", 5001, 5000, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    with pytest.raises(MediaError, match="5001 x 5000") as failed:
        small_picture_in_process(bomb, 640)
    assert "25 megapixels" in failed.value.hint


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0" + b"\0" * 100,
        b"GIF89a" + b"\xff" * 50,
        written(Image.new("RGB", (300, 300), "red"), "PNG")[:200],
        written(Image.effect_noise((300, 300), 80), "JPEG")[:2000],
    ],
)
def test_what_is_no_whole_picture_is_an_error(data):
    with pytest.raises(MediaError, match="cannot be read"):
        small_picture_in_process(data, 64)
