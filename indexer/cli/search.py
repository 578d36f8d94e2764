"""`seekpoint search` and `seekpoint ask`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from indexer.cli.media import read_time
from indexer.cli.output import (
    CollectionsOption,
    JsonOption,
    escape,
    note,
    plain,
    print_json,
    stdout,
    table,
)
from indexer.formatting import format_span
from indexer.grounder.lego import LICENCE
from indexer.library import Library
from indexer.search.types import KINDS, Answer, Evidence, Moment

if TYPE_CHECKING:
    from rich.table import Table

    from indexer.search.types import Grounded


def search(
    question: Annotated[
        str, typer.Argument(help='What happens: "when does the dog push the skateboard?"')
    ],
    collection: CollectionsOption = None,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="How many moments.")] = 10,
    video: Annotated[
        int | None,
        typer.Option("--video", help="Only this video (its number in `seekpoint videos`)."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help=f"Only what matched by: {', '.join(KINDS)} (repeatable)."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Weak moments too; without it the answer ends before.")
    ] = False,
    ground: Annotated[
        bool, typer.Option("--ground", help="Let the grounder look at the best moments again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask when something happens."""
    answer = Library().search(
        question, collections=collection, top=top, video_id=video, only=only, ground=ground
    )
    if as_json:
        print_json(answer_as_dict(answer, everything=everything))
    else:
        print_answer(answer, everything=everything)


def ask(
    video: Annotated[
        str, typer.Argument(help="Number of a video in the library, or the path of a file.")
    ],
    question: Annotated[str, typer.Argument(help='What you want to know: "where is the dog?"')],
    at: Annotated[
        str | None, typer.Option("--at", help="About the frame at this time: 723.4 or 12:03.4.")
    ] = None,
    sound: Annotated[
        bool, typer.Option("--sound", help="About what is heard (around --at, if that is given).")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="PNG for the frame with its boxes; default: beside you."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the grounder about a video, a frame of it, or its sound."""
    at_s = None if at is None else read_time(at)
    picture = output
    if at_s is not None and not sound and picture is None:
        picture = Path(f"{Path(video).stem}-{at_s:g}s.png")
    library = Library()
    if sound and library.settings.grounder_kind == "lego":
        note(LICENCE)
    reply = library.ask(video, question, at_s=at_s, sound=sound, picture=picture)
    if as_json:
        print_json(reply)
        return
    stdout.print(escape(reply.text))
    for span in reply.spans:
        stdout.print(f"  {format_span(span, tenths=True)}")
    for box in reply.boxes:
        stdout.print(
            f"  box {box.x1:.3f} {box.y1:.3f} {box.x2:.3f} {box.y2:.3f} (fractions of "
            "the frame: left, top, right, bottom)"
        )
    if reply.picture is not None:
        stdout.print(escape(str(reply.picture)))


def answer_as_dict(answer: Answer, *, everything: bool = False) -> dict:
    """The JSON of `search`, in plain values; `everything`: with the weak moments."""
    moments = answer.moments if everything else answer.shown
    return {
        "query": answer.query,
        "caption": answer.statement,
        "matched": answer.matched,
        "took_ms": round(answer.took_ms, 3),
        "loading_ms": round(answer.loading_ms, 3),
        "moments": [moment_as_dict(moment) for moment in moments],
        "left_out": len(answer.moments) - len(moments),
        "notes": list(answer.notes),
    }


def moment_as_dict(moment: Moment) -> dict:
    """One moment of the JSON of `search`."""
    return {
        "video_id": moment.video_id,
        "path": moment.path,
        "collection": moment.collection,
        "start_s": round(moment.span.start_s, 3),
        "end_s": round(moment.span.end_s, 3),
        "score": round(moment.score, 6),
        "likelihood": str(moment.likelihood),
        "evidence": [
            {"kind": e.kind, "score": round(e.score, 6)} | _text_of(e) for e in moment.evidence
        ],
        "thumbnail": str(moment.thumbnail) if moment.thumbnail else None,
        "title": moment.title,
        "offline": moment.offline,
        "statement": moment.statement,
        "peak_s": round(moment.peak_s, 3),
    } | ({} if moment.grounded is None else {"grounded": plain(moment.grounded)})


def _text_of(evidence: Evidence) -> dict:
    """What was said or written, with the words that matched and their times."""
    words = [
        {"start_s": round(start_s, 3), "end_s": round(end_s, 3), "word": word}
        for start_s, end_s, word in evidence.words
    ]
    return ({"text": evidence.text} if evidence.text else {}) | ({"words": words} if words else {})


def print_answer(answer: Answer, *, everything: bool = False) -> None:
    """A table of moments, best first, and what is to be known about them."""
    for text in answer.notes:
        note(text)
    if not answer.moments:
        stdout.print(
            "Nothing was found: the part of the library that was asked for is empty, "
            "or holds no evidence of this kind."
        )
        return
    if not answer.matched:
        stdout.print("[bold]No match.[/] Nothing seems to show this; the nearest moments are:")
    moments = answer.moments if everything else answer.shown
    stdout.print(_table(moments))
    stdout.print(f"[dim]{answer.took_ms:.0f} ms; asked for: {escape(answer.statement)}[/]")
    if left_out := len(answer.moments) - len(moments):
        stdout.print(f"[dim]{left_out} weaker left out: --all shows them[/]")


def _table(moments: Sequence[Moment]) -> Table:
    several = len({moment.statement for moment in moments}) > 1
    columns = ("what",) if several else ()
    rows = table("time", *columns, "video", "likelihood", "score", "why", right=("score",))
    for moment in moments:
        times = format_span(moment.span, tenths=True)
        rows.add_row(
            f"[link={_link(moment)}]{times}[/link]",
            *((escape(moment.statement),) if several else ()),
            _name(moment),
            str(moment.likelihood),
            f"{moment.score:.2f}",
            _why(moment),
        )
    return rows


def _link(moment: Moment) -> str:
    """Media fragment of the file (W3C Media Fragments 1.0): players and browsers that know it start
    at the moment.
    """
    return f"file://{quote(moment.path)}#t={moment.span.start_s:.2f},{moment.span.end_s:.2f}"


def _name(moment: Moment) -> str:
    name = escape(moment.path) + (" [dim](offline)[/]" if moment.offline else "")
    return f"{name} [dim]#{moment.video_id}[/]"


def _why(moment: Moment) -> str:
    why = ", ".join(f'{e.kind} "{escape(e.text)}"' if e.text else e.kind for e in moment.evidence)
    return why if moment.grounded is None else f"{why}; {_second_opinion(moment.grounded)}"


def _second_opinion(grounded: Grounded) -> str:
    if grounded.span is None:
        return f"{grounded.by} named no time{_describe_grounded(grounded)}"
    span = format_span(grounded.span, tenths=True)
    reason = "" if grounded.accepted else f" ({grounded.reason})"
    return f"{grounded.by}: {span}{reason}{_describe_grounded(grounded)}"


def _describe_grounded(grounded: Grounded) -> str:
    seen = "sees it" if grounded.sees else "does not see it"
    return f", {seen} ({grounded.shown:.2f})"
