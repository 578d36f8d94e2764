"""Moments as the cards that components/cards.js draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.videos import VideoRow
from indexer.formatting import container_title, format_span_briefly
from indexer.messages import N_
from indexer.search.likelihood import Likelihood
from indexer.search.types import Answer, Evidence, Grounded, Moment
from search_ui.app_state import app_state
from search_ui.highlight import highlight
from search_ui.i18n.translator import Translator
from search_ui.url_state import Link, Place, like_of

# What a kind of evidence is called on a card and among the filters.
EVIDENCE = {
    "picture": N_("picture"),
    "speech": N_("speech"),
    "screen": N_("screen"),
    "sound": N_("sound"),
    "event": N_("event"),
    "title": N_("title"),
}
LIKELIHOODS = {
    Likelihood.STRONG: N_("strong"),
    Likelihood.LIKELY: N_("likely"),
    Likelihood.WEAK: N_("weak"),
}
# Texts of components/cards.js.
CARD_LABELS = {
    "list": N_("Answers"),
    "choose": N_("Keep this moment"),
    "kept": N_("Kept among your moments"),
    "taken": N_("Taken out of your moments"),
    "up": N_("Right: it shows this"),
    "down": N_("Wrong: it does not show this"),
    "thanks": N_("Noted, thank you"),
    "like": N_("More like this"),
    "menu": N_("More"),
    "copy": N_("Copy link"),
    "copied": N_("Link copied"),
    "tab": N_("Open in a new tab"),
    "sure": N_("about {n} of 100 answers like this one are right"),
    "weaker": N_("Show {n} weaker moments"),
    "others": N_("{n} more in this video"),
    "offline": N_("offline"),
}


def videos_of(answer: Answer) -> dict[int, VideoRow]:
    """The videos of an answer, by number."""
    with app_state().library.catalog.read() as session:
        return videos.get_videos(session, {moment.video_id for moment in answer.moments})


def cards_data(
    link: Link, answer: Answer, known: Mapping[int, VideoRow], tr: Translator
) -> dict[str, Any]:
    """The moments and the words on them. Those that are unlikely come when they are asked for.
    `known`: as `videos_of` reads them.
    """
    weaker = {key_of(moment) for moment in answer.weaker}
    moments = answer.moments
    return {
        "cards": [
            _card(link, moment, known, tr) | {"weaker": key_of(moment) in weaker}
            for moment in moments
        ],
        "labels": {name: tr.gettext(text) for name, text in CARD_LABELS.items()}
        | {"likelihoods": {str(name): tr(text) for name, text in LIKELIHOODS.items()}},
        "dim": not answer.matched,
        "search": link.at(None).href(),
    }


def key_of(moment: Moment) -> str:
    """A text that identifies the moment on the page."""
    return key_of_span(moment.video_id, moment.span)


def key_of_span(video_id: int, span: Span) -> str:
    """As `key_of`, of a span of a video."""
    return f"{video_id}@{span.start_s:.3f}-{span.end_s:.3f}"


def place_of(moment: Moment) -> Place:
    """Where the moment is, as links hold it."""
    return Place(moment.video_id, round(moment.span.start_s, 3), round(moment.span.end_s, 3))


def pictures_of(video_id: int, start_s: float, end_s: float, shown_s: float) -> dict[str, Any]:
    """Addresses of the pictures of a moment: the frame at `shown_s`, a smaller one that is there at
    once, five frames, and what is played under the pointer.
    """
    shown_ms = round(shown_s * 1000)
    return {
        "picture": f"/still/{video_id}/{shown_ms}",
        "small": f"/thumbnail/{video_id}/{shown_ms}",
        "made": app_state().library.find_still(video_id, shown_ms / 1000) is not None,
        "strip": f"/strip/{video_id}/{round(start_s * 1000)}/{round(end_s * 1000)}",
        "preview": {"src": f"/stream/{video_id}", "start_s": start_s, "end_s": end_s},
    }


def _card(
    link: Link, moment: Moment, known: Mapping[int, VideoRow], tr: Translator
) -> dict[str, Any]:
    place = place_of(moment)
    video = known[moment.video_id]
    return {
        "key": key_of(moment),
        "video": moment.video_id,
        "duration_s": video.duration_s,
        "href": link.at(place).href(),
        "like": like_of(place),
        "title": moment.title,
        "second": container_title(video.title, moment.path),
        "collection": moment.collection,
        "date": video.recorded_at.date().isoformat() if video.recorded_at else "",
        "offline": moment.offline,
        "span": format_span_briefly(moment.span),
        "likelihood": str(moment.likelihood),
        "right_of_100": min(99, max(1, round(moment.score * 100))),
        "why": _why(moment, link.search.text, tr),
        "current": link.place == place,
        "place": {
            "src": f"/stream/{place.video_id}",
            "start_s": place.start_s,
            "end_s": place.end_s,
        },
        **pictures_of(moment.video_id, moment.span.start_s, moment.span.end_s, moment.peak_s),
    }


def _why(moment: Moment, question: str, tr: Translator) -> list[dict[str, Any]]:
    """The kinds of evidence with their texts, and what the grounder says where it was asked."""
    why = [_reason(evidence, question, tr) for evidence in moment.evidence]
    if moment.grounded is not None:
        why.append({"kind": "event", "label": _opinion(moment.grounded, tr), "parts": []})
    return why


def _opinion(grounded: Grounded, tr: Translator) -> str:
    label = (
        tr("{name} names no time", name=grounded.by)
        if grounded.span is None
        else tr("{name}: {span}", name=grounded.by, span=format_span_briefly(grounded.span))
    )
    return label if grounded.sees else tr("{opinion}, and does not see it", opinion=label)


def _reason(evidence: Evidence, question: str, tr: Translator) -> dict[str, Any]:
    parts = highlight(evidence.text, question) if evidence.text else []
    return {"kind": evidence.kind, "label": tr(EVIDENCE[evidence.kind]), "parts": parts}
