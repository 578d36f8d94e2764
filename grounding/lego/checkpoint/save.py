"""Writes a model as a folder that `load_model` and `load_grounder` read: published names, sizes,
tokenizer, CLIP tower.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from grounding.errors import CheckpointError
from grounding.lego.checkpoint.load import CLIP_FOLDERS, published_state
from grounding.lego.model.config import DIMS_FILE, as_json, dims_as_json
from grounding.lego.model.image import ImageModality
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.model.registry import MODALITIES
from grounding.lego.preprocess.image import ImageTransform
from grounding.lego.preprocess.tokenizer import LegoTokenizer


def save_model(
    model: LegoModel,
    folder: str | Path,
    *,
    tokenizer: LegoTokenizer,
    image_transform: ImageTransform | None = None,
) -> None:
    """`folder` must not exist or be empty. ImageBind's unused branches are not in the model and so
    not in the folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise CheckpointError("{folder} is not empty", folder=folder)
    absent = tuple(kind.name for kind in MODALITIES if kind.name not in model.modalities)
    _write_json(folder / "config.json", as_json(model.config.with_changes(without=absent)))
    _write_json(folder / DIMS_FILE, dims_as_json(model.config))
    tokenizer.save(folder)
    _write_tensors(folder, published_state(model))
    if ImageModality.name in model.modalities:
        _save_clip(model, folder / CLIP_FOLDERS[0], image_transform or ImageTransform())


def _save_clip(model: LegoModel, folder: Path, transform: ImageTransform) -> None:
    folder.mkdir()
    _write_json(folder / "config.json", {"model_type": "clip_vision_model", **model.config.clip})
    preprocessing = {
        "crop_size": transform.size,
        "image_mean": transform.mean,
        "image_std": transform.std,
    }
    _write_json(folder / "preprocessor_config.json", preprocessing)
    (rename,) = ImageModality.external
    named = {
        rename.to_published(name): tensor
        for name, tensor in model.modality(ImageModality.name).state_dict().items()
    }
    _write_tensors(folder, {name: tensor for name, tensor in named.items() if name is not None})


def _write_tensors(folder: Path, tensors: dict[str, Tensor]) -> None:
    save_file(
        {name: t.detach().cpu().contiguous() for name, t in tensors.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )


def _write_json(file: Path, content: dict) -> None:
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")
