"""Places every tensor of a checkpoint folder in the model, or says which one does not fit.

The model is built on the meta device and its parameters are replaced by the file's own memory map,
or by a copy in another dtype or on another device, so that loading needs little more memory than
the weights. Tensors no output depends on are never read.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from grounding.errors import CheckpointError
from grounding.lego.checkpoint.shards import Entry, Shards
from grounding.lego.model.config import DIMS_FILE, PUBLISHED_CLIP, LegoConfig, read_config
from grounding.lego.model.image import ImageModality
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.model.modality import Modality, Rename
from grounding.lego.model.registry import MODALITIES

log = logging.getLogger(__name__)

CLIP_UNUSED = (
    r"text_model\..+",
    r"(text|visual)_projection\.weight",
    r"logit_scale",
    r"vision_model\.embeddings\.position_ids",
)
CLIP_FOLDERS = ("clip_tower", "clip_full")
MISFIT = "the checkpoint does not fit the model: {problems}"
MISFIT_OF_FOLDER = "{folder}: the checkpoint does not fit the model: {problems}"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the tensors of a checkpoint go: file name -> name in our model; and those that are left
    in the file on purpose.
    """

    placed: Mapping[str, str]
    unused: tuple[str, ...]


def load_model(
    folder: str | Path,
    *,
    clip_folder: str | Path | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.bfloat16,
    modalities: Sequence[type[Modality]] = MODALITIES,
    without: Sequence[str] = (),
    fresh: Sequence[str] = (),
    dims_file: str | Path | None = None,
) -> LegoModel:
    """Loads a published or converted folder strictly. Raises CheckpointError that names what is
    missing, unexplained or of another shape.

    `without` switches modalities off (their tensors stay in the file); `fresh` names modalities
    that the checkpoint does not know and that start untrained. CLIP's weights are looked for in
    `clip_folder`, or in `clip_tower` inside the folder or beside it.
    """
    folder = Path(folder)
    clip = find_clip_folder(folder, clip_folder)
    config = read_config(folder, clip, Path(dims_file) if dims_file else None)
    off = {*without, *config.without}
    shards = Shards(folder)
    config = follow_audio_positions(config, shards.entries)
    kinds = tuple(kind for kind in modalities if kind.name not in off)
    if clip is None and ImageModality in kinds:
        raise CheckpointError(
            "the image modality needs the folder of CLIP ViT-L/14-336 "
            "(openai/clip-vit-large-patch14-336): put it beside the checkpoint as clip_tower, or "
            "name it, or switch images off"
        )
    _check_names(off, modalities)
    model = empty_model(config, kinds)
    placement = place(
        {name: entry.shape for name, entry in shards.entries.items()}, model, fresh=fresh, off=off
    )
    _fill(model, shards, placement.placed, device, dtype)
    if clip is not None and ImageModality in kinds:
        _load_clip(model, clip, device, dtype)
    _finish(model, device, dtype, fresh)
    return model.eval()


def empty_model(config: LegoConfig, kinds: Sequence[type[Modality]]) -> LegoModel:
    """The model on the meta device. Raises CheckpointError for sizes that do not make one."""
    try:
        with torch.device("meta"):
            model = LegoModel(config, kinds)
    except Exception as error:  # transformers and torch raise whatever they run into
        raise CheckpointError(
            "the sizes in config.json and {dims_file} do not make a model: {name}: {error}",
            dims_file=DIMS_FILE,
            name=type(error).__name__,
            error=error,
        ) from error
    if ImageModality in kinds:
        image = model.modality(ImageModality.name)
        patches = (
            int(image.size) // int(config.clip.get("patch_size", PUBLISHED_CLIP["patch_size"]))  # type: ignore[arg-type]
        ) ** 2 + config.image_class_token  # type: ignore[arg-type]
        if patches != image.tokens:
            raise CheckpointError(
                "config.json has image_token_len {tokens}, but the CLIP tower makes "
                "{patches} tokens of an image",
                tokens=image.tokens,
                patches=patches,
            )
    return model


def _check_names(off: Iterable[str], kinds: Sequence[type[Modality]]) -> None:
    known = {kind.name for kind in (*MODALITIES, *kinds)}
    unknown = sorted(set(off) - known)
    if unknown:
        raise CheckpointError(
            "there is no modality {unknown} to be without; there are {known}",
            unknown=", ".join(unknown),
            known=", ".join(sorted(known)),
        )


def follow_audio_positions(config: LegoConfig, entries: Mapping[str, Entry]) -> LegoConfig:
    """The public code made this table with `sound_token_len` rows in one constructor and with 8 in
    another: the file decides.
    """
    entry = entries.get("model.audio_position_embedding.weight")
    if entry is None or entry.shape[0] == config.audio_positions:
        return config
    log.info(
        "the table of audio positions has %d rows, not %d", entry.shape[0], config.audio_positions
    )
    return config.with_changes(audio_positions=entry.shape[0])


def place(
    shapes: Mapping[str, tuple[int, ...]],
    model: LegoModel,
    *,
    fresh: Sequence[str] = (),
    off: Sequence[str] | set[str] = (),
) -> Placement:
    """Matches the tensors of a published checkpoint (name -> shape) with a model, which may be on
    the meta device.

    Raises CheckpointError when anything is missing, unexplained or of another shape.
    """
    ours = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    renames, unused_patterns, off_patterns = published_names(model, off)
    placed: dict[str, str] = {}
    unused: list[str] = []
    problems: list[str] = []
    for name, shape in shapes.items():
        # modalities that the published model lacks keep our names
        own = _first(renames, name) or name
        if own in ours:
            placed[name] = own
            if ours[own] != tuple(shape):
                problems.append(
                    f"{name} has the shape {list(shape)}, the model expects {list(ours[own])}"
                )
        elif any(re.fullmatch(pattern, name) for pattern in (*unused_patterns, *off_patterns)):
            unused.append(name)
        else:
            problems.append(f"{name} is not a tensor of LEGO")
    filled = set(placed.values())
    external = tuple(
        f"modalities.{kind}.{r.own}" for kind, m in _modalities(model) for r in m.external
    )
    new = tuple(f"modalities.{name}." for name in fresh)
    missing = [
        name for name in ours if name not in filled and not name.startswith((*external, *new))
    ]
    problems += [f"{to_published(model, name)} is missing" for name in missing]
    if problems:
        raise CheckpointError(MISFIT, problems=_listed(problems))
    return Placement(placed, tuple(unused))


def published_names(
    model: LegoModel, off: Sequence[str] | set[str] = ()
) -> tuple[list[Rename], list[str], list[str]]:
    """The renames of all modalities with full names of ours; patterns of unused tensors; patterns
    of switched-off modalities.
    """
    renames = list(model.language_renames)
    unused = list(model.language_unused)
    for name, modality in _modalities(model):
        renames += [
            Rename(r.published, f"modalities.{name}.{r.own}", r.inner) for r in modality.renames
        ]
        unused += modality.unused
    absent = [kind for kind in MODALITIES if kind.name in off]
    off_patterns = [re.escape(r.published) + ".*" for kind in absent for r in kind.renames]
    return renames, unused, off_patterns + [pattern for kind in absent for pattern in kind.unused]


def to_published(model: LegoModel, own: str) -> str:
    """The name of one of our tensors in the published layout; our own name where the layout has
    none (CLIP, new modalities).
    """
    for rename in published_names(model)[0]:
        name = rename.to_published(own)
        if name is not None:
            return name
    return own


def published_state(model: LegoModel) -> dict[str, Tensor]:
    """The model's tensors under their published names, CLIP's tower left out, ready to be saved as
    a checkpoint.
    """
    external = tuple(
        f"modalities.{kind}.{r.own}" for kind, m in _modalities(model) for r in m.external
    )
    return {
        to_published(model, name): tensor
        for name, tensor in model.state_dict().items()
        if not name.startswith(external)
    }


def _modalities(model: LegoModel) -> Iterator[tuple[str, Modality]]:
    yield from model.modalities.items()  # type: ignore[misc]


def _first(renames: Sequence[Rename], name: str) -> str | None:
    return next(
        (own for own in (rename.to_own(name) for rename in renames) if own is not None), None
    )


def _listed(problems: list[str], shown: int = 8) -> str:
    rest = f"; and {len(problems) - shown} more" if len(problems) > shown else ""
    return "; ".join(problems[:shown]) + rest


def _fill(
    model: nn.Module,
    shards: Shards,
    placed: Mapping[str, str],
    device: str | torch.device,
    dtype: torch.dtype,
) -> None:
    for name, tensor in shards.read(list(placed)):
        assign(
            model,
            placed[name],
            tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else tensor.dtype),
        )


def assign(model: nn.Module, name: str, tensor: Tensor) -> None:
    """Replaces a parameter or buffer by name, whatever device it is on."""
    path, _, leaf = name.rpartition(".")
    module = model.get_submodule(path)
    if leaf in module._parameters:
        module._parameters[leaf] = nn.Parameter(tensor)
    else:
        module._buffers[leaf] = tensor


def _load_clip(
    model: LegoModel, folder: Path, device: str | torch.device, dtype: torch.dtype
) -> None:
    shards, (rename,) = Shards(folder), ImageModality.external
    target = f"modalities.{ImageModality.name}.{rename.own}"
    ours = {name for name in model.state_dict() if name.startswith(target)}
    placed: dict[str, str] = {}
    problems: list[str] = []
    for name, entry in shards.entries.items():
        own = f"modalities.{ImageModality.name}.{rename.to_own(name)}"
        if own in ours and entry.shape == tuple(model.get_parameter(own).shape):
            placed[name] = own
        elif own in ours:
            problems.append(
                f"{name} has the shape {list(entry.shape)}, the model expects "
                f"{list(model.get_parameter(own).shape)}"
            )
        elif not any(re.fullmatch(pattern, name) for pattern in CLIP_UNUSED):
            problems.append(f"{name} is not a tensor of CLIP")
    problems += [f"{name.removeprefix(target)} is missing" for name in ours - set(placed.values())]
    if problems:
        raise CheckpointError(MISFIT_OF_FOLDER, folder=folder, problems=_listed(problems))
    _fill(model, shards, placed, device, dtype)


def _finish(
    model: LegoModel, device: str | torch.device, dtype: torch.dtype, fresh: Sequence[str]
) -> None:
    """Tables that are computed and not stored, and modalities that start untrained."""
    config = model.language.config
    model.language.model.rotary_emb = LlamaRotaryEmbedding(config).to(device)
    if ImageModality.name in model.modalities:
        embeddings = model.modality(ImageModality.name).encoder.tower.embeddings  # type: ignore[union-attr]
        positions = torch.arange(embeddings.num_positions, device=device)  # type: ignore[union-attr]
        embeddings.position_ids = positions.expand(1, -1)  # type: ignore[union-attr]
    for name in fresh:
        model.modalities[name] = type(model.modality(name))(model.config).to(
            device=device, dtype=dtype
        )
    left = [name for name, t in (*model.named_parameters(), *model.named_buffers()) if t.is_meta]
    if left:
        raise CheckpointError(MISFIT, problems=_listed([f"{name} was not filled" for name in left]))


def find_clip_folder(folder: Path, named: str | Path | None) -> Path | None:
    """The folder of CLIP's weights: `named`, or one of `CLIP_FOLDERS` inside the checkpoint folder
    or beside it; None where there is none. Raises CheckpointError where `named` is not one.
    """
    if named is not None:
        if not (Path(named) / "config.json").is_file():
            raise CheckpointError(
                "{named} holds no config.json: it is not a CLIP folder", named=named
            )
        return Path(named)
    places = (parent / name for parent in (folder, folder.parent) for name in CLIP_FOLDERS)
    return next((place for place in places if (place / "config.json").is_file()), None)
