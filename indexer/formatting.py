"""How sizes, spans and titles are written for people, on the command line and on the page."""

from __future__ import annotations

import re
from pathlib import PurePath

from grounding.spans import Span, format_time


def format_bytes(size_bytes: float) -> str:
    """In powers of 1000, as disks are sold: `340 kB`, `12.5 MB`, `2.25 GB`."""
    if size_bytes < 1e6:
        return f"{size_bytes / 1e3:.0f} kB"
    if size_bytes < 1e9:
        return f"{size_bytes / 1e6:,.1f}".removesuffix(".0") + " MB"
    return f"{size_bytes / 1e9:,.2f}".removesuffix("0").removesuffix(".0") + " GB"


def format_span(span: Span, *, tenths: bool = False) -> str:
    """`0:04 - 0:10`, with tenths `0:04.0 - 0:10.2`."""
    return f"{format_time(span.start_s, tenths=tenths)} - {format_time(span.end_s, tenths=tenths)}"


def format_span_briefly(span: Span) -> str:
    """In whole seconds; with tenths where both ends would read the same.

    >>> format_span_briefly(Span(4.2, 10.9)), format_span_briefly(Span(8.1, 8.8))
    ('0:04 - 0:10', '0:08.1 - 0:08.8')
    """
    alike = format_time(span.start_s) == format_time(span.end_s)
    return format_span(span, tenths=alike)


def video_title(title: str | None, path: str | PurePath | None, number: int) -> str:
    """The file's name without its suffix, else the title in the container, else the number of the
    video.
    """
    return (PurePath(path).stem if path else "") or title or str(number)


def container_title(title: str | None, path: str | PurePath | None) -> str:
    """The title in the container where it says more than the file's name; "" for those that
    cameras, editors and converters write.

    >>> container_title("The tides of Brittany", "clip 12.mp4")
    'The tides of Brittany'
    >>> container_title("My Movie 6", "tides.mp4")
    ''
    """
    words = " ".join((title or "").split())
    name = PurePath(path).stem if path else ""
    if _plain(words) == _plain(name) or _FROM_A_PROGRAM.fullmatch(words[:200]):
        return ""
    return words


# Words that programs put before a number, a date or nothing. Each is the whole title.
_FROM_A_PROGRAM = re.compile(
    r"(?:(?:my |new |untitled |unnamed )*"
    r"(?:movie|video|project|sequence|timeline|composition|comp|clip|film|track|title|recording"
    r"|screen recording|slideshow|export|output|render|untitled|unnamed|no name|none|unknown|test"
    r"|img|image|mvi|mov|vid|dsc[fn]?|dji|gopr|gp|gh|gx|pxl|p|c|wp|cimg|sam|hpim|stream|out"
    r"|core media video|videohandler|made with \S+|created (?:by|with|using) .*"
    r"|\S*(?:encode|ffmpeg|handbrake|imovie|premiere|davinci|resolve|final cut|camtasia)\S*"
    r"|(?:https?://)?(?:www\.)?[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|app|tv|me|co|cn)/?"
    r"|我的影片|无标题|未命名|视频|项目|新建项目|影片)?"
    r"[\s_#.:()/-]*[\dTZtz\s_.:()/-]*)",
    re.IGNORECASE,
)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
