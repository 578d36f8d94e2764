"""What happens: a grounder describes each window of a chunk with times, and the descriptions
become passages.
"""

from __future__ import annotations

from dataclasses import dataclass

from grounding.refine import MAX_WINDOW_S, tile_windows
from grounding.spans import ScoredSpan, Span, suppress
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.catalog.leasing.progress import Progress
from indexer.grounder.base import Window, read_window
from indexer.grounder.configured import grounder_key, grounder_name, load_grounder
from indexer.media.decode.reader import PictureRead
from indexer.media.files import MediaFiles
from indexer.messages import NOTHING, Message
from indexer.passages.base import Passage
from indexer.settings import Settings
from indexer.stages.base import Source
from indexer.stages.passages import PassageStage
from indexer.vocabulary import StageName

REVISION = 1  # counts changes that make stored events worth replacing
OVERLAP = 0.25  # of neighbouring windows: an event at an edge is whole in one of them
# full size in bfloat16 on two busy cores (docs/experiments/lego.md); the first video that is done
# replaces it
CPU_SECONDS_PER_WINDOW = 1000.0
# of two descriptions of one event, from neighbouring windows; more than that is the same event
MAX_IOU = 0.5


@dataclass(frozen=True, slots=True)
class EventsStage(PassageStage):
    """Needs a grounder."""

    settings: Settings
    name: str = StageName.EVENTS

    @property
    def model_key(self) -> str:
        """Of the grounder."""
        return f"{grounder_key(self.settings)}.{REVISION}"

    def read(
        self, media: MediaFiles, source: Source, span: Span, pictures: PictureRead | None
    ) -> list[Window]:
        """The windows of the chunk with their pictures."""
        del pictures  # it has frames of its own for each window
        if not source.has_pictures:
            return []
        frames = load_grounder(self.settings).frames
        return [read_window(media, source.path, window, frames) for window in event_windows(span)]

    def find(self, item: ClaimedTask, read: list[Window]) -> list[Passage]:
        """One passage for each event that the grounder describes."""
        if not read:
            return []
        found = [event for window in load_grounder(self.settings).events(read) for event in window]
        # Each description keeps its own span: of two that overlap, the first is kept, never their
        # union.
        kept = {
            scored.span
            for scored in suppress(
                [ScoredSpan(event.span, -place) for place, event in enumerate(found)], MAX_IOU
            )
        }
        passages: list[Passage] = []
        for event in found:
            text = " ".join(event.text.split())
            if event.span in kept and text:
                kept.discard(event.span)
                passages.append(Passage("event", event.span.start_s, event.span.end_s, text, "en"))
        return [one for one in passages if not any(_is_within(one, other) for other in passages)]


def _is_within(one: Passage, other: Passage) -> bool:
    """Whether it is the beginning or the end, told by one window, of what another tells whole."""
    span, whole = Span(one.start_s, one.end_s), Span(other.start_s, other.end_s)
    same = one.text.casefold() == other.text.casefold()
    return same and span != whole and span.overlap_s(whole) == span.length_s


def event_windows(chunk: Span) -> list[Span]:
    """The windows that a grounder reads of a chunk."""
    return [
        Span(chunk.start_s + w.start_s, chunk.start_s + w.end_s)
        for w in tile_windows(chunk.length_s, overlap=OVERLAP)
    ]


def estimate_time(progress: Progress, settings: Settings) -> Message:
    """What events would take for the video that has none yet, from what they took here before,
    else from a measurement of LEGO; others are too different to guess.

    Empty where no video waits for them.
    """
    pictures, events = progress.stages.get(StageName.PICTURE), progress.stages.get(StageName.EVENTS)
    done_s = events.done_s if events else 0.0
    waiting_s = max(0.0, (pictures.done_s if pictures else 0.0) - done_s)
    per_video_s = CPU_SECONDS_PER_WINDOW / (MAX_WINDOW_S * (1 - OVERLAP))
    if events and done_s and events.seconds:
        per_video_s = events.seconds / done_s
    if not waiting_s:
        return NOTHING
    values = {"name": grounder_name(settings), "minutes": waiting_s / 60}
    if settings.grounder_kind != "lego" and not (events and done_s):
        return Message(
            "{name} can say what happens in {minutes:.0f} minutes of video (--events)", values
        )
    values["hours"] = waiting_s * per_video_s / 3600
    return Message(
        "events wait to be asked for (--events): about {hours:.1f} hours of {name} here for "
        "{minutes:.0f} minutes of video",
        values,
    )
