"""LEGO (GroundingGPT, arXiv 2401.06071): a language model that reads a window of video, a picture
or a sound.

`load_grounder(folder)` is the way in. Importing this package loads no heavy library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from grounding.lego.grounder import Grounder


def load_grounder(
    folder: str | Path, *, device: str = "cpu", dtype: str = "bfloat16", **options
) -> Grounder:
    """Loads a published or converted checkpoint folder; see `grounding.lego.grounder.load_grounder`
    for all options.
    """
    from grounding.lego import grounder

    return grounder.load_grounder(folder, device=device, dtype=dtype, **options)
