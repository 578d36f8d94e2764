import copy
import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from grounding.lego.checkpoint.load import load_model
from grounding.lego.grounder import Grounder, load_grounder
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.preprocess.tokenizer import LegoTokenizer

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def tiny() -> Path:
    """Numbers of the public code at tiny sizes; read only."""
    return FIXTURES / "tiny"


@pytest.fixture(scope="session")
def checkpoint(tiny) -> Path:
    return tiny / "checkpoint"


@pytest.fixture(scope="session")
def loaded_model(checkpoint) -> LegoModel:
    return load_model(checkpoint, dtype=torch.float32)


@pytest.fixture
def model(loaded_model) -> LegoModel:
    """A copy, which a test may train or change; quicker than loading it again."""
    return copy.deepcopy(loaded_model)


@pytest.fixture(scope="session")
def tokenizer(checkpoint) -> LegoTokenizer:
    return LegoTokenizer(checkpoint)


@pytest.fixture
def grounder(checkpoint) -> Grounder:
    return load_grounder(checkpoint, dtype="float32", max_new_tokens=12)


@pytest.fixture(scope="session")
def full_size_shapes() -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor of the published 7B model."""
    with gzip.open(FIXTURES / "full_size_names.tsv.gz", "rt") as lines:
        pairs = (line.rstrip("\n").split("\t") for line in lines)
        return {
            name: tuple(int(size) for size in shape.strip("[]").split(",") if size.strip())
            for name, shape in pairs
        }


@pytest.fixture
def pixels() -> np.ndarray:
    """Twenty smooth frames, no two alike."""
    rows, columns, time = np.ogrid[0:64, 0:80, 0:20]
    waves = np.sin(rows / 9 + time) + np.cos(columns / 7 - time / 3)
    levels = ((waves + 2) * 63).astype(np.uint8).transpose(2, 0, 1)
    return np.stack([levels, levels[::-1], 255 - levels], axis=-1)


@pytest.fixture
def samples() -> np.ndarray:
    """Five seconds of a rising tone at 16 kHz."""
    time_s = np.arange(80_000) / 16_000
    return (0.4 * np.sin(2 * np.pi * (200 + 150 * time_s) * time_s)).astype(np.float32)
