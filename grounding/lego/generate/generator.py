"""Greedy decoding with a key-value cache, in batches, that never encodes a medium or reads a shared
beginning twice.

Prompts of different lengths are padded on the left; positions count real tokens only. What all
prompts of a call share (the system text, the window) is read once, and what a later call shares
with an earlier one is not read again.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from transformers import DynamicCache

from grounding.errors import PromptError
from grounding.lego.model.lego_model import Encoded, LegoModel, Media
from grounding.lego.model.splice import placeholder_starts
from grounding.lego.preprocess.prompts import STOP
from grounding.lego.preprocess.tokenizer import LegoTokenizer

Layers: TypeAlias = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, `(B, heads, T, head size)`."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids with the media that their placeholders stand for, in order."""

    ids: tuple[int, ...]
    media: Media = field(default_factory=dict)
    """Of `Encoded` items: generation never runs an encoder."""


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """How far, and how, tokens are chosen."""

    max_new_tokens: int = 128
    stop: str = STOP
    temperature: float = 0.0
    """0 takes the best token; the published code samples at .2."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote. `text` ends before the stop string."""

    text: str
    ids: tuple[int, ...]
    ended: Literal["stop", "end", "budget"]
    """By the stop string, by the end token, or because the budget of tokens was used up."""


class Generator:
    """Holds the keys and values of the last prompt; calls are serialised by a lock."""

    def __init__(
        self,
        model: LegoModel,
        tokenizer: LegoTokenizer,
        config: GenerationConfig = GenerationConfig(),
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.config = config
        self._prefix = PrefixCache()
        self._lock = threading.Lock()

    @torch.inference_mode()
    def generate(
        self, prompts: Sequence[Prompt], config: GenerationConfig | None = None
    ) -> list[Reply]:
        """One reply for each prompt, in order. Raises PromptError for a prompt that does not fit
        into the context or does not belong to its media.
        """
        if not prompts:
            return []
        config = self._within_context(prompts, config or self.config)
        with self._lock:
            state, logits = self._start(prompts)
            return self._continue(prompts, state, logits, config)

    @torch.inference_mode()
    def probabilities(self, prompts: Sequence[Prompt], ids: Sequence[int]) -> Tensor:
        """`(B, len(ids))` float32: how probable each of these tokens is as the first of the reply,
        against the others. Raises PromptError.
        """
        self._within_context(prompts, self.config)
        with self._lock:
            _, logits = self._start(prompts)
        return logits[:, list(ids)].softmax(dim=-1)

    def forget(self) -> None:
        """Frees the keys and values kept from the last prompt."""
        with self._lock:
            self._prefix = PrefixCache()

    def _within_context(
        self, prompts: Sequence[Prompt], config: GenerationConfig
    ) -> GenerationConfig:
        context = int(self.model.language.config.max_position_embeddings)
        longest = max(len(prompt.ids) for prompt in prompts)
        if not all(prompt.ids for prompt in prompts) or longest >= context:
            raise PromptError(
                "a prompt has {longest} tokens; this model reads 1 to {context}",
                longest=longest,
                context=context - 1,
            )
        return replace(config, max_new_tokens=min(config.max_new_tokens, context - longest))

    def _start(self, prompts: Sequence[Prompt]) -> tuple[DecodeState, Tensor]:
        model = self.model
        embeds = [
            model.embed(torch.tensor([p.ids], device=model.device), [p.media])[0] for p in prompts
        ]
        keys = [token_keys(model, p) for p in prompts]
        if len(prompts) == 1:
            shared = min(self._prefix.matches(keys[0]), len(keys[0]) - 1)
        else:
            shared = min(_common(keys), min(map(len, keys)) - 1)
            self._prefix = self._prefix.extend(model, keys[0][:shared], embeds[0][:shared])
        state = DecodeState(model, self._prefix.layers_until(shared), rows=len(prompts))
        padded, mask = pad_left([row[shared:] for row in embeds])
        return state, state.push(padded, mask)

    def _continue(
        self,
        prompts: Sequence[Prompt],
        state: DecodeState,
        logits: Tensor,
        config: GenerationConfig,
    ) -> list[Reply]:
        written: list[list[int]] = [[] for _ in prompts]
        replies: dict[int, Reply] = {}
        rng = torch.Generator(device=logits.device).manual_seed(config.seed)
        for _ in range(config.max_new_tokens):
            chosen = choose(logits, config.temperature, rng)
            for row, token in enumerate(chosen.tolist()):
                if row not in replies:
                    written[row].append(token)
                    reply = self._reply_if_finished(written[row], config)
                    if reply is not None:
                        replies[row] = reply
            if len(replies) == len(prompts) or len(written[0]) >= config.max_new_tokens:
                break
            logits = state.push(self.model.language.model.embed_tokens(chosen)[:, None])
        if len(prompts) == 1:
            fed = written[0][: state.length - len(prompts[0].ids)]
            self._prefix = PrefixCache((*token_keys(self.model, prompts[0]), *fed), state.layers())
        return [
            replies.get(row) or self._reply(ids, config, "budget")
            for row, ids in enumerate(written)
        ]

    def _reply_if_finished(self, ids: list[int], config: GenerationConfig) -> Reply | None:
        if ids[-1] == self.tokenizer.end_id:
            return self._reply(ids, config, "end")
        return (
            self._reply(ids, config, "stop") if config.stop in self.tokenizer.decode(ids) else None
        )

    def _reply(
        self, ids: list[int], config: GenerationConfig, ended: Literal["stop", "end", "budget"]
    ) -> Reply:
        return Reply(self.tokenizer.decode(ids).split(config.stop)[0].strip(), tuple(ids), ended)


class DecodeState:
    """Rows of tokens that grow together, with their keys and values. `push` takes the next
    embeddings and gives the logits after them.
    """

    def __init__(self, model: LegoModel, layers: Layers, rows: int) -> None:
        self.model = model
        self.cache = DynamicCache()
        for i, (keys, values) in enumerate(layers):
            self.cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), i)
        self.mask = torch.ones(
            rows, layers[0][0].shape[2] if layers else 0, dtype=torch.bool, device=model.device
        )

    @property
    def length(self) -> int:
        """Tokens so far, padding included."""
        return self.mask.shape[1]

    def push(self, embeds: Tensor, mask: Tensor | None = None) -> Tensor:
        """`(B, T, H)`, and `(B, T)` bool with False for padding on the left -> `(B, vocabulary)`
        float32.
        """
        fresh = (
            torch.ones(embeds.shape[:2], dtype=torch.bool, device=embeds.device)
            if mask is None
            else mask
        )
        self.mask = torch.cat([self.mask, fresh], dim=1)
        positions = (self.mask.long().cumsum(dim=1) - 1).clamp(min=0)[:, -embeds.shape[1] :]
        output = self.model.language(
            inputs_embeds=embeds,
            attention_mask=self.mask.long(),
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[:, -1].float()

    def layers(self) -> Layers:
        """Keys and values of each layer."""
        return [(layer.keys, layer.values) for layer in self.cache.layers]  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class PrefixCache:
    """One row of tokens that was read already: `keys` say which, `layers` hold their keys and
    values for attention.
    """

    keys: tuple[int | Encoded, ...] = ()
    layers: Layers = field(default_factory=list)

    def matches(self, keys: Sequence[int | Encoded]) -> int:
        """How many of the first tokens of `keys` are read already."""
        return _common([self.keys, keys])

    def layers_until(self, length: int) -> Layers:
        """Keys and values of the first `length` tokens."""
        return (
            [(keys[:, :, :length], values[:, :, :length]) for keys, values in self.layers]
            if length
            else []
        )

    def extend(
        self, model: LegoModel, keys: Sequence[int | Encoded], embeds: Tensor
    ) -> PrefixCache:
        """Itself if it begins with `keys`; else a row of exactly `keys`, of which only the unread
        part is read.
        """
        known = self.matches(keys)
        if known == len(keys):
            return self
        state = DecodeState(model, self.layers_until(known), rows=1)
        state.push(embeds[None, known:])
        return PrefixCache(tuple(keys), state.layers())


def token_keys(model: LegoModel, prompt: Prompt) -> tuple[int | Encoded, ...]:
    """For each token what decides its embedding: its id, or for a patch the medium that it shows.
    Raises PromptError for media that are not encoded.
    """
    keys: list[int | Encoded] = list(prompt.ids)
    ids = torch.tensor(prompt.ids)
    for name, items in prompt.media.items():
        tokens = model.modality(name).tokens
        for first, item in zip(placeholder_starts(ids, model.placeholder_ids(name), tokens), items):
            if not isinstance(item, Encoded):
                raise PromptError("generation takes encoded media, and a {name} is not", name=name)
            keys[first : first + tokens] = [item] * tokens
    return tuple(keys)


def pad_left(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """`(T_i, H)` each -> `(B, max T, H)` and a `(B, max T)` bool mask of the real ones."""
    longest = max(map(len, rows))
    padded = torch.stack(
        [torch.cat([row.new_zeros(longest - len(row), row.shape[1]), row]) for row in rows]
    )
    lengths = torch.tensor([len(row) for row in rows], device=padded.device)
    return padded, torch.arange(longest, device=padded.device) >= longest - lengths[:, None]


def choose(logits: Tensor, temperature: float, rng: torch.Generator) -> Tensor:
    """`(B, vocabulary)` logits -> `(B,)` ids: the best, or above temperature 0 drawn by `rng`."""
    if temperature <= 0:
        return logits.argmax(dim=-1)
    return torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=rng)[:, 0]


def _common(rows: Sequence[Sequence[int | Encoded]]) -> int:
    """Length of the common beginning."""
    first, shortest = rows[0], min(map(len, rows))
    return next(
        (i for i in range(shortest) if any(row[i] != first[i] for row in rows[1:])), shortest
    )
