"""LEGO at its true size, once, for real: a random 7B checkpoint in the published layout, loaded and
asked one question.

    python -m benchmarks.lego.full_size EMPTY_FOLDER VIDEO [--tokens 16]

Writes about 19 GB to EMPTY_FOLDER (bfloat16 `.bin` shards, a tokenizer of 32,000 pieces, the CLIP
tower), loads it in bfloat16, answers one question about the first 30 seconds of VIDEO, prints
seconds by stage and memory, and removes what it wrote. `--like FOLDER` takes the sizes of another
checkpoint folder, for trying it out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentencepiece import sentencepiece_model_pb2
from transformers import CLIPVisionConfig, CLIPVisionModel

from benchmarks.support.measure import memory_gb
from grounding.lego.checkpoint.load import find_clip_folder
from grounding.lego.checkpoint.shards import Shards
from grounding.lego.grounder import load_grounder
from grounding.lego.model.config import PUBLISHED_CLIP, PUBLISHED_LANGUAGE, find_dims
from grounding.lego.preprocess.image import CLIP_MEAN, CLIP_STD
from grounding.spans import Span
from indexer.media.decode.reader import sample_frames
from indexer.media.probe import probe

FIXTURES = Path(__file__).resolve().parents[2] / "tests" / "grounding" / "lego" / "fixtures"
PIECES = 32_000
SHARD_BYTES = 2 * 2**30
WINDOW_S = 30.0
QUESTION = "When does the dog use its paws to push off and ride the skateboard?"
PUBLISHED: Mapping[str, Any] = {
    "model_type": "LEGO",
    **PUBLISHED_LANGUAGE,
    "image_token_len": 576,
    "video_token_len": 64,
    "sound_token_len": 8,
    "num_query_token": 32,
    "max_frame": 64,
    "mm_vision_select_layer": -2,
    "mm_vision_select_feature": "patch",
    "mm_vision_tower": "openai/clip-vit-large-patch14-336",
    "video_patch_token": 32_003,
    "video_start_token": 32_004,
    "video_end_token": 32_005,
    "sound_patch_token": 32_006,
    "sound_start_token": 32_007,
    "sound_end_token": 32_008,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written: file contents and the shapes of all tensors."""

    config: Mapping[str, Any]
    dims: Mapping[str, Any] | None
    clip: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    clip_shapes: Mapping[str, tuple[int, ...]]
    pieces: int


def published_plan() -> Plan:
    """The sizes of the published model."""
    with gzip.open(FIXTURES / "full_size_names.tsv.gz", "rt") as lines:
        pairs = (line.rstrip("\n").split("\t") for line in lines)
        shapes = {
            name: tuple(int(size) for size in shape.strip("[]").split(",") if size.strip())
            for name, shape in pairs
        }
    clip = {"model_type": "clip_vision_model", **PUBLISHED_CLIP}
    return Plan(PUBLISHED, None, clip, shapes, clip_shapes(PUBLISHED_CLIP), PIECES)


def plan_like(folder: Path) -> Plan:
    """The sizes of another checkpoint folder."""
    clip_folder, dims = find_clip_folder(folder, None), find_dims(folder)
    if clip_folder is None:
        raise SystemExit(f"{folder} has no CLIP tower")
    config, clip = (
        json.loads((place / "config.json").read_text()) for place in (folder, clip_folder)
    )
    shapes = {name: entry.shape for name, entry in Shards(folder).entries.items()}
    sizes = json.loads(dims.read_text()) if dims else None
    return Plan(
        config,
        sizes,
        clip,
        shapes,
        {n: e.shape for n, e in Shards(clip_folder).entries.items()},
        config["vocab_size"] - 9,
    )


def clip_shapes(sizes: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Tensor name -> shape of a CLIP tower."""
    with torch.device("meta"):
        tower = CLIPVisionModel(CLIPVisionConfig(**sizes))
    return {
        f"vision_model.{name}": tuple(tensor.shape) for name, tensor in tower.state_dict().items()
    }


def write_checkpoint(folder: Path, plan: Plan) -> int:
    """Returns the bytes of all tensors."""
    (folder / "config.json").write_text(json.dumps(plan.config))
    if plan.dims is not None:
        (folder / "module_dims.json").write_text(json.dumps(plan.dims))
    write_tokenizer(folder, plan.pieces)
    clip = folder / "clip_tower"
    clip.mkdir()
    (clip / "config.json").write_text(json.dumps(plan.clip))
    crop = {"crop_size": plan.clip["image_size"], "image_mean": CLIP_MEAN, "image_std": CLIP_STD}
    (clip / "preprocessor_config.json").write_text(json.dumps(crop))
    return write_tensors(folder, plan.shapes) + write_tensors(clip, plan.clip_shapes)


def write_tensors(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Random numbers are drawn once and handed out in pieces: nine billion of them would take
    longer than everything else.
    """
    largest = max(int(np.prod(shape, dtype=np.int64)) for shape in shapes.values())
    pool = (
        torch.randn(min(2**26, largest), generator=torch.Generator().manual_seed(0))
        .mul_(0.02)
        .to(torch.bfloat16)
    )
    shards: list[dict[str, tuple[int, ...]]] = [{}]
    size = total = 0
    for name, shape in shapes.items():
        nbytes = 2 * int(np.prod(shape, dtype=np.int64))
        if size + nbytes > SHARD_BYTES and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][name] = shape
        size, total = size + nbytes, total + nbytes
    for i, shard in enumerate(shards):
        tensors = {name: _values(name, shape, pool) for name, shape in shard.items()}
        torch.save(tensors, folder / f"pytorch_model-{i + 1:05d}-of-{len(shards):05d}.bin")
    return total


def _values(name: str, shape: tuple[int, ...], pool: torch.Tensor) -> torch.Tensor:
    if name.endswith("position_ids"):
        return torch.arange(shape[-1]).expand(shape).clone()
    if "norm" in name.lower() and name.endswith("weight"):
        return torch.ones(shape, dtype=torch.bfloat16)
    count = int(np.prod(shape, dtype=np.int64))
    drawn = pool[:count] if count <= len(pool) else pool.repeat(-(-count // len(pool)))[:count]
    return drawn.reshape(shape).clone()


def write_tokenizer(folder: Path, pieces: int) -> None:
    """The small test tokenizer, filled up with pieces that no text contains."""
    source = FIXTURES / "tiny" / "tokenizer_base"
    for file in source.iterdir():
        shutil.copyfile(file, folder / file.name)
    model = sentencepiece_model_pb2.ModelProto.FromString((source / "tokenizer.model").read_bytes())
    for i in range(pieces - len(model.pieces)):
        model.pieces.add(piece=f"▁filler{i}", score=-1e6)
    (folder / "tokenizer.model").write_bytes(model.SerializeToString())


@contextmanager
def stage(name: str, report: dict[str, float]) -> Iterator[None]:
    """Notes the seconds of the block, and the memory held at its end."""
    start = time.perf_counter()
    yield
    report[f"{name}_s"] = time.perf_counter() - start
    report[f"{name}_held_gb"] = memory_gb("RssAnon")
    print(
        f"{name:<10} {report[f'{name}_s']:8.1f} s   {report[f'{name}_held_gb']:.2f} GB held beside "
        "the mapped files",
        flush=True,
    )


def read_clip(video: Path) -> tuple[np.ndarray, float]:
    """The frames `(64, H, W, 3) uint8` of the first window, and its seconds."""
    length_s = min(WINDOW_S, probe(video).duration_s)
    return sample_frames(
        video, times_s=np.arange(64) * length_s / 64, short_side=224
    ).images, length_s


def run(folder: Path, video: Path, plan: Plan, tokens: int) -> dict[str, float]:
    """Writes, loads and asks; seconds and gigabytes by name."""
    report: dict[str, float] = {}
    with stage("write", report):
        report["checkpoint_gb"] = write_checkpoint(folder, plan) / 1e9
    with stage("load", report):
        grounder = load_grounder(folder, dtype="bfloat16", max_new_tokens=tokens)
    report["weights_gb"] = sum(p.nbytes for p in grounder.model.parameters()) / 1e9
    with stage("frames", report):
        frames, length_s = read_clip(video)
    with stage("encode", report):
        window = grounder.read_frames(frames)
    with stage("answer", report):
        reply = grounder.ask(QUESTION, {"video": window})
    with stage("another", report):
        spans = grounder.ground(window, "the dog turns around", window=Span(0, length_s))
    report["parameters"] = sum(p.numel() for p in grounder.model.parameters())
    report["peak_resident_gb"] = memory_gb("VmHWM")
    report["tokens"] = len(reply.ids)
    print(f"wrote {len(reply.ids)} tokens (random weights: no meaning) and {len(spans)} spans")
    return report


def main(arguments: list[str] | None = None) -> None:
    """The last line on stdout is the report as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--like", type=Path)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    if any(options.folder.iterdir()):
        raise SystemExit(f"{options.folder} is not empty")
    try:
        report = run(
            options.folder,
            options.video,
            plan_like(options.like) if options.like else published_plan(),
            options.tokens,
        )
    finally:
        shutil.rmtree(options.folder)
    print(json.dumps({name: round(value, 3) for name, value in report.items()}))


if __name__ == "__main__":
    main()
