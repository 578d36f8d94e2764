"""How sizes, spans and titles are written for people, on the command line and on the page."""

from __future__ import annotations

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


def video_title(title: str | None, path: str | PurePath | None, number: int) -> str:
    """The title, else the file's name without its suffix, else the number of the video."""
    return title or (PurePath(path).stem if path else str(number))
