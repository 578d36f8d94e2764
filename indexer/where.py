"""Where in a picture something is: LEGO's boxes on the frame that is shown at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from indexer.catalog import videos
from indexer.errors import ModelError, UsageError
from indexer.media.frames import sample_frames
from indexer.settings import Settings

if TYPE_CHECKING:
    from grounding.lego.answers import Box
    from grounding.lego.grounder import Grounder
    from indexer.library import Library

SHORT_SIDE = 480
_lock = threading.Lock()
_loaded: dict[tuple[str, str, str], Grounder] = {}


def locate(library: Library, video_id: int, time_s: float, phrase: str) -> list[Box]:
    """Boxes as fractions of the picture. Raises ModelError without a checkpoint, MediaError without the file."""
    if not phrase.strip():
        raise UsageError("nothing was named to look for", 'say what: "the dog"')
    with library.catalog.read() as session:
        path = library.path_of(videos.get_video(session, video_id))
    grounder = load(library.settings)
    image = sample_frames(path, times_s=[time_s], short_side=SHORT_SIDE).images[0]
    try:
        return grounder.locate(image, phrase)
    except ValueError as error:
        raise UsageError(f"LEGO cannot be asked that: {error}", "say it in other words") from error


def load(settings: Settings) -> Grounder:
    """Once per process and checkpoint. Raises ModelError where there is none, or it does not load."""
    if not settings.lego_path:
        raise ModelError("no LEGO checkpoint is installed", "set SEEKPOINT_LEGO_PATH to its folder; `seekpoint models` says how to get one")
    from grounding.lego.errors import LegoError
    from grounding.lego.grounder import load_grounder

    dtype = "bfloat16" if settings.dtype == "auto" else settings.dtype
    key = (settings.lego_path, settings.torch_device, dtype)
    with _lock:
        if key not in _loaded:
            try:
                _loaded[key] = load_grounder(settings.lego_path, device=key[1], dtype=dtype)
            except LegoError as error:
                raise ModelError(f"the LEGO checkpoint does not load: {error}", "SEEKPOINT_LEGO_PATH names its folder") from error
        return _loaded[key]
