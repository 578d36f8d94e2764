"""The LEGO checkpoint that the settings name, loaded once per process, and the frames that it
reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from grounding.errors import LegoError
from grounding.lego import load_grounder
from grounding.spans import Span
from indexer.errors import ModelError
from indexer.process.load_once import load_once
from indexer.settings import Settings
from indexer.short_hash import short_hash

if TYPE_CHECKING:
    from grounding.lego.grounder import Grounder
    from indexer.media.files import MediaFiles

WINDOW_FRAMES = 64  # what LEGO reads, whatever the length of the window
SHORT_SIDE = 256  # its encoder squashes frames to 224 x 224
LICENCE = "Its sound encoder (ImageBind) is CC BY-NC-SA 4.0: not for commercial use."


def load_lego(settings: Settings) -> Grounder:
    """Once per process and checkpoint. Raises ModelError where there is none, or it fails."""
    require_lego(settings)
    dtype = settings.lego_dtype
    if dtype == "auto":
        dtype = "bfloat16" if settings.dtype == "auto" else settings.dtype
    return _load(settings.lego_path, settings.lego_clip_path, settings.torch_device, dtype)


@load_once
def _load(path: str, clip_path: str, device: str, dtype: str) -> Grounder:
    try:
        return load_grounder(path, device=device, dtype=dtype, clip_folder=clip_path or None)
    except LegoError as error:
        raise ModelError(
            "the LEGO checkpoint does not load: {error}",
            "set SEEKPOINT_LEGO_PATH to its folder",
            error=error,
        ) from error
    # No permission, or not enough memory, here or on the GPU.
    except (OSError, MemoryError, RuntimeError) as error:
        raise ModelError(
            "the LEGO checkpoint does not load: {what}",
            "docs/guides/grounding-models.md says what it needs",
            what=str(error) or type(error).__name__,
        ) from error


def require_lego(settings: Settings) -> None:
    """Raises ModelError that says what is missing and where it goes."""
    if not settings.lego_path:
        raise ModelError(
            "no LEGO checkpoint is configured",
            "download GroundingGPT-7B to a folder and set SEEKPOINT_LEGO_PATH to it "
            "(docs/guides/grounding-models.md); everything else works without",
        )
    if not (Path(settings.lego_path).expanduser() / "config.json").is_file():
        raise ModelError(
            "there is no LEGO checkpoint in {lego_path}",
            "set SEEKPOINT_LEGO_PATH to the folder with its config.json",
            lego_path=settings.lego_path,
        )


def lego_key(settings: Settings) -> str:
    """Identity of a checkpoint without reading its weights: names and sizes of its files, and its
    configuration.
    """
    require_lego(settings)
    folder = Path(settings.lego_path).expanduser()
    files = sorted(
        f"{path.name}:{path.stat().st_size}"
        for path in folder.iterdir()
        if path.suffix in (".bin", ".safetensors")
    )
    return f"lego-{short_hash((folder / 'config.json').read_text(), *files)}"


def window_frames(
    media: MediaFiles, path: Path, window: Span, count: int = WINDOW_FRAMES
) -> np.ndarray:
    """`count` frames (N, H, W, 3) uint8 at equal steps through the window, the first at its start,
    as LEGO samples a clip.
    """
    times_s = window.start_s + np.arange(count) * window.length_s / count
    return media.window(path, times_s, short_side=SHORT_SIDE).images
