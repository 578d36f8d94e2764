"""EVA-CLIP-g's vision transformer: pre-norm, biases on query and value but none on key, no final
norm, class token kept.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from grounding.lego.model.config import EvaDims


class EvaVision(nn.Module):
    """The whole transformer. Its parameters have the published names."""

    def __init__(self, dims: EvaDims) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(dims)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dims.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, dims.tokens, dims.width))
        self.blocks = nn.ModuleList(EvaBlock(dims) for _ in range(dims.layers))

    def forward(self, images: Tensor) -> Tensor:
        """`(B, 3, S, S)` -> `(B, 1 + patches, width)`, class token first."""
        patches = self.patch_embed(images)
        x = torch.cat([self.cls_token.expand(len(images), -1, -1), patches], dim=1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return x


class PatchEmbed(nn.Module):
    """Cuts an image into patches and projects each."""

    def __init__(self, dims: EvaDims) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dims.width, dims.patch_size, stride=dims.patch_size)

    def forward(self, images: Tensor) -> Tensor:
        """`(B, 3, S, S)` -> `(B, patches, width)`."""
        return self.proj(images).flatten(2).transpose(1, 2)


class EvaBlock(nn.Module):
    """Attention and feed-forward layer, each behind its norm."""

    def __init__(self, dims: EvaDims) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dims.width, eps=dims.norm_eps)
        self.attn = EvaAttention(dims.width, dims.heads)
        self.norm2 = nn.LayerNorm(dims.width, eps=dims.norm_eps)
        self.mlp = Mlp(dims.width, dims.mlp_width)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, T, width)` -> the same shape."""
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class EvaAttention(nn.Module):
    """Self-attention; key has no bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(width))
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, T, width)` -> the same shape."""
        B, T, C = x.shape
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = functional.linear(x, self.qkv.weight, bias)
        query, key, value = qkv.view(B, T, 3, self.heads, C // self.heads).permute(
            2, 0, 3, 1, 4
        )  # each (B, heads, T, C / heads)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).reshape(B, T, C))


class Mlp(nn.Module):
    """Linear, exact GELU, linear. The names `fc1` and `fc2` are those of the published tensors."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """`(..., width)` -> the same shape."""
        return self.fc2(functional.gelu(self.fc1(x)))
