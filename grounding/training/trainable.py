"""Which numbers a stage trains: adapters and the rows of the new tokens; from stage 2 on the
language model too. Encoders never.

The rows of the new tokens are a parameter of their own, so that the frozen table beside them cannot
drift by a digit.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from peft.tuners.lora import LoraConfig, LoraModel
from torch import Tensor, nn

from grounding.errors import TrainingError
from grounding.lego.model.lego_model import LegoModel
from grounding.training.settings import StageSettings

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class NewRows(nn.Module):
    """An embedding table that is frozen but for the rows from `first` on."""

    def __init__(self, table: nn.Embedding, first: int) -> None:
        super().__init__()
        self.table = table
        self.first = first
        self.rows = nn.Parameter(table.weight[first:].detach().clone())

    @property
    def weight(self) -> Tensor:
        """The whole table, `(vocabulary, hidden_size)`."""
        return torch.cat([self.table.weight[: self.first], self.rows.to(self.table.weight)])

    def forward(self, ids: Tensor) -> Tensor:
        """`(B, T)` ids -> `(B, T, hidden_size)`."""
        new = ids >= self.first
        fresh = self.rows[(ids - self.first).clamp(min=0)].to(self.table.weight.dtype)
        return torch.where(new[..., None], fresh, self.table(ids))


class Trained:
    """Prepares a model for a stage, and makes it an ordinary model again."""

    def __init__(self, model: LegoModel, settings: StageSettings) -> None:
        self.model = model
        self._lora = None
        model.requires_grad_(False)
        for modality in model.modalities.values():
            modality.adapter.requires_grad_(True)  # type: ignore[union-attr]
            _set_dropout(modality.adapter, settings.dropout)  # type: ignore[arg-type]
        if settings.stage == 1 or settings.lora_rank:
            inner = model.language.model
            inner.embed_tokens = NewRows(inner.embed_tokens, first_new_id(model))  # type: ignore[assignment]
        if settings.stage > 1:
            self._train_language(settings)
        for parameter in self.parameters():
            # what is trained is kept in float32, whatever it is computed in
            parameter.data = parameter.data.float()

    def _train_language(self, settings: StageSettings) -> None:
        if not settings.lora_rank:
            self.model.language.requires_grad_(True)
            return
        config = LoraConfig(
            r=settings.lora_rank,
            lora_alpha=settings.lora_alpha,  # type: ignore[arg-type]
            lora_dropout=0.0,
            target_modules=list(LORA_TARGETS),
        )
        self._lora = LoraModel(self.model.language, config, "default")
        self.model.language.model.embed_tokens.requires_grad_(False).rows.requires_grad_(True)  # type: ignore[union-attr]

    def parameters(self) -> Iterator[nn.Parameter]:
        """Those that the stage trains."""
        return (parameter for parameter in self.model.parameters() if parameter.requires_grad)

    def names(self) -> list[str]:
        """Their names in the model."""
        return [
            name for name, parameter in self.model.named_parameters() if parameter.requires_grad
        ]

    @torch.no_grad()
    def finish(self) -> LegoModel:
        """Merges LoRA and the new rows; all names are as they were before the stage."""
        if self._lora is not None:
            self._lora.merge_and_unload()
            self._lora = None
        embedding = self.model.language.model.embed_tokens
        if isinstance(embedding, NewRows):
            embedding.table.weight[embedding.first :] = embedding.rows.to(embedding.table.weight)
            self.model.language.model.embed_tokens = embedding.table
        return self.model.requires_grad_(False).eval()


def first_new_id(model: LegoModel) -> int:
    """The rows from this one on belong to placeholder tokens."""
    ids = [i for own in model.config.placeholder_ids.values() for i in own]
    first, size = min(ids), model.config.vocab_size
    if sorted(ids) != list(range(first, size)):
        raise TrainingError(
            f"the placeholder tokens have the ids {sorted(ids)}, which are not the last ones of a "
            f"vocabulary of {size}"
        )
    return first


def _set_dropout(module: nn.Module, share: float) -> None:
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = share
        # a number and not a module in transformers' Q-Former
        if hasattr(part, "attention_dropout"):
            part.attention_dropout = share  # type: ignore[assignment]
