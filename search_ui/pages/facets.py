"""Chips above the answers: what narrows them now, and what could, with how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.videos import VideoRow
from indexer.formatting import format_span_briefly, video_title
from indexer.search.types import KINDS, Answer, Moment
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.pages.cards import EVIDENCE
from search_ui.url_state import Link, Search, read_like

LONGEST_GROUP = 6
# Minutes: from, up to.
LENGTHS = ((None, 1.0), (1.0, 10.0), (10.0, 60.0), (60.0, None))


@dataclass(frozen=True, slots=True)
class Chip:
    """`href` leads to the answers with the chip, or without it where it narrows them now."""

    label: str
    search: Search
    count: int = 0
    picture: str = ""

    def as_data(self) -> dict[str, Any]:
        """The chip as components/chips.js takes it."""
        return {
            "label": self.label,
            "href": Link(self.search).href(),
            "count": self.count,
            "picture": self.picture,
        }


def show(
    search: Search, answer: Answer, known: Mapping[int, VideoRow], user: User, tr: Translator
) -> None:
    """The chips of a search and of its answers, whose videos are known; nothing where there is
    nothing to choose.
    """
    data = chips_data(search, answer, known, user, tr)
    if data is not None:
        components.chips(data, key="chips", on_go=lambda: session_state.go_clicked("chips"))


def chips_data(
    search: Search, answer: Answer, known: Mapping[int, VideoRow], user: User, tr: Translator
) -> dict[str, Any] | None:
    """As components/chips.js takes them; None where there is nothing to choose."""
    active = active_chips(search, user, tr)
    groups = _groups(search, answer.shown, known, tr)
    if not active and not groups:
        return None
    return {
        "active": [chip.as_data() for chip in active],
        "groups": [
            {"label": label, "chips": [chip.as_data() for chip in chips]} for label, chips in groups
        ],
        "labels": {"list": tr("Narrow the answers"), "remove": tr.gettext("Remove {}")},
    }


def active_chips(search: Search, user: User, tr: Translator) -> list[Chip]:
    """What a search is narrowed by, each with the search without it."""
    chips = []
    if search.like:
        chips.append(_like_chip(search, user, tr))
    if search.picture:
        without = replace(search, picture="")
        chips.append(Chip(tr("your picture"), without, picture=f"/asked/{search.picture}"))
    for name in search.collections:
        others = tuple(other for other in search.collections if other != name)
        chips.append(Chip(name, replace(search, collections=others)))
    for kind in search.only:
        others = tuple(other for other in search.only if other != kind)
        chips.append(Chip(tr(EVIDENCE[kind]), replace(search, only=others)))
    if search.recorded_from or search.recorded_to:
        without = replace(search, recorded_from=None, recorded_to=None)
        chips.append(Chip(_days(search.recorded_from, search.recorded_to, tr), without))
    if search.shortest_min or search.longest_min:
        without = replace(search, shortest_min=None, longest_min=None)
        chips.append(Chip(_length(search.shortest_min, search.longest_min, tr), without))
    if search.name:
        chips.append(Chip(f"“{search.name}”", replace(search, name="")))
    if search.ground:
        name = app_state().library.grounder_name or tr("A grounder")
        chips.append(Chip(tr("Check with {name}", name=name), replace(search, ground=False)))
    return chips


def _like_chip(search: Search, user: User, tr: Translator) -> Chip:
    """What the answers are like: its picture, title and span."""
    place = read_like(search.like)
    without = replace(search, like="")
    with app_state().library.catalog.read() as session:
        video = videos.get_videos(session, {place.video_id}).get(place.video_id) if place else None
    if place is None or video is None or not user.sees(video.collection_id):
        return Chip(tr("Moments like this one"), without)
    span = Span(place.start_s, place.end_s or place.start_s)
    path = video.paths[0].relative_path if video.paths else None
    title = video_title(video.title, path, video.id)
    label = tr("like {title}, {span}", title=title, span=format_span_briefly(span))
    return Chip(label, without, picture=f"/still/{video.id}/{round(span.middle_s * 1000)}")


def _groups(
    search: Search,
    moments: tuple[Moment, ...],
    known: Mapping[int, VideoRow],
    tr: Translator,
) -> list[tuple[str, list[Chip]]]:
    """Groups of chips in which there is more than one to choose from."""
    groups = (
        (tr("Collection"), _collections(search, moments)),
        (tr("Year"), _years(search, moments, known)),
        (tr("Found in"), _kinds(search, moments, tr)),
        (tr("Length"), _lengths(search, moments, known, tr)),
    )
    return [(label, chips[:LONGEST_GROUP]) for label, chips in groups if len(chips) > 1]


def _collections(search: Search, moments: Iterable[Moment]) -> list[Chip]:
    if search.collections:
        return []
    counts = Counter(moment.collection for moment in moments).most_common()
    return [Chip(name, replace(search, collections=(name,)), count) for name, count in counts]


def _years(search: Search, moments: Iterable[Moment], known: Mapping[int, VideoRow]) -> list[Chip]:
    if search.recorded_from or search.recorded_to:
        return []
    days = [known[moment.video_id].recorded_at for moment in moments]
    counts = Counter(day.year for day in days if day is not None)
    return [
        Chip(
            str(year),
            replace(search, recorded_from=date(year, 1, 1), recorded_to=date(year, 12, 31)),
            counts[year],
        )
        for year in sorted(counts, reverse=True)
    ]


def _kinds(search: Search, moments: Iterable[Moment], tr: Translator) -> list[Chip]:
    if search.only or search.like or search.picture:
        return []
    counts = Counter(kind for moment in moments for kind in {e.kind for e in moment.evidence})
    return [
        Chip(tr(EVIDENCE[kind]), replace(search, only=(kind,)), counts[kind])
        for kind in KINDS
        if counts[kind]
    ]


def _lengths(
    search: Search, moments: Iterable[Moment], known: Mapping[int, VideoRow], tr: Translator
) -> list[Chip]:
    if search.shortest_min or search.longest_min:
        return []
    minutes = [known[moment.video_id].duration_s / 60 for moment in moments]
    chips = []
    for shortest, longest in LENGTHS:
        count = sum((shortest or 0) <= one < (longest or float("inf")) for one in minutes)
        narrowed = replace(search, shortest_min=shortest, longest_min=longest)
        if count:
            chips.append(Chip(_length(shortest, longest, tr), narrowed, count))
    return chips


def _length(shortest: float | None, longest: float | None, tr: Translator) -> str:
    if shortest and longest:
        return tr("{shortest} to {longest} min", shortest=f"{shortest:g}", longest=f"{longest:g}")
    if longest:
        return tr("up to {n} min", n=f"{longest:g}")
    return tr("from {n} min on", n=f"{shortest or 0:g}")


def _days(first: date | None, last: date | None, tr: Translator) -> str:
    if first and last:
        is_year = (first.month, first.day, last.month, last.day) == (1, 1, 12, 31)
        if is_year and first.year == last.year:
            return str(first.year)
        return tr("{first} to {last}", first=first.isoformat(), last=last.isoformat())
    if last:
        return tr("until {day}", day=last.isoformat())
    return tr("since {day}", day=first.isoformat() if first else "")
