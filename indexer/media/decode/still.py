"""Single pictures that people ask with, decoded small: in the process that can be killed."""

from __future__ import annotations

import io

from indexer.errors import MediaError

# What browsers and cameras write. Each further format is a decoder that strangers could attack.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
MAX_PIXELS = 25_000_000


def small_picture(data: bytes, side: int) -> bytes:
    """PNG of the picture, upright, RGB, its longer side at most `side`. Raises MediaError for what
    is no picture, in another format, damaged, or too large.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _check_pixels(*picture.size)
            picture.draft("RGB", (2 * side, 2 * side))  # JPEG: decoded at a fraction of its size
            picture.thumbnail((4 * side, 4 * side))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise MediaError(
            "this picture cannot be read",
            "use one of these formats: {formats}",
            formats=", ".join(FORMATS),
        ) from error
    upright.thumbnail((side, side))
    out = io.BytesIO()
    upright.save(out, "PNG")
    return out.getvalue()


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise MediaError(
            "a picture of {width} x {height} pixels is too large",
            "use one of at most {megapixels} megapixels",
            width=width,
            height=height,
            megapixels=MAX_PIXELS // 1_000_000,
        )
