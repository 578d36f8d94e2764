"""Writes a data set of drawn scenes: media and the records of the three stages, and questions about
combinations that were held out.

The same settings give the same bytes of records and the same pixels and samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grounding.records.record import Message, Record, with_markers
from grounding.records.writer import write_records
from grounding.synthetic import wording
from grounding.synthetic.draw import SIDE
from grounding.synthetic.files import write_clip, write_picture, write_sound
from grounding.synthetic.scenes import (
    Action,
    ClipScene,
    PictureScene,
    SoundScene,
    clip_scene,
    picture_scene,
    sound_scene,
)
from grounding.synthetic.wording import Exchange
from grounding.synthetic.world import Combination, held_out

SPLITS = ("stage1", "stage2", "stage3", "test")


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many scenes of each kind are for training; `test` is how many held-out combinations of
    each kind are asked about (0: all).
    """

    clips: int = 12000
    pictures: int = 4000
    sources: int = 3000
    """Pictures with the sound of one thing in them."""
    test: int = 0


def make_data(folder: Path, amounts: Amounts = Amounts(), seed: int = 0) -> None:
    """Writes `stage1.jsonl`, `stage2.jsonl`, `stage3.jsonl`, `test.jsonl` and the folders of their
    media below `folder`.
    """
    for name in ("clips", "pictures", "sounds"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    records: dict[str, list[Record]] = {split: [] for split in SPLITS}
    plans: tuple[
        tuple[str, int, Callable[[Path, np.random.Generator, str], Iterator[tuple[str, Record]]]],
        ...,
    ] = (
        ("clip", amounts.clips, _clip),
        ("picture", amounts.pictures, _picture),
        ("source", amounts.sources, _source),
    )
    for number, (kind, count, make) in enumerate(plans):
        for i in range(count):
            random = np.random.default_rng((seed, number, i))
            for split, record in make(folder, random, f"{kind}{i:05d}"):
                records[split].append(record)
    records["test"] = list(_test(folder, amounts.test, seed))
    for split, own in records.items():
        write_records(folder / f"{split}.jsonl", own)


def _clip(folder: Path, random: np.random.Generator, name: str) -> Iterator[tuple[str, Record]]:
    scene = clip_scene(random, int(random.integers(1, 4)), int(random.integers(3, 5)))
    media = _write_clip(folder, name, scene)
    yield "stage1", _record(f"{name}/caption", media, [wording.describe_clip(random, scene)])
    yield (
        "stage2",
        _record(
            f"{name}/when", media, wording.every_when(random, scene), spans=_spans(scene.actions)
        ),
    )
    asked = wording.every_when(random, scene)
    if random.random() < 0.4:
        asked = [wording.events(random, scene), *asked[:1]]
    yield "stage3", _record(f"{name}/dialogue", media, asked, spans=_spans(scene.actions))


def _picture(folder: Path, random: np.random.Generator, name: str) -> Iterator[tuple[str, Record]]:
    scene = picture_scene(random, int(random.integers(2, 4)))
    media = _write_picture(folder, name, scene)
    yield "stage1", _record(f"{name}/caption", media, [wording.describe_picture(random, scene)])
    yield "stage2", _record(f"{name}/where", media, wording.every_where(random, scene))
    asked = wording.every_where(random, scene)
    if random.random() < 0.4:
        asked = [wording.picture_with_boxes(random, scene)]
    yield "stage3", _record(f"{name}/dialogue", media, asked)


def _source(folder: Path, random: np.random.Generator, name: str) -> Iterator[tuple[str, Record]]:
    scene = sound_scene(random, int(random.integers(2, 4)))
    media = _write_source(folder, name, scene)
    sound = {"sound": media["sound"]}
    yield "stage1", _record(f"{name}/heard", sound, [wording.caption_sound(random, scene.tone)])
    yield "stage2", _record(f"{name}/source", media, [wording.where_sound(random, scene)])
    if random.random() < 0.25:
        yield (
            "stage3",
            _record(f"{name}/heard", sound, [wording.caption_sound(random, scene.tone)]),
        )
    else:
        yield "stage3", _record(f"{name}/source", media, [wording.where_sound(random, scene)])


def _test(folder: Path, limit: int, seed: int) -> Iterator[Record]:
    """A question of each kind about each held-out combination."""
    makers: tuple[Callable[[Path, np.random.Generator, str, Combination], Record], ...] = (
        _ask_when,
        _ask_where,
        _ask_source,
    )
    for number, (kind, make) in enumerate(zip(("clip", "picture", "sound"), makers)):
        combinations = sorted(held_out(kind))  # type: ignore[arg-type]
        order = np.random.default_rng((seed, 100 + number)).permutation(len(combinations))[
            : limit or None
        ]
        for i in order:
            yield make(
                folder,
                np.random.default_rng((seed, 200 + number, int(i))),
                f"test-{kind}{i:04d}",
                combinations[i],
            )


def _ask_when(
    folder: Path, random: np.random.Generator, name: str, combination: Combination
) -> Record:
    scene = clip_scene(random, 3, 3, combination)
    action = next(action for action in scene.actions if scene.combination(action) == combination)
    media = _write_clip(folder, name, scene)
    return _record(
        name,
        media,
        [wording.when(random, scene, action)],
        combination=combination,
        task="moment",
        query=f"the {wording.act(scene, action)}",
        spans=[[action.start, action.end]],
    )


def _ask_where(
    folder: Path, random: np.random.Generator, name: str, combination: Combination
) -> Record:
    scene = picture_scene(random, 3, combination)
    look = scene.places[0].look
    media = _write_picture(folder, name, scene)
    truth = {
        "task": "locate",
        "phrase": f"the {look.thing}",
        "boxes": [list(look.box())],
        "size": [SIDE, SIDE],
    }
    return _record(name, media, [wording.where(random, look)], combination=combination, **truth)


def _ask_source(
    folder: Path, random: np.random.Generator, name: str, combination: Combination
) -> Record:
    scene = sound_scene(random, 3, combination)
    media = _write_source(folder, name, scene)
    truth = {
        "task": "locate_sound",
        "boxes": [list(scene.picture.places[0].look.box())],
        "size": [SIDE, SIDE],
    }
    return _record(
        name, media, [wording.where_sound(random, scene)], combination=combination, **truth
    )


def _spans(actions: tuple[Action, ...]) -> list[list[float]]:
    return [[action.start, action.end] for action in actions]


def _write_clip(folder: Path, name: str, scene: ClipScene) -> dict[str, str]:
    write_clip(folder / "clips" / f"{name}.mkv", scene.frames())
    return {"video": f"clips/{name}.mkv"}


def _write_picture(folder: Path, name: str, scene: PictureScene) -> dict[str, str]:
    write_picture(folder / "pictures" / f"{name}.png", scene.pixels())
    return {"image": f"pictures/{name}.png"}


def _write_source(folder: Path, name: str, scene: SoundScene) -> dict[str, str]:
    write_sound(folder / "sounds" / f"{name}.wav", scene.tone.samples())
    return {"sound": f"sounds/{name}.wav", **_write_picture(folder, name, scene.picture)}


def _record(name: str, media: dict[str, str], exchanges: list[Exchange], **truth: Any) -> Record:
    (first, answer), *rest = exchanges
    messages = [Message("human", with_markers(first, media)), Message("gpt", answer)]
    for question, answer in rest:
        messages += [Message("human", question), Message("gpt", answer)]
    return Record(tuple(messages), media, name, truth)
