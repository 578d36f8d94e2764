"""The sprite sheets of a video: made when somebody first points at its time line, then kept."""

from __future__ import annotations

import threading
from pathlib import Path

from indexer.artefacts import write_atomically
from indexer.catalog.videos import VideoRow
from indexer.context import Context
from indexer.media.decode.reader_process import ReaderProcess
from indexer.media.output.sprites import SpriteGrid, sprite_sheet

# One at a time: decoding takes whole cores, and who moves along a time line asks for several.
_making = threading.Lock()


def sheet_of(context: Context, video: VideoRow, number: int) -> Path | None:
    """The sheet, made where it is not there yet; None where the video has no such sheet. Raises
    MediaError, StorageError.
    """
    grid = SpriteGrid(video.duration_s)
    if not video.width or not 0 <= number < grid.sheets:
        return None
    path = context.artefacts.sprite_sheet(video.id, number)
    if not path.exists():
        with _making:
            if not path.exists():  # somebody else made it meanwhile
                _make(context, video, grid, number, path)
    return path


def _make(context: Context, video: VideoRow, grid: SpriteGrid, number: int, path: Path) -> None:
    settings = context.settings
    with ReaderProcess(
        context.path_of(video),
        threads=settings.threads,
        max_pixels=settings.max_frame_pixels,
        memory_mb=settings.reader_memory_mb,
        timeout_s=settings.chunk_timeout_s,
    ) as reader:
        jpeg = sprite_sheet(reader, grid, number, (video.width, video.height))
    write_atomically(path, jpeg)
