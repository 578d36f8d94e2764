"""A folder of numbers that the public code made, and how ours are compared with them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grounding.lego.checkpoint.load import load_model
from grounding.lego.model.lego_model import LegoModel, Media

EXACT = 0.0
"""The tolerance of what must be equal."""
QUIRK = re.compile(r"(^|\.)quirk_")
INPUTS = {"image": "image", "video": "video", "sound": "audio"}
"""Modality name -> its key in inputs.npz."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What was compared: how far ours is from theirs, and how far it may be."""

    name: str
    difference: float
    """The largest one; for ids and text the number of unequal ones."""
    tolerance: float

    @property
    def holds(self) -> bool:
        """False for NaN."""
        return self.difference <= self.tolerance

    def __str__(self) -> str:
        verdict = "ok  " if self.holds else "FAIL"
        return f"{verdict} {self.name:<48} {self.difference:.3g} (at most {self.tolerance:g})"


class Arrays:
    """An npz file that remembers which of its arrays were read."""

    def __init__(self, file: Path) -> None:
        with np.load(file) as stored:
            self._arrays = {name: stored[name] for name in stored.files}
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        self._read.add(name)
        return self._arrays[name]

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def names(self, prefix: str = "") -> list[str]:
        """Those that begin with `prefix`, without the public code's quirks."""
        return [name for name in self._arrays if name.startswith(prefix) and not QUIRK.search(name)]

    def never_read(self) -> list[str]:
        """Arrays that nothing was compared with."""
        return [name for name in self.names() if name not in self._read]

    def tensor(self, name: str) -> Tensor:
        """An array as a tensor."""
        return torch.from_numpy(self[name])


@dataclass(frozen=True, slots=True)
class Fixture:
    """A folder of numbers, and this project's model with its weights in float32."""

    folder: Path
    inputs: Arrays
    expected: Arrays
    model: LegoModel

    @classmethod
    def open(cls, folder: Path) -> Fixture:
        """Raises CheckpointError, OSError, KeyError or BadZipFile for what is missing or
        damaged.
        """
        model = load_model(
            folder / "checkpoint", clip_folder=folder / "clip_tower", dtype=torch.float32
        )
        return cls(folder, Arrays(folder / "inputs.npz"), Arrays(folder / "expected.npz"), model)

    def json(self, name: str) -> Any:
        """A file of `preprocess/`."""
        return json.loads((self.folder / "preprocess" / name).read_text(encoding="utf-8"))

    def media(self, ids: Tensor) -> list[Media]:
        """What the placeholders in each row ask for."""
        return [
            {
                name: [self.inputs.tensor(key)[0]]
                for name, key in INPUTS.items()
                if self.model.placeholder_ids(name)[1] in row.tolist()
            }
            for row in ids
        ]


def near(name: str, ours: Tensor, theirs: np.ndarray, tolerance: float) -> Quantity:
    """The largest difference, infinite where sizes differ."""
    expected = torch.as_tensor(theirs)
    if ours.numel() != expected.numel():
        return Quantity(
            f"{name} {tuple(ours.shape)} for {tuple(expected.shape)}", float("inf"), tolerance
        )
    return Quantity(name, float((ours.reshape(expected.shape) - expected).abs().max()), tolerance)


def unequal(name: str, ours: Any, theirs: Any) -> Quantity:
    """How many entries differ."""
    if isinstance(theirs, np.ndarray):
        ours = np.asarray(ours)
        count = (
            int((ours != theirs).sum())
            if ours.shape == theirs.shape
            else max(ours.size, theirs.size)
        )
    else:
        pairs = list(zip(list(ours), list(theirs)))
        count = sum(a != b for a, b in pairs) + abs(len(list(ours)) - len(list(theirs)))
    return Quantity(name, count, EXACT)
