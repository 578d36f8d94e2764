"""The tiny language model before it sees anything: its tokenizer, and training on the generator's text.

In this text a scene stands in words where later the tokens of a medium stand, so that what is learned is to find the answer in it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from sentencepiece import sentencepiece_model_pb2
from torch import nn

from grounding.data.composed import scenes, wording
from grounding.lego.model import LegoModel
from grounding.lego.prompts import SYSTEM, Turn, labelled, render
from grounding.lego.tokenizer import LegoTokenizer
from grounding.training.examples import Example, padded
from grounding.training.trainer import Learner

VOCABULARY = 900
SENTENCES = 3000


def make_tokenizer(folder: Path, seed: int) -> LegoTokenizer:
    """A sentencepiece model of the generator's text, written to `folder`. Numbers of two digits are single pieces."""
    random = np.random.default_rng(seed)
    texts = [part for _ in range(SENTENCES) for turn in text_turns(random) for part in render([turn], system="").split("\n")]
    texts += [f"{{0.{i:02d},1.{i:02d}}} [0.{i:02d}, 0.{i:02d}] {SYSTEM}" for i in range(100)]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        model_type="bpe",
        split_digits=True,
        vocab_size=VOCABULARY,
        character_coverage=1.0,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
        num_threads=1,
        hard_vocab_limit=False,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(_with_numbers(model.getvalue()))
    return LegoTokenizer(folder)


def _with_numbers(model: bytes) -> bytes:
    """With the fractions 0.00 to 0.99 as pieces of their own, and what they are merged from."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)  # type: ignore[attr-defined]
    lowest = min(piece.score for piece in proto.pieces)
    digits = [f"{i:02d}" for i in range(100)]
    for i, text in enumerate((*digits, "0.", *(f"0.{pair}" for pair in digits), ",▁"), 1):
        proto.pieces.add(piece=text, score=lowest - i)
    return proto.SerializeToString()


def text_turns(random: np.random.Generator) -> list[Turn]:
    """A conversation about a scene that is given in words."""
    make = (_clip, _picture, _sound, _source)[random.choice(4, p=(0.4, 0.3, 0.1, 0.2))]
    words, exchanges = make(random)
    (first, answer), *rest = exchanges
    turns = [Turn("Human", f"{words}\n{first}"), Turn("Assistant", answer)]
    for question, answer in rest:
        turns += [Turn("Human", question), Turn("Assistant", answer)]
    return turns


def _clip(random):
    scene = scenes.clip_scene(random, int(random.integers(2, 4)), int(random.integers(2, 5)))
    words = " ".join(f"{wording.act(scene, action)} {wording.span(action)}" for action in scene.actions)
    return words, clip_exchanges(random, scene)


def _picture(random):
    scene = scenes.picture_scene(random, int(random.integers(2, 4)))
    if random.random() < 0.2:
        return " ".join(f"{place.look.thing} {place.place}" for place in wording.in_order(scene)), [
            wording.captioned_picture(random, scene)
        ]
    return picture_words(scene), picture_exchanges(random, scene)


def _sound(random):
    tone = scenes.sound_scene(random, 2).tone
    return f"{tone.rhythm} {tone.voice}", [wording.captioned_sound(random, tone)]


def _source(random):
    scene = scenes.sound_scene(random, int(random.integers(2, 4)))
    return f"{scene.tone.rhythm} {scene.tone.voice}\n{picture_words(scene.picture)}", [wording.where_sound(random, scene)]


def picture_words(scene: scenes.PictureScene) -> str:
    return " ".join(f"{place.look.thing} {wording.box(place.look)}" for place in wording.in_order(scene))


def clip_exchanges(random, scene):
    asked = [wording.when(random, scene, scene.actions[i]) for i in random.permutation(len(scene.actions))]
    told = (wording.events if random.random() < 0.6 else wording.captioned_clip)(random, scene)
    return [told, *asked] if random.random() < 0.5 else [*asked, told]


def picture_exchanges(random, scene):
    asked = [wording.where(random, scene.places[i].look) for i in random.permutation(len(scene.places))]
    told = wording.described_picture(random, scene)
    return [told, *asked] if random.random() < 0.5 else [*asked, told]


def train_language(
    model: LegoModel, tokenizer: LegoTokenizer, *, steps: int, batch: int = 32, rate: float = 3e-3, seed: int = 0
) -> Iterator[dict[str, float]]:
    """Trains the language model in place, on fresh conversations; yields the loss of each step."""
    language, learner = model.language.requires_grad_(True).train(), Learner(model, encoded=False)
    optimizer = torch.optim.AdamW(language.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.05)
    batches = _batches(tokenizer, batch, np.random.default_rng(seed))
    for _ in range(steps):
        ids, labels, mask = padded(next(batches))
        loss = learner(ids, labels, mask, [{}] * batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(language.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        yield {"loss": loss.item()}


def _batches(tokenizer: LegoTokenizer, batch: int, random: np.random.Generator, pool: int = 8) -> Iterator[list[Example]]:
    """Conversations of like length together."""
    while True:
        rows = [labelled(text_turns(random), tokenizer) for _ in range(batch * pool)]
        rows.sort(key=lambda row: len(row[0]))
        for i in random.permutation(pool):
            yield [Example(tuple(ids), tuple(ids), {}) for ids, _ in rows[i * batch : (i + 1) * batch]]
