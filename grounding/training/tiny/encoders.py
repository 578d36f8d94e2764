"""Trains the tiny encoders on the generator's pictures and sounds to say what is where. Their heads
are thrown away afterwards.

The frame encoder says who acts and how, the CLIP tower says it for each patch, the sound encoder
for each of its clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from grounding.lego.model.lego_model import LegoModel
from grounding.lego.model.video import FrameEncoder
from grounding.lego.preprocess.audio import sound_tensor
from grounding.lego.preprocess.image import CLIP_MEAN, CLIP_STD
from grounding.synthetic.draw import Look, draw
from grounding.synthetic.photographs import background
from grounding.synthetic.scenes import clip_scene, picture_scene, sound_scene
from grounding.synthetic.world import COLOURS, MOTIONS, PATTERNS, RHYTHMS, SHAPES
from grounding.training.tiny.patches import PATCHES, covered_patches

NAMES = (tuple(COLOURS), SHAPES, PATTERNS)
STILL = "still"
STATES = (STILL, *MOTIONS)
POOL, TIMES = 64, 3
"""Batches that are drawn together, and how often each is seen."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What stands where: `present` `(B, N)`, `classes` of `(B, N)` each, `numbers` `(B, N, k)`;
    only where present is it asked for.
    """

    present: Tensor
    classes: tuple[Tensor, ...]
    numbers: Tensor
    vocabularies: tuple[tuple[str, ...], ...]
    """What each class is an index of."""


class Heads(nn.Module):
    """Linear maps from an encoder's features to the targets of a lesson."""

    def __init__(self, width: int, classes: tuple[int, ...], numbers: int) -> None:
        super().__init__()
        self.present = nn.Linear(width, 1)
        self.classes = nn.ModuleList(nn.Linear(width, count) for count in classes)
        self.numbers = nn.Linear(width, numbers) if numbers else None

    def loss(self, features: Tensor, targets: Targets) -> tuple[Tensor, dict[str, float]]:
        """`(B, N, width)` -> the loss, and what was right."""
        there = targets.present > 0
        found = self.present(features)[..., 0]
        loss = functional.binary_cross_entropy_with_logits(found, targets.present)
        shown = {"present": float(((found > 0) == there).float().mean())}
        for i, (head, wanted) in enumerate(zip(self.classes, targets.classes)):
            logits = head(features[there])
            loss = loss + functional.cross_entropy(logits, wanted[there]) / 2
            shown[f"class{i}"] = float((logits.argmax(-1) == wanted[there]).float().mean())
        if self.numbers is not None:
            error = (self.numbers(features[there]) - targets.numbers[there]).abs()
            loss = loss + 4 * error.mean()
            shown["error"] = float(error.detach().mean())
        return loss, shown


def frame_batch(random: np.random.Generator, count: int) -> tuple[Tensor, list[Targets]]:
    """Single frames of clips -> `(B, 3, 1, S, S)`, who acts how, and what is in each patch."""
    pixels, rows, patches = [], [], []
    for _ in range(count):
        scene = clip_scene(random, int(random.integers(2, 4)), 3)
        action = scene.actions[random.integers(3)]
        moment = (
            random.uniform(action.start, action.end) if random.random() < 0.75 else random.uniform()
        )
        looks = [scene.look(who, moment) for who in range(len(scene.looks))]
        pixels.append(_draw_frame(looks, scene.seed))
        active = scene.acting_at(moment)
        rows.append(
            actor_targets(looks, active.who if active else None, active.motion if active else "")
        )
        states = [
            active.motion if active and active.who == who else STILL for who in range(len(looks))
        ]
        patches.append(patch_targets(looks, states))
    return normalise(np.stack(pixels))[:, :, None], [_stack(rows), _stack(patches)]


def actor_targets(looks: list[Look], who: int | None, motion: str) -> Targets:
    """One place: who acts in the frame, if anyone, and how."""
    present, classes = torch.zeros(1), torch.zeros(4, 1, dtype=torch.long)
    if who is not None:
        present[0] = 1
        classes[:, 0] = torch.tensor([*_indices(looks[who]), tuple(MOTIONS).index(motion)])
    return Targets(present, tuple(classes), torch.zeros(1, 0), (*NAMES, tuple(MOTIONS)))


def picture_batch(random: np.random.Generator, count: int) -> tuple[Tensor, list[Targets]]:
    """Pictures -> `(B, 3, S, S)` and what covers each patch, with its box."""
    scenes = [picture_scene(random, int(random.integers(2, 4))) for _ in range(count)]
    pixels = normalise(np.stack([scene.pixels() for scene in scenes]))
    return pixels, [
        _stack([patch_targets([place.look for place in scene.places]) for scene in scenes])
    ]


def patch_targets(looks: list[Look], states: list[str] | None = None) -> Targets:
    """What covers each patch, and its box; with `states` what it does, without its box."""
    vocabularies = (*NAMES, STATES) if states else NAMES
    present, numbers = torch.zeros(PATCHES**2), torch.zeros(PATCHES**2, 0 if states else 4)
    classes = torch.zeros(len(vocabularies), PATCHES**2, dtype=torch.long)
    for number, look in enumerate(looks):
        named = torch.tensor([*_indices(look), *([STATES.index(states[number])] if states else ())])
        for patch in covered_patches(look):
            present[patch] = 1
            classes[:, patch] = named
            if not states:
                numbers[patch] = torch.tensor(look.box())
    return Targets(present, tuple(classes), numbers, vocabularies)


def sound_batch(random: np.random.Generator, count: int) -> tuple[Tensor, list[Targets]]:
    """Sounds -> `(B, 3, 1, mels, frames)`, and whose voice it is in which rhythm."""
    tones = [sound_scene(random, 2).tone for _ in range(count)]
    sounds = torch.stack([sound_tensor(tone.samples()) for tone in tones])
    classes = [
        torch.tensor([names.index(value) for value in values])
        for names, values in (
            (tuple(COLOURS), [t.colour for t in tones]),
            (RHYTHMS, [t.rhythm for t in tones]),
        )
    ]
    return sounds, [
        Targets(
            torch.ones(count, 3),
            tuple(c[:, None].expand(-1, 3) for c in classes),
            torch.zeros(count, 3, 0),
            (tuple(COLOURS), RHYTHMS),
        )
    ]


def _draw_frame(looks: list[Look], seed: int) -> np.ndarray:
    canvas = background(np.random.default_rng(seed))
    for look in looks:
        draw(canvas, look)
    return canvas.round().clip(0, 255).astype(np.uint8)


def _indices(look: Look) -> list[int]:
    return [
        names.index(value)
        for names, value in zip(NAMES, (look.thing.colour, look.thing.shape, look.thing.pattern))
    ]


def _stack(rows: list[Targets]) -> Targets:
    classes = tuple(torch.stack(own) for own in zip(*(row.classes for row in rows)))
    return Targets(
        torch.stack([row.present for row in rows]),
        classes,
        torch.stack([row.numbers for row in rows]),
        rows[0].vocabularies,
    )


def normalise(pixels: np.ndarray) -> Tensor:
    """`(B, S, S, 3) uint8` -> `(B, 3, S, S)` as LEGO reads it at its own size."""
    mean, std = (np.array(values, np.float32) for values in (CLIP_MEAN, CLIP_STD))
    return torch.from_numpy(((pixels / np.float32(255) - mean) / std).transpose(0, 3, 1, 2).copy())


@dataclass(frozen=True, slots=True)
class Lesson:
    """What an encoder learns: `batch` makes items and their targets, `features` the encoder's
    outputs from which each target is predicted.
    """

    batch: Callable[[np.random.Generator, int], tuple[Tensor, list[Targets]]]
    features: Callable[[nn.Module, Tensor], list[Tensor]]


def _frame_features(encoder: FrameEncoder, clips: Tensor) -> list[Tensor]:
    """The queries of the Q-Former and, so that the transformer below it learns sooner, its
    patches.
    """
    seen = encoder.norm(encoder.eva(clips[:, :, 0]))
    return [encoder.qformer(seen), seen[:, 1:]]


LESSONS: Mapping[str, Lesson] = {
    "video": Lesson(frame_batch, _frame_features),  # type: ignore[arg-type]
    "image": Lesson(picture_batch, lambda encoder, images: [encoder(images)]),
    "sound": Lesson(sound_batch, lambda encoder, sounds: [encoder(sounds)[:, :, 0]]),
}


def train_encoder(
    model: LegoModel, name: str, *, steps: int, batch: int = 64, rate: float = 1.5e-3, seed: int = 0
) -> Iterator[dict[str, float]]:
    """Trains the encoder of a modality in place; yields what it gets right on each fresh batch,
    before the step.
    """
    lesson, encoder, random = (
        LESSONS[name],
        model.modality(name).encoder.requires_grad_(True),
        np.random.default_rng(seed),
    )
    torch.manual_seed(seed)
    heads = nn.ModuleList(_heads(lesson, encoder))
    parameters = [*encoder.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.05
    )
    batches = _often(lambda: lesson.batch(random, batch), random)
    for _ in range(steps):
        items, targets = next(batches)
        losses = [
            head.loss(own, wanted)  # type: ignore[operator]
            for head, own, wanted in zip(heads, lesson.features(encoder, items), targets)
        ]
        loss = torch.stack([part for part, _ in losses]).sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        yield {"loss": loss.item(), **losses[0][1]}
    encoder.requires_grad_(False)


def _often(
    draw: Callable[[], tuple[Tensor, list[Targets]]], random: np.random.Generator
) -> Iterator[tuple[Tensor, list[Targets]]]:
    """Each batch several times, among others: drawing takes as long as learning."""
    while True:
        pool = [draw() for _ in range(POOL)]
        for i in random.permutation(POOL * TIMES):
            yield pool[i % POOL]


def _heads(lesson: Lesson, encoder: nn.Module) -> Iterator[Heads]:
    items, targets = lesson.batch(np.random.default_rng(0), 2)
    with torch.no_grad():
        features = lesson.features(encoder, items)
    for own, wanted in zip(features, targets):
        yield Heads(own.shape[-1], tuple(map(len, wanted.vocabularies)), wanted.numbers.shape[-1])
