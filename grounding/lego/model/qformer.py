"""Q-Formers: learned queries that read a sequence by cross-attention (BLIP-2, arXiv 2301.12597).

The mathematics is transformers' `Blip2QFormerModel` without its text branch. LEGO has three: one
for each frame, one over all frames of a clip, one over the clips of a sound; the last two sit in a
`SequenceAdapter`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import Blip2QFormerConfig, Blip2QFormerModel

from grounding.errors import MediaError
from grounding.lego.model.config import QFormerDims
from grounding.lego.model.modality import Rename


class QFormer(nn.Module):
    """`queries` learned tokens read `(B, T, input_width)` and come back as `(B, queries,
    width)`.
    """

    def __init__(
        self, dims: QFormerDims, *, queries: int, input_width: int, layers: int, cross_every: int
    ) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.zeros(1, queries, dims.width))
        self.bert = Blip2QFormerModel(
            Blip2QFormerConfig(
                hidden_size=dims.width,
                num_hidden_layers=layers,
                num_attention_heads=dims.heads,
                intermediate_size=dims.mlp_width,
                hidden_act=dims.activation,
                layer_norm_eps=dims.norm_eps,
                cross_attention_frequency=cross_every,
                encoder_hidden_size=input_width,
                use_qformer_text_input=False,
            )
        )

    def forward(self, sequence: Tensor) -> Tensor:
        """`(B, T, input_width)` -> `(B, queries, width)`."""
        queries = self.queries.expand(len(sequence), -1, -1)
        return self.bert(query_embeds=queries, encoder_hidden_states=sequence).last_hidden_state


class Positions(nn.Module):
    """Adds a learned position to each step: `(B, N, Q, W)` -> `(B, N * Q, W)`."""

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(rows, width)

    def forward(self, steps: Tensor) -> Tensor:
        """Raises MediaError for more steps than there are positions."""
        rows = self.table.num_embeddings
        if steps.shape[1] > rows:
            raise MediaError(
                "{steps} steps in time, but this model has positions for {rows}",
                steps=steps.shape[1],
                rows=rows,
            )
        placed = steps + self.table.weight[: steps.shape[1], None]
        return placed.flatten(1, 2)


class SequenceAdapter(nn.Module):
    """Steps in time -> positions -> Q-Former -> tokens of the language model."""

    def __init__(
        self, dims: QFormerDims, *, positions: int, step_width: int, tokens: int, hidden_size: int
    ) -> None:
        super().__init__()
        self.positions = Positions(positions, step_width)
        self.qformer = QFormer(
            dims,
            queries=tokens,
            input_width=step_width,
            layers=dims.small_layers,
            cross_every=dims.small_cross_every,
        )
        self.projection = nn.Linear(dims.width, hidden_size)

    def forward(self, steps: Tensor) -> Tensor:
        """`(B, N, Q, step_width)` -> `(B, tokens, hidden_size)`."""
        return self.projection(self.qformer(self.positions(steps)))


def qformer_renames(published: str, queries: str, own: str) -> tuple[Rename, ...]:
    """Where the published tensors of one Q-Former and of its queries go."""
    return (
        Rename(f"{published}.bert.embeddings.LayerNorm.", f"{own}.bert.layernorm."),
        Rename(
            f"{published}.bert.encoder.",
            f"{own}.bert.encoder.",
            inner=("attention.self.", "attention.attention."),
        ),
        Rename(queries, f"{own}.queries"),
    )
