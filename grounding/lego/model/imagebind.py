"""ImageBind's audio branch (arXiv 2305.05665): overlapping patches of a mel spectrogram ->
transformer -> one vector a clip.

Written from the mathematics; its weights are CC BY-NC-SA 4.0. Other branches of ImageBind are in
LEGO's checkpoint but no output of LEGO depends on them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from grounding.lego.model.config import AudioDims
from grounding.lego.model.eva import Mlp

MAX_LOGIT_SCALE = 100.0


class ImageBindAudio(nn.Module):
    """The whole branch. Its parameters have names of our own."""

    def __init__(self, dims: AudioDims) -> None:
        super().__init__()
        self.stem = AudioStem(dims)
        self.blocks = nn.Sequential(*(AudioBlock(dims) for _ in range(dims.layers)))
        self.norm = nn.LayerNorm(dims.width, eps=dims.norm_eps)
        self.head = nn.Linear(dims.width, dims.out_width, bias=False)
        self.register_buffer("log_logit_scale", torch.zeros(()))

    def forward(self, sounds: Tensor) -> Tensor:
        """`(B, N, 1, mels, frames)` -> `(B, N, 1, out_width)`: unit vectors times the learned
        scale.
        """
        B, N = sounds.shape[:2]
        x = self.blocks(self.stem(sounds.flatten(0, 1)))
        class_token = self.norm(x[:, 0])
        unit = functional.normalize(self.head(class_token), dim=-1)
        scale = self.log_logit_scale.exp().clip(max=MAX_LOGIT_SCALE)  # type: ignore[operator]
        return (unit * scale).view(B, N, 1, -1)


class AudioStem(nn.Module):
    """Overlapping patches, class token, positions."""

    def __init__(self, dims: AudioDims) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, dims.width, dims.patch, stride=dims.stride, bias=False)
        self.norm_layer = nn.LayerNorm(dims.width, eps=dims.stem_eps)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dims.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, dims.tokens, dims.width))

    def forward(self, mels: Tensor) -> Tensor:
        """`(B, 1, mels, frames)` -> `(B, 1 + patches, width)`."""
        patches = self.norm_layer(self.proj(mels).flatten(2).transpose(1, 2))
        return (
            torch.cat([self.cls_token.expand(len(mels), -1, -1), patches], dim=1) + self.pos_embed
        )


class AudioBlock(nn.Module):
    """Attention and feed-forward layer, each behind its norm."""

    def __init__(self, dims: AudioDims) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(dims.width, eps=dims.norm_eps)
        # bias_k and bias_v: one more learned key and value that every token may attend to
        self.attn = nn.MultiheadAttention(
            dims.width, dims.heads, add_bias_kv=True, batch_first=True
        )
        self.norm_2 = nn.LayerNorm(dims.width, eps=dims.norm_eps)
        self.mlp = Mlp(dims.width, 4 * dims.width)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, T, width)` -> the same shape."""
        normed = self.norm_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False)[0]
        return x + self.mlp(self.norm_2(x))
