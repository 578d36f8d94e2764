"""What every embedder offers: frames and texts become unit vectors of one space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Embedder(Protocol):
    """Frames and texts into one space; vectors of two embedders with different `key` are never
    compared.
    """

    name: str
    """Name in the settings and the registry."""
    key: str
    """Identity of model and preprocessing: changes when vectors change, never with device, number
    format or batch size.
    """
    dimension: int
    """Length of every vector."""
    short_side: int
    """Short side in pixels that frames should have: more is wasted, less costs quality."""
    languages: tuple[str, ...]
    """ISO 639-1 codes that questions may be in."""

    @property
    def photographs(self) -> np.ndarray | None:
        """Unit vectors (R, dimension) of photographs of everyday things, which say how near to a
        question a picture can be; None where the embedder has none.
        """
        ...

    @property
    def class_names(self) -> np.ndarray | None:
        """Unit vectors (W, dimension) of the names of what the picture model was taught to tell
        apart; None where there is no such list.
        """
        ...

    def embed_frames(self, images: np.ndarray) -> np.ndarray:
        """Unit vectors (N, dimension) float32 of images (N, H, W, 3) uint8 RGB of any size."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, dimension) float32 of captions."""
        ...

    def reads(self, text: str) -> bool:
        """False where no text model of this embedder reads the script of the text."""
        ...


@runtime_checkable
class ClipEmbedder(Protocol):
    """An embedder that knows more of a clip than its frames one by one. Segments are embedded as
    clips.
    """

    def embed_clips(self, clips: Sequence[np.ndarray], times_s: Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors (C, dimension) float32 of clips (N_i, H, W, 3) uint8, with the seconds
        (N_i,) of their frames from the start of each.
        """
        ...


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of (N, D) scaled to length 1, float32; a row of zeros stays zero."""
    vectors = np.asarray(vectors, dtype=np.float32)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, 1e-12)


def check_images(images: np.ndarray) -> np.ndarray:
    """The images themselves, once they are known to be (N, H, W, 3) uint8; ValueError otherwise."""
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images must be (N, H, W, 3) uint8, not {images.shape} {images.dtype}")
    return images
