"""What agents may ask: each tool is a verb of the library, and answers with pictures where a model
has to look.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from PIL import Image as Pillow
from pydantic import Field

from grounding.spans import Span
from indexer.errors import SeekpointError, UsageError
from indexer.formatting import format_time
from indexer.library import Library
from indexer.media.output.clips import require_part
from indexer.search.types import Moment
from seekpoint.client import Client

PICTURES = 3
"""Of the best moments of an answer; each costs a model about a thousand tokens."""
LOOKS = 4
"""Pictures of a whole video."""
LINES = 200
CLIPS = "clips"
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)

Kind = Literal["picture", "speech", "screen", "sound", "event"]
VideoId = Annotated[int, Field(ge=0, description="Number of a video, as search_moments names it")]
Seconds = Annotated[float, Field(ge=0, description="Seconds from the start of the video")]
Parts = list[Any]


@dataclass(frozen=True, slots=True)
class Seekpoint:
    """A library, or the client of a server at `url`."""

    verbs: Library | Client
    url: str


Find = Callable[[Context], Seekpoint]


def add_tools(server: MCPServer, find: Find) -> None:
    """All tools; `find` says whose library a request asks."""

    @server.tool(annotations=READS, structured_output=False)
    def search_moments(
        context: Context,
        question: Annotated[
            str, Field(description="What is to be seen, heard, said or written, in plain words")
        ],
        collections: Annotated[
            list[str] | None, Field(description="Only in these collections")
        ] = None,
        only: Annotated[
            list[Kind] | None, Field(description="Only by these kinds of evidence")
        ] = None,
        limit: Annotated[int, Field(ge=1, le=50)] = 5,
        pictures: Annotated[
            bool, Field(description="With the frames that are the evidence of the best")
        ] = True,
    ) -> Parts:
        """Find moments in the videos, best first: when does something happen? `matched` false:
        nothing seems to show it, and these are the nearest."""
        with errors_in_words():
            verbs = find(context).verbs
            answer = verbs.search(
                question, collections=collections, only=only, top=limit, titles=not only
            )
            moments = answer.shown[:limit]
            text = _json(
                {
                    "matched": answer.matched,
                    "looked_for": answer.statement,
                    "moments": [_moment(moment) for moment in moments],
                    "notes": [str(note) for note in answer.notes],
                }
            )
            shown = moments[: PICTURES if pictures else 0]
            return [text, *(part for moment in shown for part in _evidence(verbs, moment))]

    @server.tool(annotations=READS, structured_output=False)
    def list_videos(
        context: Context,
        collections: Annotated[
            list[str] | None, Field(description="Only in these collections")
        ] = None,
        name: Annotated[str, Field(description="A piece of the title or the file's name")] = "",
        limit: Annotated[int, Field(ge=1, le=500)] = 50,
    ) -> str:
        """List the videos that were added last."""
        with errors_in_words():
            found = find(context).verbs.videos(collections, newest=limit, named=name)
            return _json([_video(video) for video in found])

    @server.tool(annotations=READS, structured_output=False)
    def describe_video(context: Context, video_id: VideoId) -> Parts:
        """What a video is: its length, chapters and first words, and pictures spread over it."""
        with errors_in_words():
            verbs = find(context).verbs
            video = verbs.video(video_id)
            chapters = [
                {**_span(chapter.span), "name": chapter.name}
                for chapter in verbs.chapters(video_id)
            ]
            lines = [line.text for line in verbs.transcript(video_id)[:10]]
            about = {**_video(video), "chapters": chapters, "first_words": lines}
            times_s = [video.duration_s * (n + 0.5) / LOOKS for n in range(LOOKS)]
            looks = [part for at_s in times_s for part in _look(verbs, video_id, at_s)]
            return [_json(about), *looks]

    @server.tool(annotations=READS, structured_output=False)
    def get_transcript(
        context: Context,
        video_id: VideoId,
        start_s: Seconds = 0.0,
        end_s: Annotated[float | None, Field(ge=0)] = None,
    ) -> str:
        """What is said, written and heard in a video, or in a part of it, line by line."""
        with errors_in_words():
            lines = [
                line
                for line in find(context).verbs.transcript(video_id)
                if line.span.end_s > start_s and (end_s is None or line.span.start_s < end_s)
            ]
            shown = [
                f"[{line.span.start_s:.1f}-{line.span.end_s:.1f}] {line.kind}: {line.text}"
                for line in lines[:LINES]
            ]
            if len(lines) > LINES:
                last_s = lines[LINES].span.start_s
                shown.append(f"({len(lines) - LINES} more lines from {last_s:.1f} s on)")
            return "\n".join(shown) or "Nothing is said, written or heard there."

    @server.tool(annotations=READS, structured_output=False)
    def get_frame(context: Context, video_id: VideoId, at_s: Seconds) -> Parts:
        """The frame that is shown at a time, as a picture."""
        with errors_in_words():
            return [*_look(find(context).verbs, video_id, at_s)]

    @server.tool(structured_output=False)
    def get_clip_link(context: Context, video_id: VideoId, start_s: Seconds, end_s: Seconds) -> str:
        """A link to a part of a video, cut exactly as a file (MP4), to give to a person."""
        with errors_in_words():
            return clip_link(find(context), video_id, start_s, end_s)

    @server.tool(annotations=READS, structured_output=False)
    def ask_video(
        context: Context,
        video_id: VideoId,
        question: Annotated[str, Field(description="What is to be known")],
        at_s: Annotated[
            float | None, Field(ge=0, description="About the frame at this time")
        ] = None,
        start_s: Annotated[
            float | None,
            Field(ge=0, description="About a part: its start; without one that of the video"),
        ] = None,
        end_s: Annotated[
            float | None,
            Field(ge=0, description="About a part: its end; without one that of the video"),
        ] = None,
    ) -> Parts:
        """Ask the vision-language model of the library about a video, where one is configured."""
        with errors_in_words():
            verbs = find(context).verbs
            span = _part_of(verbs, video_id, start_s, end_s)
            reply = verbs.ask(str(video_id), question, at_s=at_s, span=span)
            about = {
                "text": reply.text,
                "looked_at": _span(reply.window),
                "spans": [_span(found) for found in reply.spans],
                "boxes": [[box.x1, box.y1, box.x2, box.y2] for box in reply.boxes],
            }
            seen_s = reply.window.middle_s if at_s is None else at_s
            return [_json(about), *_look(verbs, video_id, seen_s)]


@contextmanager
def errors_in_words() -> Iterator[None]:
    """What went wrong, and what to do about it, in words for the model."""
    try:
        yield
    except SeekpointError as error:
        raise ToolError(str(error)) from None


def clip_link(library: Seekpoint, video_id: int, start_s: float, end_s: float) -> str:
    """Where the part is found: at the server, by whoever is signed in or shows a token; of the
    library of this machine, as a file.
    """
    verbs = library.verbs
    duration_s = verbs.video(video_id).duration_s
    end_s = min(end_s, duration_s)
    require_part(start_s, end_s)
    if isinstance(verbs, Client):
        asked = f"start_s={start_s:.3f}&end_s={end_s:.3f}"
        return f"{library.url.rstrip('/')}/api/v1/videos/{video_id}/clip?{asked}"
    folder = verbs.settings.home_path / CLIPS
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    output = folder / f"{video_id} {start_s:.3f}-{end_s:.3f}.mp4"
    verbs.clip(str(video_id), start_s, end_s, output)
    return output.as_uri()


def _part_of(
    verbs: Library | Client, video_id: int, start_s: float | None, end_s: float | None
) -> Span | None:
    """None where no part is named. Raises UsageError for one that ends before it starts."""
    if start_s is None and end_s is None:
        return None
    start_s = start_s or 0.0
    end_s = verbs.video(video_id).duration_s if end_s is None else end_s
    if end_s <= start_s:
        raise UsageError(
            "the part would end ({end_s:g} s) before it starts ({start_s:g} s)",
            "give a start before the end",
            start_s=start_s,
            end_s=end_s,
        )
    return Span(start_s, end_s)


def _evidence(verbs: Library | Client, moment: Moment) -> Parts:
    return _look(verbs, moment.video_id, moment.peak_s or moment.span.middle_s)


def _look(verbs: Library | Client, video_id: int, at_s: float) -> Parts:
    """Which frame it is, and the frame; in words where it cannot be shown."""
    name = f"video {video_id} at {at_s:.2f} s ({format_time(at_s)})"
    try:
        picture = verbs.frame(video_id, at_s)
    except SeekpointError as error:
        return [f"{name}: there is no picture: {error}"]
    jpeg = io.BytesIO()
    with Pillow.open(io.BytesIO(picture)) as image:
        image.convert("RGB").save(jpeg, "JPEG", quality=85)
    return [f"{name}:", Image(data=jpeg.getvalue(), format="jpeg")]


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        "video_id": moment.video_id,
        "title": moment.title,
        "collection": moment.collection,
        **_span(moment.span),
        "score": round(moment.score, 3),
        "likelihood": str(moment.likelihood),
        "evidence": [
            f"{one.kind}: {one.text}" if one.text else str(one.kind) for one in moment.evidence
        ],
    }


def _video(video: Any) -> dict[str, Any]:
    recorded = video.recorded_at
    return {
        "video_id": video.video_id,
        "title": video.shown_title,
        "collection": video.collection,
        "duration_s": round(video.duration_s, 3),
        "recorded_at": None if recorded is None else recorded.isoformat(),
        "state": str(video.state),
    }


def _span(span: Span) -> dict[str, float]:
    return {"start_s": round(span.start_s, 3), "end_s": round(span.end_s, 3)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
