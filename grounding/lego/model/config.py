"""Sizes of a LEGO model: `config.json` of the published folder, and what the published code has
hard-wired.

A folder with other sizes carries the hard-wired ones in `module_dims.json`; without it the
published 7B sizes hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from grounding.errors import CheckpointError

MODEL_TYPE = "LEGO"
DIMS_FILE = "module_dims.json"


@dataclass(frozen=True, slots=True)
class EvaDims:
    """EVA-CLIP-g as BLIP-2 uses it (39 of its 40 layers). Sizes in pixels and channels."""

    image_size: int = 224
    patch_size: int = 14
    width: int = 1408
    layers: int = 39
    heads: int = 16
    mlp_ratio: float = 4.3637
    norm_eps: float = 1e-6

    @property
    def mlp_width(self) -> int:
        """Width of the feed-forward layer."""
        return int(self.width * self.mlp_ratio)

    @property
    def tokens(self) -> int:
        """Patches and the class token."""
        return (self.image_size // self.patch_size) ** 2 + 1


@dataclass(frozen=True, slots=True)
class QFormerDims:
    """The BERT-base shape that all three Q-Formers share; `layers` is the image one's."""

    width: int = 768
    layers: int = 12
    heads: int = 12
    mlp_width: int = 3072
    cross_every: int = 2
    small_layers: int = 2
    small_cross_every: int = 1
    norm_eps: float = 1e-12
    activation: str = "gelu"


@dataclass(frozen=True, slots=True)
class AudioDims:
    """ImageBind-huge's audio branch: mel spectrograms of `mels` x `frames` cut by a `patch`
    convolution of `stride`.
    """

    width: int = 768
    layers: int = 12
    heads: int = 12
    out_width: int = 1024
    mels: int = 128
    frames: int = 204
    patch: int = 16
    stride: int = 10
    stem_eps: float = 1e-5
    norm_eps: float = 1e-6

    @property
    def tokens(self) -> int:
        """Patches and the class token."""
        rows = (self.mels - self.patch) // self.stride + 1
        return rows * ((self.frames - self.patch) // self.stride + 1) + 1


@dataclass(frozen=True, slots=True)
class LegoConfig:
    """Everything that decides a shape. `language` and `clip` are keyword arguments of transformers'
    configurations.
    """

    language: Mapping[str, Any]
    clip: Mapping[str, Any]
    eva: EvaDims = field(default_factory=EvaDims)
    qformer: QFormerDims = field(default_factory=QFormerDims)
    audio: AudioDims = field(default_factory=AudioDims)
    image_tokens: int = 576
    image_layer: int = -2
    image_class_token: bool = False
    video_tokens: int = 64
    frame_queries: int = 32
    max_frames: int = 64
    audio_tokens: int = 8
    audio_positions: int = 8
    placeholder_ids: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """Modality name -> ids of its patch, start and end tokens."""
    without: tuple[str, ...] = ()
    """Modalities that this checkpoint was made without (`convert --without`)."""

    @property
    def hidden_size(self) -> int:
        """Width of the language model."""
        return int(self.language["hidden_size"])

    @property
    def vocab_size(self) -> int:
        """Rows of the embedding table, those of placeholder tokens included."""
        return int(self.language["vocab_size"])

    def with_changes(self, **changes: Any) -> LegoConfig:
        """The same but for these fields."""
        return replace(self, **changes)


PUBLISHED_LANGUAGE: Mapping[str, Any] = {
    "vocab_size": 32_009,
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10_000.0,
}
PUBLISHED_CLIP: Mapping[str, Any] = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 336,
    "patch_size": 14,
}
_LANGUAGE_KEYS = (
    *PUBLISHED_LANGUAGE,
    "hidden_act",
    "attention_bias",
    "tie_word_embeddings",
    "rope_scaling",
)
_CLIP_KEYS = (*PUBLISHED_CLIP, "hidden_act", "layer_norm_eps", "num_channels")
_PARTS = ("patch", "start", "end")
_NEW_TOKEN_ORDER = ("image", "video", "sound")


def published_config() -> LegoConfig:
    """The sizes of the published 7B model."""
    return LegoConfig(
        PUBLISHED_LANGUAGE, PUBLISHED_CLIP, placeholder_ids=_default_placeholder_ids(32_000)
    )


def read_config(
    folder: Path, clip_folder: Path | None = None, dims_file: Path | None = None
) -> LegoConfig:
    """Reads `folder/config.json`, `module_dims.json` (in the folder, or beside it) and the CLIP
    tower's `config.json`.
    """
    raw = _read_json(folder / "config.json", "a LEGO checkpoint folder holds config.json")
    if raw.get("model_type") != MODEL_TYPE:
        raise CheckpointError(
            "{folder} is of model_type {found}, not {model_type}",
            folder=folder / "config.json",
            found=repr(raw.get("model_type")),
            model_type=repr(MODEL_TYPE),
        )
    dims_file = dims_file or find_dims(folder)
    dims = _read_json(dims_file, "sizes of the encoders") if dims_file else {}
    return _config_from(raw, dims, _read_clip(clip_folder))


def _config_from(
    raw: Mapping[str, Any], dims: Mapping[str, Any], clip: Mapping[str, Any]
) -> LegoConfig:
    try:
        language = {key: raw[key] for key in _LANGUAGE_KEYS if key in raw}
        audio_tokens = int(raw["sound_token_len"])
        return LegoConfig(
            language=language,
            clip=clip,
            eva=EvaDims(**_known_fields(dims.get("eva_vit", {}), _EVA_NAMES, EvaDims)),
            qformer=QFormerDims(
                **_known_fields(dims.get("qformer_bert", {}), _QFORMER_NAMES, QFormerDims)
            ),
            audio=AudioDims(**_known_fields(dims.get("imagebind", {}), _AUDIO_NAMES, AudioDims)),
            image_tokens=int(raw["image_token_len"]),
            image_layer=int(raw.get("mm_vision_select_layer", -2)),
            image_class_token=raw.get("mm_vision_select_feature", "patch") == "cls_patch",
            video_tokens=int(raw["video_token_len"]),
            frame_queries=int(raw["num_query_token"]),
            max_frames=int(raw["max_frame"]),
            audio_tokens=audio_tokens,
            audio_positions=audio_tokens,
            placeholder_ids=_placeholder_ids(raw, language["vocab_size"]),
            without=tuple(raw.get("without_modalities", ())),
        )
    except KeyError as error:
        raise CheckpointError(
            "config.json has no {field}: it is not a complete LEGO configuration",
            field=repr(error.args[0]),
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            "config.json or {dims_file} holds a value of the wrong kind: {error}",
            dims_file=DIMS_FILE,
            error=error,
        ) from error


def _placeholder_ids(raw: Mapping[str, Any], vocab_size: int) -> Mapping[str, tuple[int, int, int]]:
    """The nine tokens were added in a fixed order (image, video, sound: patch, start, end);
    config.json names some of them.
    """
    first = int(raw["video_patch_token"]) - 3 if "video_patch_token" in raw else vocab_size - 9
    ids = _default_placeholder_ids(first)
    for name in [key.removesuffix("_patch_token") for key in raw if key.endswith("_patch_token")]:
        keys = [f"{name}_{part}_token" for part in _PARTS]
        if all(isinstance(raw.get(key), int) for key in keys):
            patch, start, end = (raw[key] for key in keys)
            ids[name] = (patch, start, end)
    return ids


def _default_placeholder_ids(first: int) -> dict[str, tuple[int, int, int]]:
    return {
        name: (first + 3 * i, first + 3 * i + 1, first + 3 * i + 2)
        for i, name in enumerate(_NEW_TOKEN_ORDER)
    }


_EVA_NAMES = {
    "img_size": "image_size",
    "embed_dim": "width",
    "depth": "layers",
    "num_heads": "heads",
}
_QFORMER_NAMES = {
    "hidden_size": "width",
    "num_hidden_layers": "layers",
    "num_attention_heads": "heads",
    "intermediate_size": "mlp_width",
    "cross_attention_freq_image": "cross_every",
    "num_hidden_layers_video_audio": "small_layers",
    "cross_attention_freq_video_audio": "small_cross_every",
    "layer_norm_eps": "norm_eps",
    "hidden_act": "activation",
}
_AUDIO_NAMES = {
    "audio_embed_dim": "width",
    "audio_num_blocks": "layers",
    "audio_num_heads": "heads",
    "out_embed_dim": "out_width",
    "audio_num_mel_bins": "mels",
    "audio_target_len": "frames",
    "audio_kernel_size": "patch",
    "audio_stride": "stride",
}


def as_json(config: LegoConfig) -> dict[str, Any]:
    """What `config.json` says of these sizes."""
    raw = {
        "model_type": MODEL_TYPE,
        **config.language,
        "image_token_len": config.image_tokens,
        "mm_vision_select_layer": config.image_layer,
        "mm_vision_select_feature": "cls_patch" if config.image_class_token else "patch",
        "video_token_len": config.video_tokens,
        "num_query_token": config.frame_queries,
        "max_frame": config.max_frames,
        "sound_token_len": config.audio_tokens,
        "without_modalities": list(config.without),
    }
    for name, ids in config.placeholder_ids.items():
        raw.update({f"{name}_{part}_token": i for part, i in zip(_PARTS, ids)})
    return raw


def dims_as_json(config: LegoConfig) -> dict[str, Any]:
    """What `module_dims.json` says of them."""
    parts = {
        "eva_vit": (config.eva, _EVA_NAMES),
        "qformer_bert": (config.qformer, _QFORMER_NAMES),
        "imagebind": (config.audio, _AUDIO_NAMES),
    }
    published = {
        key: {own: name for name, own in names.items()} for key, (_, names) in parts.items()
    }
    return {
        key: {published[key].get(own, own): value for own, value in asdict(dims).items()}
        for key, (dims, _) in parts.items()
    }


def _known_fields(raw: Mapping[str, Any], names: Mapping[str, str], kind: type) -> dict[str, Any]:
    own = {f.name for f in fields(kind)}
    renamed = {names.get(key, key): value for key, value in raw.items()}
    return {key: value for key, value in renamed.items() if key in own}


def _read_clip(folder: Path | None) -> Mapping[str, Any]:
    """A tower's own `config.json`, or that of a whole CLIP model, whose vision part may name only
    what differs from defaults.
    """
    if folder is None:
        return PUBLISHED_CLIP
    raw = _read_json(folder / "config.json", "a CLIP folder holds config.json")
    if not str(raw.get("model_type", "")).startswith("clip"):
        raise CheckpointError(
            "{folder} is of model_type {found}, not a CLIP model",
            folder=folder / "config.json",
            found=repr(raw.get("model_type")),
        )
    vision = raw.get("vision_config", raw)
    return {key: vision[key] for key in _CLIP_KEYS if key in vision}


def find_dims(folder: Path) -> Path | None:
    """The folder's file of encoder sizes, in it or beside it; None where there is none."""
    return next((p for p in (folder / DIMS_FILE, folder.parent / DIMS_FILE) if p.is_file()), None)


def _read_json(path: Path, what: str) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError("{path} does not exist ({what})", path=path, what=what)
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not JSON, or not UTF-8
        raise CheckpointError("{path} is not JSON: {error}", path=path, error=error) from error
    if not isinstance(read, dict):
        raise CheckpointError(
            "{path} holds a {name} and not an object", path=path, name=type(read).__name__
        )
    return read
