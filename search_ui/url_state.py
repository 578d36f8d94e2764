"""A search and a moment as links: what stands in the address bar is all there is to know, so it can
be sent, kept and gone back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import parse_qs, urlencode, urlsplit

from indexer.search.types import KINDS
from indexer.valid_text import is_valid_text

PAGE_NAMES = ("search", "library", "moments", "system")
LONGEST_QUESTION = 2000
# What may stand in the boxes of dates; without bounds of ours Streamlit lets in ten years before
# and after today.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True, slots=True)
class Search:
    """`like`: `VIDEO@START-END`, more like that moment; `picture`: name of a kept picture. Lengths
    in minutes.
    """

    text: str = ""
    like: str = ""
    picture: str = ""
    collections: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    recorded_from: date | None = None
    recorded_to: date | None = None
    shortest_min: float | None = None
    longest_min: float | None = None
    name: str = ""
    ground: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return not (self.text.strip() or self.like or self.picture)

    def params(self) -> dict[str, str | list[str]]:
        """The search as parameters of an address."""
        values: dict[str, str | list[str]] = {
            "q": self.text,
            "like": self.like,
            "picture": self.picture,
            "collection": list(self.collections),
            "only": list(self.only),
            "from": self.recorded_from.isoformat() if self.recorded_from else "",
            "to": self.recorded_to.isoformat() if self.recorded_to else "",
            "min": f"{self.shortest_min:g}" if self.shortest_min else "",
            "max": f"{self.longest_min:g}" if self.longest_min else "",
            "name": self.name,
            "ground": "1" if self.ground else "",
        }
        return {key: value for key, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Place:
    """A moment that is being watched."""

    video_id: int
    start_s: float = 0.0
    end_s: float | None = None

    def params(self) -> dict[str, str]:
        """The place as parameters of an address."""
        end = {} if self.end_s is None else {"e": seconds(self.end_s)}
        return {"v": str(self.video_id), "t": seconds(self.start_s), **end}


@dataclass(frozen=True, slots=True)
class Link:
    search: Search = Search()
    place: Place | None = None

    def params(self) -> dict[str, str | list[str]]:
        """The search and the place as parameters of an address."""
        return {**self.search.params(), **(self.place.params() if self.place else {})}

    def href(self) -> str:
        """The address."""
        return "/?" + urlencode(self.params(), doseq=True)

    def at(self, place: Place | None) -> Link:
        """The same search at another place."""
        return replace(self, place=place)


def read_link(params: Mapping[str, list[str]]) -> Link:
    """The link in query parameters. What does not fit is left out: an address may be typed by hand,
    or be old.
    """

    def first(name: str) -> str:
        text = next(iter(params.get(name, ())), "")
        return text if is_valid_text(text) else ""

    search = Search(
        text=first("q")[:LONGEST_QUESTION],
        like=first("like") if read_like(first("like")) else "",
        picture=first("picture") if is_picture(first("picture")) else "",
        collections=tuple(filter(is_valid_text, params.get("collection", ()))),
        only=tuple(kind for kind in params.get("only", ()) if kind in KINDS),
        recorded_from=_date(first("from")),
        recorded_to=_date(first("to")),
        shortest_min=_number(first("min")),
        longest_min=_number(first("max")),
        name=first("name")[:200],
        ground=first("ground") == "1",
    )
    return Link(search, _place(first("v"), first("t"), first("e")))


def parse_link(url: str) -> Link:
    """As `read_link`, from an address of the page."""
    return read_link(parse_qs(urlsplit(url).query))


def like_of(place: Place) -> str:
    """The place as the text of a search for similar moments."""
    return f"{place.video_id}@{seconds(place.start_s)}-{seconds(place.end_s or place.start_s)}"


def read_like(text: str) -> Place | None:
    """The place that `like_of` wrote; None where the text is none."""
    video, _, span = text.partition("@")
    start, _, end = span.partition("-")
    return _place(video, start, end)


def seconds(value: float) -> str:
    """Seconds with at most 3 decimals, without trailing zeros."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _place(video: str, start: str, end: str) -> Place | None:
    if not video.isdecimal() or len(video) > 18:
        return None
    start_s, end_s = _number(start) or 0.0, _number(end)
    return Place(int(video), start_s, end_s if end_s is not None and end_s > start_s else None)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e7 else None


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def is_picture(text: str) -> bool:
    """Whether the text can be the name of a kept picture: a SHA-256 in hexadecimal."""
    return len(text) == 64 and all(c in "0123456789abcdef" for c in text)
