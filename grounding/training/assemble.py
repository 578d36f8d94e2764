"""`python -m grounding.training.assemble`: the checkpoint folder that stage 1 starts from, put
together from the public parts.

Adapters and the rows of the new tokens start untrained. Every tensor of the encoders and of the
language model must be found, in its shape; what else the files hold (BLIP-2's text branch, the last
block of EVA, other heads) is left out.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Annotated, Any

import torch
import typer
from safetensors.torch import save_file
from torch import Tensor

from grounding.errors import CheckpointError, GroundingError, TrainingError
from grounding.lego.checkpoint.load import CLIP_FOLDERS, empty_model, load_model, to_published
from grounding.lego.checkpoint.shards import Shards
from grounding.lego.model.config import (
    DIMS_FILE,
    LegoConfig,
    as_json,
    dims_as_json,
    published_config,
)
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.model.registry import MODALITIES
from grounding.lego.preprocess.tokenizer import LegoTokenizer

TABLES = ("model.embed_tokens.weight", "lm_head.weight")


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the public parts of an untrained LEGO lie."""

    language: Path
    """Folder of Vicuna-7B v1.5: weights and tokenizer."""
    eva: Path
    """EVA-CLIP-g as BLIP-2 distributes it, `eva_vit_g.pth`."""
    qformer: Path
    """BLIP-2's Q-Former with its queries and `ln_vision`, `blip2_pretrained_flant5xxl.pth`."""
    imagebind: Path
    """`imagebind_huge.pth`; of it the audio branch."""
    clip: Path
    """Folder of openai/clip-vit-large-patch14-336."""


def assemble(
    parts: Parts,
    output: Path,
    *,
    config: LegoConfig | None = None,
    dtype: torch.dtype = torch.bfloat16,
    seed: int = 0,
) -> None:
    """Writes `output`, a folder in the published layout. `config` with other sizes than the
    published ones is for tests. Raises TrainingError where `output` exists, CheckpointError for a
    part that lacks a tensor.
    """
    config = config or published_config()
    if output.exists():
        raise TrainingError(f"{output} exists already")
    part = output.with_name(output.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    model = empty_model(config, MODALITIES)
    wanted = {
        to_published(model, name): tuple(tensor.shape)
        for name, tensor in model.state_dict().items()
    }
    sources: tuple[tuple[str, Callable[[], Mapping[str, Tensor]], tuple[str, ...]], ...] = (
        (
            "language",
            lambda: _language(parts.language, wanted),
            ("model.layers.", "model.norm.", *TABLES),
        ),
        (
            "eva",
            lambda: _read_prefixed(parts.eva, "model.visual_encoder."),
            ("model.visual_encoder.",),
        ),
        (
            "qformer",
            lambda: _read_prefixed(parts.qformer, "model."),
            ("model.Qformer.", "model.query_tokens", "model.ln_vision."),
        ),
        (
            "imagebind",
            lambda: _read_prefixed(parts.imagebind, "model.audio_encoder."),
            ("model.audio_encoder.",),
        ),
        ("adapters", lambda: _adapters(config, model, seed), ("model.",)),
    )
    # CLIP stays in a folder of its own
    left = {name for name in wanted if not name.startswith("modalities.")}
    for number, (what, read, prefixes) in enumerate(sources, 1):
        own = {name for name in left if name.startswith(prefixes)}
        left -= own
        _write(
            part / f"model-{number:05d}-of-{len(sources):05d}.safetensors",
            what,
            read(),
            {name: wanted[name] for name in own},
            dtype,
        )
    for file, content in (("config.json", as_json(config)), (DIMS_FILE, dims_as_json(config))):
        (part / file).write_text(json.dumps(content, indent=2), encoding="utf-8")
    LegoTokenizer(parts.language).save(part)
    shutil.copytree(parts.clip, part / CLIP_FOLDERS[0])
    load_model(part, dtype=dtype)  # maps the files; says what does not fit
    part.rename(output)


def _write(
    file: Path,
    what: str,
    found: Mapping[str, Tensor],
    wanted: Mapping[str, tuple[int, ...]],
    dtype: torch.dtype,
) -> None:
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise CheckpointError(
            "the part {what} lacks {missing}, {missing_count} tensors in all: is it "
            "the right file?",
            what=what,
            missing=", ".join(missing[:4]),
            missing_count=len(missing),
        )
    unfit = next(
        (name for name, shape in wanted.items() if tuple(found[name].shape) != shape), None
    )
    if unfit:
        raise CheckpointError(
            "{unfit} of the part {what} has the shape {found_shape}, expected {wanted}",
            unfit=unfit,
            what=what,
            found_shape=list(found[unfit].shape),
            wanted=list(wanted[unfit]),
        )
    save_file(
        {name: found[name].to(dtype).contiguous() for name in wanted},
        file,
        metadata={"format": "pt"},
    )


def _language(folder: Path, wanted: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """New rows start as the mean of the old ones, as LLaVA's do."""
    shards = Shards(folder)
    tensors = dict(shards.read(list(shards.entries)))
    for name in set(TABLES) & set(tensors):
        table, rows = tensors[name], wanted[name][0]
        if len(table) < rows:
            mean = table.float().mean(dim=0, keepdim=True).to(table.dtype)
            tensors[name] = torch.cat([table, mean.expand(rows - len(table), -1)])
    return tensors


def _read_prefixed(file: Path, prefix: str) -> dict[str, Tensor]:
    try:
        stored: Any = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    except (RuntimeError, UnpicklingError, OSError, EOFError) as error:
        raise CheckpointError(
            "{file} cannot be read as tensors: {error}", file=file, error=error
        ) from error
    tensors = stored.get("model", stored) if isinstance(stored, dict) else {}
    return {prefix + name: tensor for name, tensor in tensors.items() if isinstance(tensor, Tensor)}


def _adapters(config: LegoConfig, model: LegoModel, seed: int) -> dict[str, Tensor]:
    """Made for real, with the starting values of their classes; queries and positions as BLIP-2's,
    normal with deviation .02.
    """
    torch.manual_seed(seed)
    found: dict[str, Tensor] = {}
    for kind in MODALITIES:
        with torch.device("meta"):
            modality = kind(config)
        adapter = modality.adapter.to_empty(device="cpu")
        for module in adapter.modules():
            _initialise(module)
        found |= {
            to_published(model, f"modalities.{kind.name}.adapter.{name}"): tensor
            for name, tensor in adapter.state_dict().items()
        }
    return found


@torch.no_grad()
def _initialise(module: torch.nn.Module) -> None:
    """Normal with deviation .02, as BERT and so the Q-Formers start; norms at one, biases at
    zero.
    """
    for name, parameter in module.named_parameters(recurse=False):
        if isinstance(module, torch.nn.LayerNorm):
            parameter.fill_(1.0 if name == "weight" else 0.0)
        elif name == "bias":
            parameter.zero_()
        else:
            parameter.normal_(std=0.02)


def main(
    language: Annotated[Path, typer.Option(help="Folder of Vicuna-7B v1.5.")],
    eva: Annotated[Path, typer.Option(help="eva_vit_g.pth")],
    qformer: Annotated[Path, typer.Option(help="blip2_pretrained_flant5xxl.pth")],
    imagebind: Annotated[Path, typer.Option(help="imagebind_huge.pth")],
    clip: Annotated[Path, typer.Option(help="Folder of openai/clip-vit-large-patch14-336.")],
    output: Annotated[Path, typer.Argument(help="Folder that is written.")],
) -> None:
    """Writes the checkpoint folder that stage 1 starts from."""
    try:
        assemble(Parts(language, eva, qformer, imagebind, clip), output)
    except GroundingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
