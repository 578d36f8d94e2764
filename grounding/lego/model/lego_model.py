"""LEGO: a registry of modalities in front of a Llama. What a modality is stands in `modality.py`,
which there are in `registry.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_outputs import CausalLMOutputWithPast

from grounding.errors import MediaError, PromptError
from grounding.lego.model.config import LegoConfig
from grounding.lego.model.modality import Modality, Rename
from grounding.lego.model.registry import MODALITIES
from grounding.lego.model.splice import placeholder_starts, splice


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One medium as the language model reads it; encode once, ask many questions. Equality is
    identity.
    """

    modality: str
    tokens: Tensor
    """`(n, hidden_size)`"""

    def __repr__(self) -> str:
        return f"Encoded({self.modality}, {tuple(self.tokens.shape)})"


Media: TypeAlias = Mapping[str, Sequence["Tensor | Encoded"]]
"""Modality name -> the items of one row, in the order of their placeholders."""


class LegoModel(nn.Module):
    """A Llama whose prompts hold media. On the meta device until a checkpoint is loaded."""

    language_renames: ClassVar[tuple[Rename, ...]] = (
        Rename("lm_head.", "language.lm_head."),
        Rename("model.embed_tokens.", "language.model.embed_tokens."),
        Rename("model.layers.", "language.model.layers."),
        Rename("model.norm.", "language.model.norm."),
    )
    # saved by older transformers
    language_unused: ClassVar[tuple[str, ...]] = (
        r"model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq",
    )

    def __init__(
        self, config: LegoConfig, modalities: Sequence[type[Modality]] = MODALITIES
    ) -> None:
        super().__init__()
        self.config = config
        self.language = LlamaForCausalLM(LlamaConfig(**_llama_arguments(config)))
        self.modalities = nn.ModuleDict({kind.name: kind(config) for kind in modalities})

    @property
    def device(self) -> torch.device:
        """Where the language model lies."""
        return self.language.lm_head.weight.device

    def modality(self, name: str) -> Modality:
        """Raises MediaError for one that this model lacks."""
        if name not in self.modalities:
            raise MediaError(
                "this model has no modality {name}; it has {modalities}",
                name=repr(name),
                modalities=", ".join(self.modalities),
            )
        return self.modalities[name]  # type: ignore[return-value]

    def encode(self, name: str, items: Sequence[Tensor]) -> list[Encoded]:
        """Each item has its modality's shape without a batch dimension; those of one shape go
        through the encoder together.
        """
        modality = self.modality(name)
        for item in items:
            modality.check(item)
        groups: dict[torch.Size, list[int]] = {}
        for i, item in enumerate(items):
            groups.setdefault(item.shape, []).append(i)
        encoded: dict[int, Encoded] = {}
        for indices in groups.values():
            tokens = modality(torch.stack([items[i].to(self.device) for i in indices]))
            encoded.update((i, Encoded(name, own)) for i, own in zip(indices, tokens))
        return [encoded[i] for i in range(len(items))]

    def embed(
        self, input_ids: Tensor, media: Sequence[Media] | None = None, *, allow_unused: bool = False
    ) -> Tensor:
        """`(B, T)` ids and the media of each row -> `(B, T, hidden_size)`.

        Raises PromptError unless every placeholder has its item; `allow_unused` accepts items of a
        modality that the row does not name.
        """
        media = [{}] * len(input_ids) if media is None else media
        if len(media) != len(input_ids):
            raise PromptError(
                "{input_ids_count} prompts, but media for {media_count}",
                input_ids_count=len(input_ids),
                media_count=len(media),
            )
        embeds = self.language.model.embed_tokens(input_ids)
        for name in dict.fromkeys((*self.modalities, *(name for row in media for name in row))):
            places, items = self._places(name, input_ids, media, allow_unused)
            if items:
                embeds = splice(
                    embeds, places, [one.tokens for one in self._encode_rest(name, items)]
                )
        return embeds

    def _places(
        self, name: str, input_ids: Tensor, media: Sequence[Media], allow_unused: bool
    ) -> tuple[list[tuple[int, int]], list[Tensor | Encoded]]:
        modality, placeholder = self.modality(name), self.placeholder_ids(name)
        places: list[tuple[int, int]] = []
        items: list[Tensor | Encoded] = []
        for row, (ids, own) in enumerate(zip(input_ids, media)):
            firsts = placeholder_starts(ids, placeholder, modality.tokens)
            row_items = list(own.get(name, ()))
            if allow_unused and not firsts:
                continue
            if len(firsts) != len(row_items):
                raise PromptError(
                    "prompt {row} has {firsts_count} placeholders for {name}, but "
                    "{row_items_count} items",
                    row=row,
                    firsts_count=len(firsts),
                    name=name,
                    row_items_count=len(row_items),
                )
            places += [(row, first) for first in firsts]
            items += row_items
        return places, items

    def _encode_rest(self, name: str, items: Sequence[Tensor | Encoded]) -> list[Encoded]:
        wrong = next(
            (item for item in items if isinstance(item, Encoded) and item.modality != name), None
        )
        if wrong is not None:
            raise MediaError(
                "an encoded {modality} stands among the items of {name}",
                modality=wrong.modality,
                name=name,
            )
        fresh = iter(self.encode(name, [item for item in items if not isinstance(item, Encoded)]))
        return [item if isinstance(item, Encoded) else next(fresh) for item in items]

    def forward(
        self,
        input_ids: Tensor,
        media: Sequence[Media] | None = None,
        *,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        allow_unused: bool = False,
    ) -> CausalLMOutputWithPast:
        """Logits `(B, T, vocabulary)`; with labels (-100: no target) also the mean cross-entropy of
        the next token.
        """
        embeds = self.embed(input_ids, media, allow_unused=allow_unused)
        return self.language(
            inputs_embeds=embeds, attention_mask=attention_mask, labels=labels, use_cache=False
        )

    def placeholder_ids(self, name: str) -> tuple[int, int, int]:
        """Ids of the patch, start and end tokens of a modality. Raises PromptError where none are
        known.
        """
        if name not in self.config.placeholder_ids:
            raise PromptError(
                "no token ids are known for the placeholder of {name}; grow the model's "
                "vocabulary by it first",
                name=repr(name),
            )
        return self.config.placeholder_ids[name]

    @torch.no_grad()
    def grow_vocabulary(self, placeholder_ids: Mapping[str, tuple[int, int, int]]) -> None:
        """Makes room for the tokens of new modalities; their rows start as the mean of the old
        ones, as LLaVA does.
        """
        old = self.config.vocab_size
        size = max(old, 1 + max(max(ids) for ids in placeholder_ids.values()))
        if size > old:
            self.language.resize_token_embeddings(size, mean_resizing=False)
            for table in (self.language.model.embed_tokens.weight, self.language.lm_head.weight):
                table[old:] = table[:old].mean(dim=0)
        language = {**self.config.language, "vocab_size": size}
        self.config = self.config.with_changes(
            language=language, placeholder_ids={**self.config.placeholder_ids, **placeholder_ids}
        )


def _llama_arguments(config: LegoConfig) -> dict:
    """transformers 5 wants rope settings in one dictionary; older configurations have a number and
    an optional dictionary.
    """
    arguments = dict(config.language)
    scaling = arguments.pop("rope_scaling", None) or {}
    rope = {
        "rope_type": scaling.get("rope_type", scaling.get("type", "default")),
        "rope_theta": arguments.pop("rope_theta", 10_000.0),
    }
    extra = {key: value for key, value in scaling.items() if key not in ("type", "rope_type")}
    return {**arguments, "rope_parameters": {**rope, **extra}}
