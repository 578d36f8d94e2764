"""Where in a picture something is: LEGO's boxes on the frame that is shown at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.catalog import videos
from indexer.errors import UsageError
from indexer.lego import load_lego
from indexer.media.frames import sample_frames

if TYPE_CHECKING:
    from grounding.lego.answers import Box
    from indexer.library import Library

SHORT_SIDE = 480


def locate(library: Library, video_id: int, time_s: float, phrase: str) -> list[Box]:
    """Boxes as fractions of the picture. Raises ModelError without a checkpoint, MediaError without the file."""
    if not phrase.strip():
        raise UsageError("nothing was named to look for", 'say what: "the dog"')
    with library.catalog.read() as session:
        path = library.path_of(videos.get_video(session, video_id))
    grounder = load_lego(library.settings)
    image = sample_frames(path, times_s=[time_s], short_side=SHORT_SIDE).images[0]
    try:
        return grounder.locate(image, phrase)
    except ValueError as error:
        raise UsageError(f"LEGO cannot be asked that: {error}", "say it in other words") from error
