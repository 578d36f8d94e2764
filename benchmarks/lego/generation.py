"""LEGO's decoding against encoding the frames again for every token, as the public code does; both
in this run, random weights.

    python -m benchmarks.lego.generation [--tokens 32] [--questions 8] [--json]

The model is of medium size: 8 EVA layers and 8 Llama layers of width 512, 64 frames of 224 x 224.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from grounding.lego.generate.generator import DecodeState, GenerationConfig, Generator, Prompt
from grounding.lego.model.config import EvaDims, LegoConfig, QFormerDims
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.model.video import VideoModality

VOCABULARY = 1000
PLACEHOLDER = (VOCABULARY - 3, VOCABULARY - 2, VOCABULARY - 1)


class NumberTokenizer:
    """Stands for a tokenizer: random weights write no words, and no stop string must end the
    measurement early.
    """

    end_id = -1

    def decode(self, ids) -> str:
        """The ids as numbers."""
        return " ".join(map(str, ids))


@dataclass(frozen=True, slots=True)
class Size:
    """Of the random model."""

    width: int = 512
    layers: int = 8
    frames: int = 64
    image_size: int = 224


def random_model(size: Size) -> LegoModel:
    """Random weights, the same in every run."""
    torch.manual_seed(0)
    config = LegoConfig(
        language={
            "vocab_size": VOCABULARY,
            "hidden_size": size.width,
            "intermediate_size": size.width * 8 // 3,
            "num_hidden_layers": size.layers,
            "num_attention_heads": 8,
            "num_key_value_heads": 8,
            "max_position_embeddings": 2048,
        },
        clip={},
        eva=EvaDims(image_size=size.image_size, width=size.width, layers=size.layers, heads=8),
        qformer=QFormerDims(
            width=size.width // 2, layers=size.layers // 2, heads=4, mlp_width=2 * size.width
        ),
        max_frames=size.frames,
        placeholder_ids={"video": PLACEHOLDER},
    )
    model = LegoModel(config, (VideoModality,)).eval()
    for weight in model.language.parameters():
        if weight.ndim == 2:
            # wide enough not to write one token over and over
            torch.nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
    return model


def prompt_ids(model: LegoModel, question: int) -> tuple[int, ...]:
    """A prompt with one clip; each question has words of its own."""
    patch, start, end = PLACEHOLDER
    media = [start, *[patch] * model.modality("video").tokens, end]
    words = [5 + (37 * question + 11 * i) % 900 for i in range(12 + question)]
    return (1, *range(100, 140), *media, *words)


@torch.inference_mode()
def encode_again(model: LegoModel, clip: torch.Tensor, tokens: int) -> list[int]:
    """Key-value cache in the language model, but all frames through the encoder at every step."""
    ids = torch.tensor([prompt_ids(model, 0)])
    state = DecodeState(model, [], rows=1)
    logits = state.push(model.embed(ids, [{"video": model.encode("video", [clip])}]))
    written = [int(logits.argmax())]
    while len(written) < tokens:
        model.encode("video", [clip])
        logits = state.push(model.language.model.embed_tokens(torch.tensor([[written[-1]]])))
        written.append(int(logits.argmax()))
    return written


@torch.inference_mode()
def encode_once(
    model: LegoModel, clip: torch.Tensor, tokens: int, questions: int
) -> list[list[int]]:
    """All from nothing: encode, read the shared beginning, answer."""
    encoded = model.encode("video", [clip])
    prompts = [
        Prompt(prompt_ids(model, question), {"video": encoded}) for question in range(questions)
    ]
    config = GenerationConfig(tokens, stop="never")
    generator = Generator(model, NumberTokenizer(), config)  # type: ignore[arg-type]
    return [list(reply.ids) for reply in generator.generate(prompts)]


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """A result and the seconds that it took."""
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


def measure(tokens: int, questions: int, repeats: int, size: Size = Size()) -> dict[str, float]:
    """The slow way runs once, the others `repeats` times in turn, of which the fastest counts."""
    model = random_model(size)
    clip = torch.randn(
        3, model.config.max_frames, model.config.eva.image_size, model.config.eva.image_size
    )
    runs = [
        [timed(lambda n=n: encode_once(model, clip, tokens, n)) for n in (1, questions)]
        for _ in range(repeats)
    ]
    (one, one_s), (_, questions_s) = (
        min(results, key=lambda result: result[1]) for results in zip(*runs)
    )
    again, again_s = timed(lambda: encode_again(model, clip, tokens))
    if one[0] != again:
        raise SystemExit("the two ways wrote different tokens")
    return {
        "tokens": tokens,
        "encode_again_s": again_s,
        "encode_once_s": one_s,
        "times_faster": again_s / one_s,
        "questions": questions,
        "questions_s": questions_s,
        "questions_to_one": questions_s / one_s,
    }


def main() -> None:
    """Prints the measurements, with `--json` as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.tokens, options.questions, options.repeats)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:<18} {value:.2f}")


if __name__ == "__main__":
    main()
