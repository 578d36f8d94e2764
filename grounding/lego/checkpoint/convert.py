"""`python -m grounding.lego.checkpoint.convert SRC DST`: a published folder as safetensors,
complete, with its CLIP tower inside.

Every tensor is kept, those that LEGO never reads too. DST appears only when it is whole.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from grounding.errors import CheckpointError, LegoError
from grounding.lego.checkpoint.load import (
    CLIP_FOLDERS,
    empty_model,
    find_clip_folder,
    follow_audio_positions,
    place,
)
from grounding.lego.checkpoint.shards import Shards
from grounding.lego.model.config import DIMS_FILE, find_dims, read_config
from grounding.lego.model.registry import MODALITIES

SHARD_BYTES = 2 * 2**30
WEIGHT_SUFFIXES = (".bin", ".safetensors", ".pt", ".pth", ".msgpack", ".h5")


def convert(
    source: str | Path,
    target: str | Path,
    *,
    clip_folder: str | Path | None = None,
    dtype: torch.dtype | None = None,
    without: Sequence[str] = (),
    shard_bytes: int = SHARD_BYTES,
) -> Path:
    """Checks the checkpoint against the model, then writes it to `target`, which must not exist.
    `dtype`: None keeps each tensor's own.
    """
    source, target = Path(source), Path(target)
    if target.exists():
        raise CheckpointError(
            "{target} exists already; remove it or name another folder", target=target
        )
    clip = find_clip_folder(source, clip_folder)
    check(source, clip, without)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        whole = Path(temporary) / target.name
        _write_folder(source, whole, dtype, shard_bytes)
        if clip is not None:
            _write_folder(clip, whole / CLIP_FOLDERS[0], dtype, shard_bytes)
        dims = find_dims(source)
        if dims is not None:
            shutil.copyfile(dims, whole / DIMS_FILE)
        if without:
            _name_absent(whole / "config.json", without)
        whole.rename(target)
    return target


def check(source: Path, clip: Path | None, without: Sequence[str]) -> None:
    """Raises CheckpointError unless every tensor of the checkpoint has its place."""
    shards = Shards(source)
    config = follow_audio_positions(read_config(source, clip), shards.entries)
    off = {*without, *config.without}
    model = empty_model(config, [kind for kind in MODALITIES if kind.name not in off])
    place({name: entry.shape for name, entry in shards.entries.items()}, model, off=off)


def _write_folder(source: Path, target: Path, dtype: torch.dtype | None, shard_bytes: int) -> None:
    target.mkdir()
    for file in source.iterdir():
        if (
            file.is_file()
            and file.suffix not in WEIGHT_SUFFIXES
            and not file.name.endswith(".index.json")
        ):
            shutil.copyfile(file, target / file.name)
    shards = Shards(source)
    parts = list(_parts(shards, shard_bytes))
    weight_map: dict[str, str] = {}
    for i, names in enumerate(parts):
        file = (
            "model.safetensors"
            if len(parts) == 1
            else f"model-{i + 1:05d}-of-{len(parts):05d}.safetensors"
        )
        save_file(
            {name: _cast(tensor, dtype) for name, tensor in shards.read(names)},
            target / file,
            metadata={"format": "pt"},
        )
        weight_map.update(dict.fromkeys(names, file))
    if len(parts) > 1:
        index = {
            "metadata": {"total_size": sum(e.nbytes for e in shards.entries.values())},
            "weight_map": weight_map,
        }
        (target / "model.safetensors.index.json").write_text(
            json.dumps(index, indent=1), encoding="utf-8"
        )


def _parts(shards: Shards, shard_bytes: int) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for name, entry in shards.entries.items():
        if part and size + entry.nbytes > shard_bytes:
            yield part
            part, size = [], 0
        part.append(name)
        size += entry.nbytes
    yield part


def _cast(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    cast = tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor
    # the format refuses tensors that share memory
    return cast.clone(memory_format=torch.contiguous_format)


def _name_absent(file: Path, without: Sequence[str]) -> None:
    raw = json.loads(file.read_text(encoding="utf-8"))
    raw["without_modalities"] = sorted({*raw.get("without_modalities", ()), *without})
    file.write_text(json.dumps(raw, indent=2), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the conversion; its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grounding.lego.checkpoint.convert", description=__doc__
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument(
        "--clip", type=Path, help="folder of CLIP ViT-L/14-336, if it is not beside or inside SRC"
    )
    parser.add_argument(
        "--dtype", choices=("bfloat16", "float16", "float32"), help="default: each tensor's own"
    )
    parser.add_argument(
        "--without", action="append", default=[], choices=[kind.name for kind in MODALITIES]
    )
    options = parser.parse_args(arguments)
    dtype = getattr(torch, options.dtype) if options.dtype else None
    try:
        target = convert(
            options.source,
            options.target,
            clip_folder=options.clip,
            dtype=dtype,
            without=options.without,
        )
    except LegoError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
