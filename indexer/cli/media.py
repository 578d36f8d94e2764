"""What comes out of the library again: `chapters`, `clip`, `subtitles`, `transcripts`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grounding.spans import format_time
from indexer.cli.output import CollectionsOption, JsonOption, escape, print_json, stdout
from indexer.errors import UsageError
from indexer.library import Library
from indexer.paths import printable

if TYPE_CHECKING:
    from indexer.chapters.chapters import Chapter


def clip(
    video: Annotated[
        str, typer.Argument(help="Number of a video in the library, or the path of a file.")
    ],
    start: Annotated[str, typer.Argument(help="Seconds, or 12:03.5, or 1:02:03.")],
    end: Annotated[str, typer.Argument(help="Likewise; the clip ends before it.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="The MP4 file to write; named .m4a, .mp3, .wav, .flac, .ogg or .opus, its sound.",
        ),
    ],
    sound: Annotated[bool, typer.Option("--sound", help="The sound alone.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Cut a clip exactly (re-encoded): its first frame is the frame shown at START."""
    start_s, end_s = read_time(start), read_time(end)
    Library().clip(video, start_s, end_s, output, sound_only=sound)
    if as_json:
        print_json({"output": output, "start_s": start_s, "end_s": end_s})
    else:
        stdout.print(
            f"{escape(str(output))}: {format_time(start_s, tenths=True)} - "
            f"{format_time(end_s, tenths=True)}"
        )


def chapters(
    video: Annotated[
        int, typer.Argument(help="Number of a video, as `seekpoint videos` lists them.")
    ],
    ground: Annotated[
        bool, typer.Option("--ground", help="Let the grounder name them; its names are kept.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the parts of a video, named by what is said, written and heard in them."""
    found = Library().chapters(video, ground=ground)
    if as_json:
        print_json({"video_id": video, "chapters": [_chapter(chapter) for chapter in found]})
        return
    if not found:
        stdout.print("This video is one chapter.")
    for number, chapter in enumerate(found, 1):
        name = escape(printable(chapter.name)) or f"Part {number}"
        stdout.print(f"{format_time(chapter.span.start_s):>8}  {name}")


def _chapter(chapter: Chapter) -> dict[str, Any]:
    return {
        "start_s": round(chapter.span.start_s, 3),
        "end_s": round(chapter.span.end_s, 3),
        "name": chapter.name,
        "source": chapter.source,
    }


def subtitles(
    video: Annotated[
        int, typer.Argument(help="Number of a video, as `seekpoint videos` lists them.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The SRT file to write.")],
    as_json: JsonOption = False,
) -> None:
    """Write what is said in a video as subtitles."""
    cues = Library().subtitles(video, output)
    if as_json:
        print_json({"output": output, "cues": cues})
    else:
        stdout.print(f"{escape(str(output))}: {cues} cues")


def transcripts(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The file of JSON lines to write.")
    ],
    collection: CollectionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write speech and screen text of whole collections, a JSON object a line."""
    lines = Library().transcripts(collection, output)
    if as_json:
        print_json({"output": output, "lines": lines})
    else:
        stdout.print(f"{escape(str(output))}: {lines} lines")


def read_time(text: str) -> float:
    """Seconds of `723.4`, `12:03.4` or `1:02:03`."""
    parts = text.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if (
        not 1 <= len(numbers) <= 3
        or any(n < 0 or n != n or n == float("inf") for n in numbers)
        or any(n >= 60 for n in numbers[1:])
    ):
        raise UsageError(
            "{text!r} is not a time",
            "write seconds (723.4), minutes:seconds (12:03.4) or hours:minutes:seconds",
            text=text,
        )
    return sum(number * 60**power for power, number in enumerate(reversed(numbers)))
