"""A LEGO of the published structure at sizes that a CPU trains in minutes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from grounding.lego.model.config import AudioDims, EvaDims, LegoConfig, QFormerDims
from grounding.lego.model.lego_model import LegoModel
from grounding.synthetic.draw import SIDE
from grounding.synthetic.scenes import FRAMES
from grounding.training.tiny.patches import PATCH, PATCHES


def tiny_config(vocab_size: int, *, first_new_id: int) -> LegoConfig:
    """`first_new_id`: id of the first of the nine placeholder tokens."""
    names = ("image", "video", "sound")
    return LegoConfig(
        language={
            "vocab_size": vocab_size,
            "hidden_size": 96,
            "intermediate_size": 216,
            "num_hidden_layers": 3,
            "num_attention_heads": 8,
            "num_key_value_heads": 8,
            "max_position_embeddings": 1024,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10_000.0,
        },
        clip={
            "hidden_size": 96,
            "intermediate_size": 256,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "image_size": SIDE,
            "patch_size": PATCH,
        },
        eva=EvaDims(image_size=SIDE, patch_size=PATCH, width=96, layers=3, heads=4, mlp_ratio=2.67),
        qformer=QFormerDims(
            width=64,
            layers=2,
            heads=4,
            mlp_width=192,
            cross_every=1,
            small_layers=2,
            small_cross_every=1,
        ),
        audio=AudioDims(width=64, layers=2, heads=4, out_width=64, patch=32, stride=24),
        image_tokens=PATCHES**2,
        video_tokens=FRAMES,
        frame_queries=1,
        max_frames=FRAMES,
        audio_tokens=2,
        audio_positions=8,
        placeholder_ids={
            name: (first_new_id + 3 * i, first_new_id + 3 * i + 1, first_new_id + 3 * i + 2)
            for i, name in enumerate(names)
        },
    )


@torch.no_grad()
def initialise(model: LegoModel, seed: int) -> None:
    """Values to start from. Tables of positions begin as waves, and query t of the video Q-Former
    at frame t.

    The language model's attention begins by matching like with like and by copying, which small
    transformers otherwise take most of their training to find ("Mimetic initialization of
    self-attention layers", arXiv 2305.09828).
    """
    torch.manual_seed(seed)
    _mimic(model)
    for module in model.modalities.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.trunc_normal_(module.weight, std=1 / math.sqrt(module.weight[0].numel()))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.MultiheadAttention):
            module._reset_parameters()
    video, image, sound = _parts(model)
    for table in (
        video.encoder.eva.pos_embed[0, 1:],
        image.encoder.tower.embeddings.position_embedding.weight[1:],
    ):
        table.copy_(grid_waves(math.isqrt(len(table)), table.shape[1]))
    nn.init.normal_(sound.encoder.stem.pos_embed, std=0.3)
    for token in (
        video.encoder.eva.cls_token,
        image.encoder.tower.embeddings.class_embedding,
        sound.encoder.stem.cls_token,
    ):
        nn.init.normal_(token, std=0.1)
    sound.encoder.log_logit_scale.fill_(math.log(8.0))
    nn.init.normal_(video.encoder.qformer.queries, std=0.5)
    _align_in_time(model)
    nn.init.normal_(sound.adapter.qformer.queries, std=0.5)
    nn.init.normal_(sound.adapter.positions.table.weight, std=0.1)


def _parts(model: LegoModel) -> list[Any]:
    """Video, image and sound; `Any` because torch does not know the kinds of submodules."""
    return [model.modality(name) for name in ("video", "image", "sound")]


def _mimic(model: LegoModel) -> None:
    inner: Any = model.language.model
    nn.init.normal_(inner.embed_tokens.weight, std=0.05)
    # a word is read as it is written
    model.language.lm_head.weight.copy_(inner.embed_tokens.weight)
    for layer in inner.layers:
        attention = layer.self_attn
        nn.init.normal_(attention.q_proj.weight, std=0.07)
        attention.k_proj.weight.copy_(attention.q_proj.weight)
        nn.init.normal_(attention.v_proj.weight, std=0.07)
        attention.o_proj.weight.copy_(attention.v_proj.weight.T)


def _align_in_time(model: LegoModel) -> None:
    (video, _, _), config = _parts(model), model.config
    frames = waves(torch.arange(config.max_frames) / config.max_frames, config.qformer.width)
    queries = waves(torch.arange(config.video_tokens) / config.video_tokens, config.qformer.width)
    # larger than what is in a frame, so that a query finds its own
    video.adapter.positions.table.weight.copy_(3 * frames)
    video.adapter.qformer.queries[0].copy_(queries)
    for layer in video.adapter.qformer.bert.encoder.layer:
        attention = layer.crossattention.attention
        attention.query.weight.mul_(1.5)
        attention.key.weight.copy_(attention.query.weight)


def waves(places: Tensor, width: int) -> Tensor:
    """`(N,)` in [0, 1] -> `(N, width)` sines and cosines of rising frequency."""
    rates = math.pi * 2.0 ** torch.linspace(0, 4, width // 2)
    angles = places[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def grid_waves(side: int, width: int) -> Tensor:
    """`(side * side, width)`, row by row: half the width for the row, half for the column."""
    line = waves((torch.arange(side) + 0.5) / side, width // 2)
    return torch.cat([line.repeat_interleave(side, 0), line.repeat(side, 1)], dim=1) * 0.7
