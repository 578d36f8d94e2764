"""`seekpoint search` and `seekpoint ask`."""

from __future__ import annotations

from typing import Annotated

import typer

from grounding.spans import format_time
from indexer.cli.output import CollectionsOption, JsonOption, escape, note, print_json, stdout, table
from indexer.library import Library
from indexer.search import KINDS, Answer, Moment


def search(
    question: Annotated[str, typer.Argument(help='What happens: "when does the dog push the skateboard?"')],
    collection: CollectionsOption = None,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="How many moments.")] = 10,
    video: Annotated[int | None, typer.Option("--video", help="Only this video (its number in `seekpoint videos`).")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help=f"Only what matched by: {', '.join(KINDS)} (repeatable).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask when something happens."""
    answer = Library().search(question, collections=collection, top=top, video_id=video, only=only)
    if as_json:
        print_json(answer_as_dict(answer))
    else:
        print_answer(answer)


def answer_as_dict(answer: Answer) -> dict:
    return {
        "query": answer.query,
        "caption": answer.caption,
        "matched": answer.matched,
        "took_ms": round(answer.took_ms, 3),
        "moments": [moment_as_dict(moment) for moment in answer.moments],
        "notes": list(answer.notes),
    }


def moment_as_dict(moment: Moment) -> dict:
    return {
        "video_id": moment.video_id,
        "path": moment.path,
        "collection": moment.collection,
        "start_s": round(moment.span.start_s, 3),
        "end_s": round(moment.span.end_s, 3),
        "score": round(moment.score, 6),
        "evidence": [{"kind": e.kind, "score": round(e.score, 6)} | ({"text": e.text} if e.text else {}) for e in moment.evidence],
        "thumbnail": str(moment.thumbnail) if moment.thumbnail else None,
        "title": moment.title,
        "offline": moment.offline,
    }


def print_answer(answer: Answer) -> None:
    for text in answer.notes:
        note(text)
    if not answer.moments:
        stdout.print("Nothing to search in: the library (or the part that was asked for) is empty. `seekpoint ingest FOLDER` fills it.")
        return
    if not answer.matched:
        stdout.print("[bold]No match.[/] Nothing seems to show this; the nearest moments are:")
    rows = table("time", "video", "score", "why", right=("score",))
    for moment in answer.moments:
        times = f"{format_time(moment.span.start_s, tenths=True)} - {format_time(moment.span.end_s, tenths=True)}"
        rows.add_row(f"[link={_link(moment)}]{times}[/link]", _name(moment), f"{moment.score:.2f}", _why(moment))
    stdout.print(rows)
    stdout.print(f"[dim]{answer.took_ms:.0f} ms; asked for: {escape(answer.caption)}[/]")


def _link(moment: Moment) -> str:
    """Media fragment of the file (W3C Media Fragments 1.0): players and browsers that know it start at the moment."""
    from urllib.parse import quote

    return f"file://{quote(moment.path)}#t={moment.span.start_s:.2f},{moment.span.end_s:.2f}"


def _name(moment: Moment) -> str:
    name = escape(moment.path) + (" [dim](offline)[/]" if moment.offline else "")
    return f"{name} [dim]#{moment.video_id}[/]"


def _why(moment: Moment) -> str:
    return ", ".join(f'{e.kind} "{escape(e.text)}"' if e.text else e.kind for e in moment.evidence)


def register(app: typer.Typer) -> None:
    app.command()(search)
