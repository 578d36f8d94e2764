"""The tiny language model before it sees anything: its tokenizer, and training on the generator's
text.

In this text the words of a scene stand where later the tokens of a medium stand, one vector a
frame, patch or sound: the sum of the vectors of its words, those of numbers turned by their place,
so that x and y stay apart. What is learned is to find the answer there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import sentencepiece
import torch
from sentencepiece import sentencepiece_model_pb2
from torch import Tensor, nn
from torch.nn import functional

from grounding.lego.model.lego_model import Encoded, LegoModel
from grounding.lego.preprocess.prompts import (
    SYSTEM,
    Turn,
    encode_with_labels,
    media_question,
    render,
)
from grounding.lego.preprocess.tokenizer import CONFIGURATION, LegoTokenizer
from grounding.synthetic import scenes, wording
from grounding.synthetic.draw import SIDE
from grounding.synthetic.sounds import Tone
from grounding.training.examples import Example, pad_right
from grounding.training.tiny.patches import PATCHES, covered_patches
from grounding.training.tiny.sizes import waves
from grounding.training.trainer import answer_logits

VOCABULARY = 900
SENTENCES = 3000
NUMBERS = tuple(f"{i / 100:.2f}" for i in range(101))
PLACES = 5
"""Of the words of a line, and of up to four numbers after them."""
Shares: TypeAlias = Mapping[str, float]
"""How often a conversation is about what."""
DESCRIBE_SHARE = 0.3
"""Share of conversations about a clip or picture that describe it; the others ask for things in it.
"""

Line: TypeAlias = tuple[str, tuple[float, ...]]
"""What stands in place of one token of a medium: words and numbers."""
NOTHING: Line = ("nothing", ())


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation about a scene in words: for each medium a line a token."""

    about: str
    exchanges: list[wording.Exchange]
    lines: Mapping[str, Sequence[Line]]

    def turns(self, model: LegoModel) -> list[Turn]:
        """Its questions and answers, with the placeholders of the media in the first."""
        (first, answer), *rest = self.exchanges
        turns = [
            Turn("Human", media_question(first, self.lines, model.modalities)),  # type: ignore[arg-type]
            Turn("Assistant", answer),
        ]
        for question, answer in rest:
            turns += [Turn("Human", question), Turn("Assistant", answer)]
        return turns


@dataclass(frozen=True, slots=True)
class Lesson:
    """Part of the reading. `rate` is its peak learning rate; of the words of a line the first
    `omitted` are left out.
    """

    shares: Shares
    rate: float
    seed: int
    omitted: int = 0


# Which thing is meant is learned soon, what it does long after that: sooner from lines of fewer
# words (no patterns or rhythms), and mostly when the rate rises once more. The third brings the
# words that were left out.
LESSONS = (
    Lesson({"clip": 0.45, "picture": 0.25, "sound": 0.1, "source": 0.2}, 4e-3, 0, omitted=1),
    Lesson({"clip": 0.6, "picture": 0.18, "sound": 0.05, "source": 0.17}, 2.5e-3, 5, omitted=1),
    Lesson({"clip": 0.5, "picture": 0.2, "sound": 0.1, "source": 0.2}, 2e-3, 7),
)


def make_conversation(
    random: np.random.Generator, shares: Shares = LESSONS[0].shares
) -> Conversation:
    """A conversation about something that `shares` draw."""
    about = str(random.choice(list(shares), p=list(shares.values())))
    if about == "clip":
        scene = scenes.clip_scene(random, int(random.integers(1, 4)), int(random.integers(2, 5)))
        return Conversation(about, clip_exchanges(random, scene), {"video": clip_lines(scene)})
    if about == "picture":
        picture = scenes.picture_scene(random, int(random.integers(2, 4)))
        return Conversation(
            about, picture_exchanges(random, picture), {"image": picture_lines(picture)}
        )
    if about == "sound":
        tone = scenes.sound_scene(random, 2).tone
        return Conversation(
            about, [wording.caption_sound(random, tone)], {"sound": sound_lines(tone)}
        )
    source = scenes.sound_scene(random, int(random.integers(2, 4)))
    lines = {"sound": sound_lines(source.tone), "image": picture_lines(source.picture)}
    return Conversation(about, [wording.where_sound(random, source)], lines)


def clip_lines(scene: scenes.ClipScene) -> list[Line]:
    """A line a frame: who does what in it, if anyone, and from when to when."""
    acting = (scene.acting_at((i + 0.5) / scenes.FRAMES) for i in range(scenes.FRAMES))
    return [
        (wording.act(scene, action), (action.start, action.end)) if action else NOTHING
        for action in acting
    ]


def picture_lines(scene: scenes.PictureScene) -> list[Line]:
    """A line a patch: what covers it, and its box."""
    lines = [NOTHING] * PATCHES**2
    for place in scene.places:
        for patch in covered_patches(place.look):
            lines[patch] = (str(place.look.thing), place.look.box(SIDE))
    return lines


def sound_lines(tone: Tone) -> list[Line]:
    """A line for each of the two tokens of a sound."""
    return [(f"{tone.rhythm} {tone.voice}", ())] * 2


def clip_exchanges(random: np.random.Generator, scene: scenes.ClipScene) -> list[wording.Exchange]:
    """Nothing is asked that an earlier answer says: it is to be found in the scene and not in the
    text.
    """
    return (
        [wording.describe_clip(random, scene)]
        if random.random() < DESCRIBE_SHARE
        else wording.every_when(random, scene)
    )


def picture_exchanges(
    random: np.random.Generator, scene: scenes.PictureScene
) -> list[wording.Exchange]:
    """As `clip_exchanges`, about a picture."""
    return (
        [wording.describe_picture(random, scene)]
        if random.random() < DESCRIBE_SHARE
        else wording.every_where(random, scene)
    )


def make_tokenizer(folder: Path, seed: int) -> LegoTokenizer:
    """A sentencepiece model of the generator's text, written to `folder`. Numbers of two digits are
    single pieces.
    """
    random = np.random.default_rng(seed)
    texts = []
    for one in (make_conversation(random) for _ in range(SENTENCES)):
        texts += [words for lines in one.lines.values() for words, _ in lines if words]
        texts += [
            part
            for question, answer in one.exchanges
            for part in _plain(question, answer).split("\n")
        ]
    texts += [f"{{{number},{number}}} [{number}, {number}] {SYSTEM}" for number in NUMBERS]
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
    # a text of this size needs no token that marks its beginning
    (folder / CONFIGURATION).write_text('{"add_bos_token": false}')
    return LegoTokenizer(folder)


def _plain(question: str, answer: str) -> str:
    return render([Turn("Human", question), Turn("Assistant", answer)], system="")


def _with_numbers(model: bytes) -> bytes:
    """With the fractions 0.00 to 1.00 as pieces of their own, and what they are merged from."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)  # type: ignore[attr-defined]
    lowest = min(piece.score for piece in proto.pieces)
    digits = [f"{i:02d}" for i in range(100)]
    for i, text in enumerate((*digits, "0.", "1.", *NUMBERS, ",▁"), 1):
        proto.pieces.add(piece=text, score=lowest - i)
    return proto.SerializeToString()


class Vectors:
    """Lines as vectors of a model's own words."""

    def __init__(self, model: LegoModel, tokenizer: LegoTokenizer, omitted: int = 0) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._omitted = omitted
        self._ids: dict[str, list[int]] = {}
        self.numbers = torch.tensor([tokenizer.encode("{" + number)[-1] for number in NUMBERS])

    def of(self, lines: Sequence[Line]) -> Tensor:
        """`(len(lines), hidden_size)`, differentiable in the embedding table."""
        rows = [self._words(words) for words, _ in lines]
        numbers = [
            [int(self.numbers[round(value * 100)]) for value in values] for _, values in lines
        ]
        longest = max(1, *(len(row) + len(own) for row, own in zip(rows, numbers)))
        ids, places = torch.zeros(2, len(lines), longest, dtype=torch.long)
        there = torch.zeros(len(lines), longest, 1)
        for i, (row, own) in enumerate(zip(rows, numbers)):
            count = len(row) + len(own)
            ids[i, :count] = torch.tensor(row + own, dtype=torch.long)
            places[i, len(row) : count] = torch.arange(1, len(own) + 1)
            there[i, :count] = 1
        table = self._model.language.model.embed_tokens.weight
        turned = torch.stack(
            [table.roll(place * table.shape[1] // PLACES, dims=1) for place in range(PLACES)]
        )
        return (turned[places, ids] * there).sum(1)

    def _words(self, words: str) -> list[int]:
        if words not in self._ids:
            self._ids[words] = self._tokenizer.encode(words)[self._omitted :] if words else []
        return self._ids[words]

    @torch.no_grad()
    def order_numbers(self, share: float = 0.8) -> None:
        """Most of a number's vector becomes a wave of its value, so that numbers near each other
        are alike before training.
        """
        language = self._model.language
        table = language.model.embed_tokens.weight
        values = torch.tensor([float(number) for number in NUMBERS])
        norm = table[self.numbers].norm(dim=1).mean()
        ordered = functional.normalize(waves(values, table.shape[1]), dim=1) * norm
        table[self.numbers] = share * ordered + (1 - share**2) ** 0.5 * table[self.numbers]
        language.lm_head.weight[self.numbers] = table[self.numbers]


def train_language(
    model: LegoModel, tokenizer: LegoTokenizer, *, steps: Sequence[int], batch: int = 32
) -> Iterator[dict[str, float]]:
    """Trains the language model in place on fresh conversations, so many `steps` for each of
    `LESSONS`.

    Yields the loss of each step and the share of numbers that were right.
    """
    model.language.requires_grad_(True).train()
    Vectors(model, tokenizer).order_numbers()
    for lesson, count in zip(LESSONS, steps):
        batches = _batches(
            model, tokenizer, batch, np.random.default_rng(lesson.seed), lesson.shares
        )
        yield from _read(
            model, Vectors(model, tokenizer, lesson.omitted), batches, count, lesson.rate
        )


def _read(
    model: LegoModel,
    vectors: Vectors,
    batches: Iterator[tuple[list[Example], list[Conversation]]],
    steps: int,
    rate: float,
) -> Iterator[dict[str, float]]:
    language = model.language
    optimizer = torch.optim.AdamW(
        language.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.08
    )
    for _ in range(steps):
        examples, talks = next(batches)
        ids, labels, mask = pad_right(examples)
        logits, wanted = answer_logits(model, ids, labels, mask, _media(vectors, talks))
        loss = functional.cross_entropy(logits, wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(language.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        numbers = torch.isin(wanted, vectors.numbers)
        right = (logits.argmax(-1) == wanted)[numbers]
        yield {"loss": loss.item(), "numbers": right.float().mean().item() if len(right) else 1.0}


def _media(vectors: Vectors, talks: Sequence[Conversation]) -> list[dict[str, list[Encoded]]]:
    """The lines of all conversations together as vectors, then each its own."""
    every = vectors.of([line for talk in talks for lines in talk.lines.values() for line in lines])
    media: list[dict[str, list[Encoded]]] = []
    first = 0
    for talk in talks:
        media.append({})
        for name, lines in talk.lines.items():
            media[-1][name] = [Encoded(name, every[first : first + len(lines)])]
            first += len(lines)
    return media


def _batches(
    model: LegoModel,
    tokenizer: LegoTokenizer,
    batch: int,
    random: np.random.Generator,
    shares: Shares,
    pool: int = 8,
) -> Iterator[tuple[list[Example], list[Conversation]]]:
    """Conversations of like length together."""
    while True:
        talks = [make_conversation(random, shares) for _ in range(batch * pool)]
        rows = [(*encode_with_labels(talk.turns(model), tokenizer), talk) for talk in talks]
        rows.sort(key=lambda row: len(row[0]))
        for i in random.permutation(pool):
            own = rows[i * batch : (i + 1) * batch]
            yield (
                [Example(tuple(ids), tuple(labels), {}) for ids, labels, _ in own],
                [talk for _, _, talk in own],
            )
