"""The model of sound, loaded once per process.

What is stored of a sound depends on the model alone, not on what its classes mean: descriptions can
be improved without listening again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.embedders.devices import choose_device
from indexer.embedders.identity import make_key
from indexer.embedders.sound.sound_classes import SHARPNESS
from indexer.process.load_once import load_once
from indexer.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import torch

    from indexer.embedders.sound.yamnet import Yamnet

VERSION = 1
WEIGHTS = Path(__file__).parent / "yamnet.npz"


@cache
def sound_key() -> str:
    """Identity of the model and of its space."""
    return f"{make_key('yamnet', VERSION, [WEIGHTS])}-{SHARPNESS:g}"


def hear(settings: Settings, samples: np.ndarray) -> np.ndarray:
    """Probabilities (N, 521) float32 of AudioSet's classes in samples (T,) float32 at 16 kHz."""
    return _load(*choose_device(settings)).probabilities(samples)


@load_once
def _load(device: torch.device, dtype: torch.dtype) -> Yamnet:
    from indexer.embedders.sound.yamnet import Yamnet

    return Yamnet(WEIGHTS, device, dtype)
