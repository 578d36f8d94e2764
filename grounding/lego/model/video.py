"""Video: EVA-CLIP-g and BLIP-2's Q-Former on each frame, then frame positions and a Q-Former over
all of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from grounding.errors import MediaError
from grounding.lego.model.config import LegoConfig
from grounding.lego.model.eva import EvaVision
from grounding.lego.model.modality import Modality, Placeholder, Rename, check_shape
from grounding.lego.model.qformer import QFormer, SequenceAdapter, qformer_renames

FRAMES_AT_ONCE = 64
"""Through the vision transformer: bounds its memory for batches of windows."""


class Float32LayerNorm(nn.LayerNorm):
    """Computes in float32 whatever the model's dtype, as BLIP-2 does, and returns the dtype of its
    input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape whose last dimension is normalised."""
        wide = functional.layer_norm(
            input.float(), self.normalized_shape, self.weight.float(), self.bias.float(), self.eps
        )
        return wide.to(input.dtype)


class FrameEncoder(nn.Module):
    """EVA-CLIP-g, a norm and BLIP-2's Q-Former, on each frame by itself."""

    def __init__(self, config: LegoConfig) -> None:
        super().__init__()
        dims = config.qformer
        self.eva = EvaVision(config.eva)
        self.norm = Float32LayerNorm(config.eva.width, eps=1e-5)
        self.qformer = QFormer(
            dims,
            queries=config.frame_queries,
            input_width=config.eva.width,
            layers=dims.layers,
            cross_every=dims.cross_every,
        )

    def forward(self, clips: Tensor) -> Tensor:
        """`(B, 3, T, S, S)` -> `(B, T, queries, width)`."""
        B, _, T = clips.shape[:3]
        frames = clips.transpose(1, 2).flatten(0, 1)  # (B * T, 3, S, S)
        read = [self.qformer(self.norm(self.eva(part))) for part in frames.split(FRAMES_AT_ONCE)]
        return torch.cat(read).unflatten(0, (B, T))


class VideoModality(Modality):
    """Items are `(3, T, S, S)` float32, as `preprocess.video.clip_tensor` makes them."""

    name = "video"
    marker = "<video>"
    placeholder = Placeholder("<vi_patch>", "<vi_start>", "<vi_end>")
    renames = (
        Rename("model.visual_encoder.", "encoder.eva."),
        Rename("model.ln_vision.", "encoder.norm."),
        *qformer_renames("model.Qformer", "model.query_tokens", "encoder.qformer"),
        Rename("model.video_frame_position_embedding.", "adapter.positions.table."),
        *qformer_renames("model.video_Qformer", "model.video_query_tokens", "adapter.qformer"),
        Rename("model.llama_proj.", "adapter.projection."),
    )
    unused = (r"model\.(video_)?Qformer\.bert\.embeddings\.position_ids",)

    def __init__(self, config: LegoConfig) -> None:
        super().__init__(config)
        self.encoder = FrameEncoder(config)
        self.adapter = SequenceAdapter(
            config.qformer,
            positions=config.max_frames,
            step_width=config.qformer.width,
            tokens=config.video_tokens,
            hidden_size=config.hidden_size,
        )

    @property
    def tokens(self) -> int:
        """Video queries."""
        return self.config.video_tokens

    def check(self, item: Tensor) -> None:
        """Raises MediaError for another shape, or for more frames than there are positions."""
        size = self.config.eva.image_size
        check_shape("a clip (channels, frames, height, width)", item, (3, None, size, size))
        if item.shape[1] > self.config.max_frames:
            raise MediaError(
                "a clip has {frames} frames; this model reads at most {max_frames}",
                frames=item.shape[1],
                max_frames=self.config.max_frames,
            )
