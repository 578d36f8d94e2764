"""Is this model equal to the public code? The quantities that are compared, and how ours are made.

FOLDER holds numbers that the public code made with random weights: `checkpoint/`, `clip_tower/`,
`module_dims.json`, `inputs.npz`, `expected.npz` and `preprocess/`. All sizes come from there. Not
compared, because we differ on purpose: training text and labels, ids of the slow tokenizer, random
crops, several media of one kind of which the public code fills only the last (`quirk_*`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grounding.lego.checkpoint.load import load_model
from grounding.lego.checkpoint.shards import Shards
from grounding.lego.generate.answers import format_box, unpad_box
from grounding.lego.generate.generator import DecodeState
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.parity.fixture import EXACT, INPUTS, Arrays, Fixture, Quantity, near, unequal
from grounding.lego.preprocess.audio import CLIP_S, RATE_HZ, clip_starts_s, sound_tensor
from grounding.lego.preprocess.image import ImageTransform, pad_to_square
from grounding.lego.preprocess.prompts import Turn, render
from grounding.lego.preprocess.sampling import frame_indices
from grounding.lego.preprocess.tokenizer import LegoTokenizer
from grounding.lego.preprocess.video import scale

STAGE, LOGITS, LOSS = 3e-5, 5e-4, 1e-4
"""The largest difference that counts as equal: float32 on different machines."""
STAGES: Mapping[str, Mapping[str, str]] = {
    "video": {
        "visual_encoder": "encoder.eva",
        "ln_vision": "encoder.norm",
        "qformer": "encoder.qformer",
        "video_qformer_input": "adapter.positions",
        "video_qformer": "adapter.qformer",
        "llama_proj": "adapter.projection",
    },
    "sound": {
        "stem_tokens_clip0": "encoder.stem",
        "trunk_clip0": "encoder.blocks",
        "get_audio_feature.0": "encoder.norm",
        "get_audio_feature.1": "encoder",
        "audio_qformer_input": "adapter.positions",
        "audio_qformer": "adapter.qformer",
        "audio_llama_proj": "adapter.projection",
    },
    "image": {"clip_features": "encoder", "mm_vision_projector": "adapter"},
}
"""Modality name -> name of a stage in expected.npz -> the module of ours that ends it."""


@torch.inference_mode()
def compare(folder: str | Path) -> Iterator[Quantity]:
    """All quantities of a fixture folder."""
    fixture = Fixture.open(Path(folder))
    for part in (
        tensors,
        token_ids,
        images,
        clips,
        sounds,
        boxes,
        stages,
        other_inputs,
        answers,
        losses,
    ):
        yield from part(fixture)
    yield from (
        Quantity(f"{name} (not in the folder)", float("inf"), EXACT) for name in absent(fixture)
    )
    yield from (
        Quantity(f"expected.npz:{name} (nothing to compare it with)", float("inf"), EXACT)
        for name in fixture.expected.never_read()
    )


def absent(fixture: Fixture) -> Iterator[str]:
    """What every such folder holds and this one lacks: what is not there cannot differ, so it must
    not pass.
    """
    expected = fixture.expected
    prompts = [key.removeprefix("ids.") for key in fixture.inputs.names("ids.")]
    compared = [name for name in prompts if f"{name}.max_abs_logit_diff_to_text" not in expected]
    layers = range(int(fixture.model.modality("image").encoder.tower.config.num_hidden_layers) + 1)  # type: ignore[union-attr]
    wanted = [
        rf"{prefix}\.{re.escape(stage)}"
        for name, prefix in INPUTS.items()
        for stage in STAGES[name]
    ]
    wanted += [rf"image\.clip_hidden_states\.{layer}" for layer in layers]
    wanted += [
        r"video_full\..+",
        r"video_batch2\..+",
        r"audio_one_zero_clip\..+",
        r"batch\.logits_row0.*",
        r"batch\.logits_row1.*",
    ]
    wanted += [
        rf"{kind}\d+\.{re.escape(name)}" for name in compared for kind in ("logits_last", "greedy")
    ]
    wanted += [
        rf"{re.escape(key.removesuffix('.labels'))}\.loss"
        for key in fixture.inputs.names()
        if key.endswith(".labels")
    ]
    yield from (
        f"expected.npz:{name}"
        for name in wanted
        if not any(re.fullmatch(name, key) for key in expected.names())
    )
    yield from (
        f"inputs.npz:{name}"
        for name in ("ids.*", "*.labels")
        if not any(fnmatch(key, name) for key in fixture.inputs.names())
    )
    stored = fixture.json("prompts.json")
    lists = {
        "prompts.json:dialogues": stored["dialogues"],
        "prompts.json:strings": stored["strings"],
    }
    lists |= {
        "prompts.json:special_ids": stored["special_ids"],
        "boxes.json": fixture.json("boxes.json"),
    }
    lists |= {"frame_indices.json:cases": fixture.json("frame_indices.json")["cases"]}
    lists |= {"image.npz:rgb_*": Arrays(fixture.folder / "preprocess" / "image.npz").names("rgb_")}
    clips = Arrays(fixture.folder / "preprocess" / "video.npz").names("out_")
    lists |= {"video.npz:out_*_full": [name for name in clips if name.endswith("_full")]}
    yield from (f"preprocess/{name}" for name, entries in lists.items() if not entries)


def tensors(fixture: Fixture) -> Iterator[Quantity]:
    """The same weights in both file formats, and the CLIP tower inside a whole CLIP model."""
    folder = fixture.folder / "checkpoint"
    if (folder / "pytorch_model.bin").is_file() and (folder / "model.safetensors").is_file():
        first, second = (
            Shards(folder, [folder / name]) for name in ("pytorch_model.bin", "model.safetensors")
        )
        unequal = set(first.entries) ^ set(second.entries)
        names = sorted(set(first.entries) & set(second.entries))
        own = dict(second.read(names))
        unequal |= {
            name for name, tensor in first.read(names) if not torch.equal(tensor, own[name])
        }
        yield Quantity("checkpoint: pytorch_model.bin = model.safetensors", len(unequal), EXACT)
    if (fixture.folder / "clip_full").is_dir():
        model = load_model(folder, clip_folder=fixture.folder / "clip_full", dtype=torch.float32)
        features = model.modality("image").encoder(fixture.inputs.tensor("image"))
        yield near(
            "clip_full: image.clip_features",
            features,
            fixture.expected["image.clip_features"],
            STAGE,
        )


def stages(fixture: Fixture) -> Iterator[Quantity]:
    """The outputs of all stages of each modality."""
    for name, prefix in (("image", "image"), ("video", "video"), ("sound", "audio")):
        ours = stage_outputs(fixture.model, name, fixture.inputs.tensor(INPUTS[name]))
        for key in fixture.expected.names(f"{prefix}."):
            if key.removeprefix(f"{prefix}.") in ours:
                yield near(key, ours[key.removeprefix(f"{prefix}.")], fixture.expected[key], STAGE)


def other_inputs(fixture: Fixture) -> Iterator[Quantity]:
    """As many frames as there are positions, a batch of two clips, a silent clip."""
    dims = fixture.model.config.audio
    cases = {
        "video_full": ("video", fixture.inputs.tensor("video_full")),
        "video_batch2": ("video", two_halves(fixture.inputs.tensor("video"))),
        "audio_one_zero_clip": ("sound", torch.zeros(1, 1, 1, dims.mels, dims.frames)),
    }
    for case, (name, items) in cases.items():
        ours = stage_outputs(fixture.model, name, items)
        for key in fixture.expected.names(f"{case}."):
            yield near(key, ours[key.removeprefix(f"{case}.")], fixture.expected[key], STAGE)


def two_halves(clip: Tensor) -> Tensor:
    """`(1, 3, T, S, S)` -> `(2, 3, T // 2, S, S)`: of an odd number of frames the last is left out,
    as in the public code's batch.
    """
    half = clip.shape[2] // 2
    return torch.cat([clip[:, :, :half], clip[:, :, half : 2 * half]])


def answers(fixture: Fixture) -> Iterator[Quantity]:
    """Embeddings, logits and greedily chosen ids of every prompt."""
    expected, model = fixture.expected, fixture.model
    for key in fixture.inputs.names("ids."):
        name, ids = key.removeprefix("ids."), fixture.inputs.tensor(key)
        unused = f"{name}.max_abs_logit_diff_to_text"
        if unused in expected:
            everything = {
                modality: [fixture.inputs.tensor(source)[0]] for modality, source in INPUTS.items()
            }
            with_media, without = (
                model(ids, [media], allow_unused=True).logits for media in (everything, {})
            )
            yield near(unused, (with_media - without).abs().max(), expected[unused], LOGITS)
            continue
        media = fixture.media(ids)
        embeds, logits = model.embed(ids, media), model(ids, media).logits
        yield near(f"inputs_embeds.{name}", embeds, expected[f"inputs_embeds.{name}"], STAGE)
        yield from _logits(name, logits, expected)
        yield from _greedy(name, model, embeds, expected)


def _logits(name: str, logits: Tensor, expected: Arrays) -> Iterator[Quantity]:
    for key in (key for key in expected.names("logits_last") if key.partition(".")[2] == name):
        yield near(key, logits[:, -expected[key].shape[1] :], expected[key], LOGITS)
    yield unequal(f"argmax_all.{name}", logits.argmax(dim=-1), expected[f"argmax_all.{name}"])
    yield near(
        f"logsumexp_all.{name}", logits.logsumexp(dim=-1), expected[f"logsumexp_all.{name}"], LOGITS
    )


def _greedy(name: str, model: LegoModel, embeds: Tensor, expected: Arrays) -> Iterator[Quantity]:
    for key in (
        key
        for key in expected.names("greedy")
        if re.fullmatch(rf"greedy\d+\.{re.escape(name)}", key)
    ):
        state, chosen, margins = DecodeState(model, [], rows=1), [], []
        logits = state.push(embeds)
        for _ in range(len(expected[key])):
            best = logits[0].topk(2)
            chosen.append(best.indices[0])
            margins.append(best.values[0] - best.values[1])
            logits = state.push(model.language.model.embed_tokens(best.indices[:1])[:, None])
        yield unequal(key, torch.stack(chosen), expected[key])
        margin = key.replace(".", "_margin.", 1)
        yield near(margin, torch.stack(margins), expected[margin], LOGITS)


def losses(fixture: Fixture) -> Iterator[Quantity]:
    """The losses of labelled prompts, and the last logits of each row of a padded batch."""
    inputs, expected = fixture.inputs, fixture.expected
    for key in expected.names():
        if not key.endswith(".loss"):
            continue
        name = key.removesuffix(".loss")
        ids, labels = inputs.tensor(f"{name}.input_ids"), inputs.tensor(f"{name}.labels")
        mask = (
            inputs.tensor(f"{name}.attention_mask") if f"{name}.attention_mask" in inputs else None
        )
        output = fixture.model(ids, fixture.media(ids), attention_mask=mask, labels=labels)
        yield near(key, output.loss, expected[key], LOSS)
        for rows in expected.names(f"{name}.logits_row"):
            row, last = map(int, re.findall(r"\d+", rows.rpartition("logits_row")[2]))
            real = output.logits[row] if mask is None else output.logits[row][mask[row]]
            yield near(rows, real[-last:], expected[rows], LOGITS)


def token_ids(fixture: Fixture) -> Iterator[Quantity]:
    """Texts of dialogues, their ids, and the ids of the placeholder tokens."""
    stored = fixture.json("prompts.json")
    dialogues = stored["dialogues"]
    texts = [
        render([Turn(role, text) for role, text in dialogue["messages"]], stored["system"])
        for dialogue in dialogues
    ]
    yield unequal("prompts: text", texts, [dialogue["prompt"] for dialogue in dialogues])
    for folder in (
        name for name in ("checkpoint", "tokenizer_base") if (fixture.folder / name).is_dir()
    ):
        tokenizer = LegoTokenizer(fixture.folder / folder)
        for group in ("dialogues", "strings"):
            ours = [
                marked_ids(tokenizer, case["prompt"], stored["image_token_index"])
                for case in stored[group]
            ]
            yield unequal(
                f"prompts: ids of {group} ({folder})", ours, [case["ids"] for case in stored[group]]
            )
        special = {
            token: i
            for kind, ids in tokenizer.placeholder_ids().items()
            for token, i in _tokens_with_ids(fixture.model, kind, ids)
        }
        yield unequal(
            f"prompts: special ids ({folder})",
            [special.get(token) for token in stored["special_ids"]],
            list(stored["special_ids"].values()),
        )


def marked_ids(
    tokenizer: LegoTokenizer, text: str, marker_id: int, marker: str = "<image>"
) -> list[int]:
    """The public code's ids: pieces round `<image>` tokenized alone, a reserved id between them."""
    first, *others = (tokenizer.encode(piece) for piece in text.split(marker))
    return first + [i for ids in others for i in (marker_id, *ids[1:])]


def images(fixture: Fixture) -> Iterator[Quantity]:
    """Square padding, and what CLIP reads of it."""
    stored = Arrays(fixture.folder / "preprocess" / "image.npz")
    towers = [name for name in ("clip_tower", "clip_full") if (fixture.folder / name).is_dir()]
    transforms = {name: ImageTransform.read(fixture.folder / name) for name in towers}
    for key in stored.names("rgb_"):
        case = key.removeprefix("rgb_")
        yield unequal(f"image: padded_{case}", pad_to_square(stored[key]), stored[f"padded_{case}"])
        for tower, transform in transforms.items():
            yield near(
                f"image: pixel_values_{case} ({tower})",
                transform(stored[key]),
                stored[f"pixel_values_{case}"],
                STAGE,
            )


def clips(fixture: Fixture) -> Iterator[Quantity]:
    """The whole frame, with the public code's cast; frame indices."""
    stored, described = (
        Arrays(fixture.folder / "preprocess" / "video.npz"),
        fixture.json("video.json"),
    )
    for key in (key for key in stored.names("out_") if key.endswith("_full")):
        frames = stored.tensor(f"clip_{key.removeprefix('out_').removesuffix('_full')}").permute(
            0, 3, 1, 2
        )
        yield near(
            f"video: {key}", scale(frames, described["image_size"], wrap=True), stored[key], STAGE
        )
    for case in fixture.json("frame_indices.json")["cases"]:
        frames, wanted = case["vlen"], case["n_frms"]
        yield unequal(
            f"video: {wanted} of {frames} frames", frame_indices(frames, wanted), case["indices"]
        )


def sounds(fixture: Fixture) -> Iterator[Quantity]:
    """Clip positions of pytorchvideo 0.1.5 and mel spectrograms."""
    stored, described = (
        Arrays(fixture.folder / "preprocess" / "audio.npz"),
        fixture.json("audio.json"),
    )
    lengths = {name: described[name]["samples"] for name in ("main", "short")}
    listed = {name: described[name]["clips"] for name in lengths}
    others = described["clip_timepoints_other_durations"]
    lengths.update({f"{seconds} s": round(float(seconds) * RATE_HZ) for seconds in others})
    listed.update({f"{seconds} s": own for seconds, own in others.items()})
    for name, length in lengths.items():
        starts = clip_starts_s(length)
        ours = [
            [str(start), str(start + CLIP_S), int(start * RATE_HZ), int((start + CLIP_S) * RATE_HZ)]
            for start in starts
        ]
        theirs = [
            [clip["start"], clip["end"], clip["start_sample"], clip["end_sample"]]
            for clip in listed[name]
        ]
        yield unequal(f"audio: clips of {name}", ours, theirs)
    main, short = (
        sound_tensor(stored[f"wave_{name}_int16"].astype(np.float32) / 32768)
        for name in ("main", "short")
    )
    yield near("audio: mel of main", main, fixture.inputs["audio"], STAGE)
    yield near("audio: mel of short", short[0], stored["mel_short_clip0"], STAGE)


def boxes(fixture: Fixture) -> Iterator[Quantity]:
    """Answers with their boxes mapped back to the image."""
    cases = fixture.json("boxes.json")
    ours = [rewrite_as_published(case["input"], case["width"], case["height"]) for case in cases]
    yield unequal("boxes", ours, [case["output"] for case in cases])


def rewrite_as_published(text: str, width: int, height: int) -> str:
    """Only `[a, b, c, d]` with comma and space, a number with or without its zero (`.5`), and by
    replacing text, so that a result equal to a later box is mapped again.
    """
    number = r"(\d+(?:\.\d+)?|\.\d+)"
    for match in re.finditer(rf"\[{number}, {number}, {number}, {number}\]", text):
        x1, y1, x2, y2 = map(float, match.groups())
        text = text.replace(match.group(0), format_box(unpad_box((x1, y1, x2, y2), width, height)))
    return text


def stage_outputs(model: LegoModel, name: str, items: Tensor) -> dict[str, Tensor]:
    """Outputs of all stages of one modality; what is named `*_clip0` only of the first clip."""
    modality, seen = model.modality(name), {}
    handles = [
        modality.get_submodule(path).register_forward_hook(_keep(seen, stage))
        for stage, path in STAGES[name].items()
    ]
    if name == "image":
        handles.append(modality.encoder.tower.register_forward_hook(_keep_hidden_states(seen)))  # type: ignore[union-attr]
    try:
        modality(items)
    finally:
        for handle in handles:
            handle.remove()
    return {
        stage: value[:1] if stage.endswith("_clip0") else value for stage, value in seen.items()
    }


def _keep(seen: dict[str, Tensor], stage: str) -> Callable[..., None]:
    def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
        seen[stage] = output

    return hook


def _keep_hidden_states(seen: dict[str, Tensor]) -> Callable[..., None]:
    def hook(module: nn.Module, inputs: Any, output: Any) -> None:
        seen.update(
            {f"clip_hidden_states.{i}": state for i, state in enumerate(output.hidden_states)}
        )

    return hook


def _tokens_with_ids(
    model: LegoModel, kind: str, ids: tuple[int, int, int]
) -> Iterator[tuple[str, int]]:
    yield from zip(model.modality(kind).placeholder.tokens, ids)
