"""LEGO with random weights: to load, to encode a window, to write, and a step of each training
stage.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import StaticCache

from benchmarks.gpu.report import Table, peak_gb, time_s, wait
from benchmarks.lego.generation import PLACEHOLDER, Size, prompt_ids, random_model
from grounding.lego.generate.generator import DecodeState
from grounding.lego.model.config import LegoConfig, published_config
from grounding.lego.model.lego_model import Encoded, LegoModel
from grounding.lego.model.video import VideoModality
from grounding.lego.preprocess.prompts import IGNORED
from grounding.training.settings import Source, StageSettings
from grounding.training.trainable import Trained
from grounding.training.trainer import LossModule

TINY = Size(width=64, layers=2, frames=4, image_size=28)
LOGITS = 0.05  # largest difference of probabilities to the CPU's, in float32
LORA_RANK = 64
RECORDED = partial(torch.compile, mode="reduce-overhead")
ANSWER_TOKENS = 24


def make_model(tiny: bool, device: torch.device, dtype: torch.dtype) -> LegoModel:
    """The published sizes with the video branch alone, made where it runs; or a tiny one."""
    if tiny:
        return random_model(TINY).to(device=device, dtype=dtype)
    torch.manual_seed(0)
    with torch.device("meta"):
        model = LegoModel(_video_config(), (VideoModality,)).eval()
    model = model.to(dtype=dtype).to_empty(device=device)
    with torch.no_grad():
        for weight in (*model.parameters(), *model.buffers()):
            if weight.is_floating_point():
                weight.normal_(std=0.02)
    _set_rotations(model, device)
    return model


def _video_config() -> LegoConfig:
    """The placeholder tokens of the video branch, which come last."""
    config = published_config()
    vocabulary = config.vocab_size
    ids = {"video": (vocabulary - 3, vocabulary - 2, vocabulary - 1)}
    return config.with_changes(placeholder_ids=ids)


def _set_rotations(model: LegoModel, device: torch.device) -> None:
    """What a checkpoint does not hold, and meta tensors have lost."""
    rotary = model.language.model.rotary_emb
    model.language.model.rotary_emb = type(rotary)(model.language.config, device)


def run(table: Table, tokens: int, seconds: float, tiny: bool) -> None:
    """All parts; each makes its own model, so that one which does not fit costs no other."""
    table.part("LEGO", lambda: _answer(table, tokens, seconds, tiny))
    table.part("LEGO against the CPU", lambda: _agreement(table))
    for stage, rank in ((1, 0), (2, LORA_RANK), (3, LORA_RANK), (2, 0), (3, 0)):
        part = f"training step, stage {stage}" + _how(stage, rank)
        table.part(part, lambda p=part, s=stage, r=rank: _train(table, p, s, r, tiny))


def _how(stage: int, rank: int) -> str:
    if stage == 1:
        return ", adapters"
    return f", LoRA of rank {rank}" if rank else ", whole"


def _clip(model: LegoModel, dtype: torch.dtype) -> torch.Tensor:
    side = model.config.eva.image_size
    generator = torch.Generator().manual_seed(1)
    clip = torch.randn(3, model.config.max_frames, side, side, generator=generator)
    return clip.to(model.device, dtype)


@torch.inference_mode()
def _answer(table: Table, tokens: int, seconds: float, tiny: bool) -> None:
    device, dtype = table.device, torch.bfloat16
    started = time.perf_counter()
    model = make_model(tiny, device, dtype)
    wait(device)
    table.row("LEGO, made where it runs", f"{time.perf_counter() - started:.1f} s{peak_gb(device)}")
    clip = _clip(model, dtype)
    encode_s = time_s(device, lambda: model.encode("video", [clip]), seconds)
    frames = model.config.max_frames
    table.row(f"LEGO, a window of {frames} frames", f"{1000 * encode_s:.0f} ms{peak_gb(device)}")
    encoded = model.encode("video", [clip])
    compiled = Compiled(model, encoded, tokens)
    ways: dict[str, Callable[[], Any]] = {
        "as it is": lambda: write(model, encoded, tokens),
        "CUDA graphs (torch.compile)": compiled.write,
    }
    for name, way in ways.items():
        what = f"LEGO, {tokens} tokens, {name}"
        if name != "as it is" and device.type != "cuda":
            table.row(what, "not measured: for a GPU")
            continue
        table.part(what, lambda w=way, what=what: _speed(table, what, w, tokens))


def _speed(table: Table, what: str, way: Callable[[], Any], tokens: int) -> None:
    rate = tokens / time_s(table.device, way, 0.0)
    table.row(what, f"{rate:.1f} tokens/s{peak_gb(table.device)}")


@torch.inference_mode()
def write(model: LegoModel, encoded: list[Encoded], tokens: int) -> list[int]:
    """The likeliest tokens, as the generator writes them."""
    ids = torch.tensor([prompt_of(model)], device=model.device)
    state = DecodeState(model, [], rows=1)
    logits = state.push(model.embed(ids, [{"video": encoded}]))
    written = [int(logits.argmax())]
    while len(written) < tokens:
        last = torch.tensor([[written[-1]]], device=model.device)
        logits = state.push(model.language.model.embed_tokens(last))
        written.append(int(logits.argmax()))
    return written


class Compiled:
    """The same with keys and values in memory of a fixed size, so that a step can be recorded.
    `compiled`: what records it.
    """

    def __init__(
        self,
        model: LegoModel,
        encoded: list[Encoded],
        tokens: int,
        compiled: Callable[[Any], Any] = RECORDED,
    ) -> None:
        self.model, self.encoded, self.tokens = model, encoded, tokens
        self._step = compiled(next_logits)

    @torch.inference_mode()
    def write(self) -> list[int]:
        """The likeliest tokens."""
        model, language = self.model, self.model.language
        ids = torch.tensor([prompt_of(model)], device=model.device)
        length = ids.shape[1] + self.tokens
        cache = StaticCache(config=language.config, max_cache_len=length)
        places = torch.arange(ids.shape[1], device=model.device)
        embeds = model.embed(ids, [{"video": self.encoded}])
        logits = next_logits(language, embeds, places, cache)
        written = [int(logits.argmax())]
        for place in range(ids.shape[1], length - 1):
            last = torch.tensor([[written[-1]]], device=model.device)
            at = torch.tensor([place], device=model.device)
            logits = self._step(language, language.model.embed_tokens(last), at, cache)
            written.append(int(logits.argmax()))
        return written


def next_logits(
    language: Any, embeds: torch.Tensor, places: torch.Tensor, cache: StaticCache
) -> torch.Tensor:
    output = language(
        inputs_embeds=embeds,
        position_ids=places[None],
        cache_position=places,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return output.logits[:, -1]


def prompt_of(model: LegoModel) -> tuple[int, ...]:
    """A prompt with one clip, in the ids of this model's placeholders."""
    ids = model.config.placeholder_ids["video"]
    own: dict[int, int] = dict(zip(PLACEHOLDER, ids, strict=True))
    return tuple(own.get(one, one) for one in prompt_ids(model, 0))


@torch.inference_mode()
def _agreement(table: Table) -> None:
    """The tiny model in float32 on both: the probabilities of the first token."""
    found = []
    for device in (torch.device("cpu"), table.device):
        model = make_model(True, device, torch.float32)
        encoded = model.encode("video", [_clip(model, torch.float32)])
        ids = torch.tensor([prompt_of(model)], device=device)
        logits = DecodeState(model, [], rows=1).push(model.embed(ids, [{"video": encoded}]))
        found.append(logits.softmax(-1).cpu())
    apart = float((found[0] - found[1]).abs().max())
    verdict = "within" if apart <= LOGITS else "NOT within"
    table.row("LEGO, largest change of a probability", f"{apart:.1e}, {verdict} {LOGITS}")


def _train(table: Table, what: str, stage: int, rank: int, tiny: bool) -> None:
    """Two steps, of which the second counts: forward, backward, AdamW."""
    device = table.device
    nowhere = Path("none")
    model = make_model(tiny, device, torch.bfloat16)
    data = (Source(nowhere),)
    settings = StageSettings(stage, nowhere, nowhere, data, lora_rank=rank)  # type: ignore[arg-type]
    trained = Trained(model, settings)
    model.train()
    module = LossModule(model, encoded=False)
    optimizer = torch.optim.AdamW(list(trained.parameters()), lr=1e-5)
    ids = torch.tensor([prompt_of(model)], device=device)
    labels = torch.full_like(ids, IGNORED)
    labels[:, -ANSWER_TOKENS // 2 :] = ids[:, -ANSWER_TOKENS // 2 :]
    mask = torch.ones_like(ids)
    media = [{"video": _clip(model, torch.bfloat16)}]

    def step() -> float:
        with torch.autocast(device.type, torch.bfloat16):
            loss = module(ids, labels, mask, media)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    took_s = time_s(device, step, 0.0)
    count = sum(parameter.numel() for parameter in trained.parameters())
    table.row(what, f"{took_s:.2f} s, {count / 1e6:,.1f} M numbers trained{peak_gb(device)}")
