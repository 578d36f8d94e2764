"""Questions about arrays, answered with spans, boxes and text.

grounder = load_grounder("checkpoints/GroundingGPT-7B")
window = grounder.read_frames(frames)                  # encode once
grounder.ground(window, "the dog turns around", window=Span(30, 60))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import torch

from grounding.errors import CheckpointError, LegoError, MediaError
from grounding.lego.checkpoint.load import find_clip_folder, load_model
from grounding.lego.generate.answers import (
    Box,
    Event,
    parse_boxes,
    parse_events,
    parse_spans,
    rewrite_boxes,
)
from grounding.lego.generate.generator import GenerationConfig, Generator, Prompt, Reply
from grounding.lego.model.lego_model import Encoded, LegoModel
from grounding.lego.model.quantize import quantize_language
from grounding.lego.preprocess import prompts, questions
from grounding.lego.preprocess.audio import sound_tensor
from grounding.lego.preprocess.image import ImageTransform
from grounding.lego.preprocess.prompts import Turn
from grounding.lego.preprocess.tokenizer import LegoTokenizer, load_tokenizer
from grounding.lego.preprocess.video import clip_tensor
from grounding.spans import Span

FRACTIONS = Span(0.0, 1.0)
"""The default window: spans come back as fractions of the clip."""
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float16": torch.float16}
BITS = {"int8": 8, "int4": 4}


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded image with the size in pixels that its boxes refer to."""

    encoded: Encoded
    width: int
    height: int


Frames: TypeAlias = "np.ndarray | Encoded"
"""`(N, H, W, 3) uint8` RGB in the order of time, or what `read_frames` made of it."""
Image: TypeAlias = "np.ndarray | Picture"
"""`(H, W, 3) uint8` RGB, or what `read_image` made of it."""
Audio: TypeAlias = "np.ndarray | Encoded"
"""`(N,)` float mono samples at 16 kHz in [-1, 1], or what `read_audio` made of it."""


class TextGenerator(Protocol):
    """Writes replies to prompts: a `Generator`, or in tests a script."""

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply for each prompt, in order."""
        ...

    def probabilities(self, prompts: Sequence[Prompt], ids: Sequence[int]) -> torch.Tensor:
        """`(B, len(ids))`: of each token as the first of the reply, against the others."""
        ...


def load_grounder(
    folder: str | Path,
    *,
    device: str = "cpu",
    dtype: str = "bfloat16",
    clip_folder: str | Path | None = None,
    without: Sequence[str] = (),
    max_new_tokens: int = 128,
) -> Grounder:
    """Loads a checkpoint folder. `dtype`: bfloat16, float16, float32, or int8 / int4 (bitsandbytes,
    language model only).

    Raises CheckpointError with what is missing and where it goes. `without` switches off
    modalities: image, video, sound.
    """
    folder = Path(folder).expanduser()
    clip_folder = Path(clip_folder).expanduser() if clip_folder else None
    if dtype not in (*DTYPES, *BITS):
        raise LegoError(
            "dtype {dtype} is unknown; choose one of {dtypes}",
            dtype=repr(dtype),
            dtypes=", ".join((*DTYPES, *BITS)),
        )
    check_device(device)
    if dtype in BITS:
        model = load_model(folder, clip_folder=clip_folder, without=without, dtype=torch.bfloat16)
        quantize_language(model, BITS[dtype], device)  # type: ignore[arg-type]
    else:
        model = load_model(
            folder, clip_folder=clip_folder, without=without, dtype=DTYPES[dtype], device=device
        )
    clip = find_clip_folder(folder, clip_folder)
    image_transform = (
        ImageTransform.read(clip) if clip and "image" in model.modalities else ImageTransform()
    )
    if "image" in model.modalities and image_transform.size != model.modality("image").size:
        raise CheckpointError(
            "{clip} prepares pictures of {prepared} pixels, but its tower reads {read}",
            clip=clip,
            prepared=image_transform.size,
            read=model.modality("image").size,
        )
    tokenizer = load_tokenizer(folder, model)
    return Grounder(
        model,
        tokenizer,
        image_transform,
        Generator(model, tokenizer, GenerationConfig(max_new_tokens)),
    )


def check_device(device: str) -> None:
    """Raises LegoError where torch knows no such device, or this machine has none."""
    try:
        torch.empty(0, device=device)
    # AssertionError: a torch that was built without CUDA
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise LegoError(
            "device {device} cannot be used here: {error}; choose cpu, or cuda with a GPU",
            device=repr(device),
            error=str(error).splitlines()[0],
        ) from error


class Grounder:
    """One loaded model. Safe to share between threads; calls run one after another."""

    def __init__(
        self,
        model: LegoModel,
        tokenizer: LegoTokenizer,
        image_transform: ImageTransform,
        generator: TextGenerator,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.image_transform = image_transform
        self.generator = generator

    def read_frames(self, frames: np.ndarray) -> Encoded:
        """Encodes a window once; of more frames than the model reads a uniform sample is taken."""
        return self.read_windows([frames])[0]

    @torch.inference_mode()
    def read_windows(self, windows: Sequence[np.ndarray]) -> list[Encoded]:
        """Encodes several windows `(N, H, W, 3) uint8` together."""
        config = self.model.config
        return self.model.encode(
            "video",
            [clip_tensor(frames, config.eva.image_size, config.max_frames) for frames in windows],
        )

    @torch.inference_mode()
    def read_image(self, image: np.ndarray) -> Picture:
        """Encodes an image `(H, W, 3) uint8` once."""
        return Picture(
            self.model.encode("image", [self.image_transform(image)])[0],
            image.shape[1],
            image.shape[0],
        )

    @torch.inference_mode()
    def read_audio(self, samples: np.ndarray) -> Encoded:
        """Encodes a sound once: `(N,)` float mono samples at 16 kHz in [-1, 1]."""
        dims = self.model.config.audio
        return self.model.encode("sound", [sound_tensor(samples, dims.mels, dims.frames)])[0]

    def ground(self, frames: Frames, question: str, *, window: Span = FRACTIONS) -> list[Span]:
        """When does it happen? In seconds if `window` says what the frames span; empty where the
        model names no time.
        """
        return self.ground_all(frames, [question], window=window)[0]

    def ground_all(
        self, frames: Frames, queries: Sequence[str], *, window: Span = FRACTIONS
    ) -> list[list[Span]]:
        """Several questions about one window, which is encoded and read once."""
        video = self._video(frames)
        requests = [(questions.when_question(query), {"video": video}) for query in queries]
        return [parse_spans(reply.text, window) for reply in self.ask_all(requests)]

    def ground_windows(
        self, windows: Sequence[Frames], question: str, *, spans: Sequence[Span]
    ) -> list[list[Span]]:
        """One question about several windows in one batch; `spans` says where they lie."""
        if len(windows) != len(spans):
            raise MediaError(
                "{windows_count} windows, but {spans_count} spans",
                windows_count=len(windows),
                spans_count=len(spans),
            )
        wording = questions.when_question(question)
        replies = self.ask_all([(wording, {"video": self._video(frames)}) for frames in windows])
        return [parse_spans(reply.text, span) for reply, span in zip(replies, spans)]

    def is_shown(self, windows: Sequence[Frames], statement: str) -> list[float]:
        """The probability that each window shows it: of the first word Yes against No."""
        question = questions.SHOWN.format(statement.strip().rstrip(".?"))
        media = [{"video": self._video(frames)} for frames in windows]
        prompts = [self._prompt([self._human(question, one)], one) for one in media]
        yes, no = (self.tokenizer.first_id(word) for word in ("Yes", "No"))
        return self.generator.probabilities(prompts, (yes, no))[:, 0].tolist()

    def events(self, frames: Frames, *, window: Span = FRACTIONS) -> list[Event]:
        """What happens when; a description without times is one event of the whole window."""
        reply = self.ask_all([(questions.EVENTS, {"video": self._video(frames)})])[0]
        return parse_events(reply.text, window)

    def locate(self, image: Image, phrase: str) -> list[Box]:
        """Boxes as fractions of the image, the square padding undone."""
        picture = self._picture(image)
        question = (
            phrase
            if phrase.strip().endswith("?")
            else questions.WHERE.format(phrase.strip().rstrip("."))
        )
        return self._boxes(question, picture, {})

    def locate_sound(self, image: Image, audio: Audio) -> list[Box]:
        """Where in the image the sound comes from."""
        return self._boxes(
            questions.WHERE_SOUND, self._picture(image), {"sound": self._sound(audio)}
        )

    def describe(
        self,
        *,
        image: Image | None = None,
        frames: Frames | None = None,
        audio: Audio | None = None,
    ) -> str:
        """Exactly one of the three. Boxes in a picture's description are fractions of the image."""
        media, picture = self._media(image, frames, audio)
        if len(media) != 1:
            raise MediaError(
                "describe takes exactly one of image, frames and audio, not {media_count}",
                media_count=len(media),
            )
        (name,) = media
        text = self.ask_all([(questions.DESCRIBE[name], media)])[0].text
        return rewrite_boxes(text, picture.width, picture.height) if picture else text

    def chat(
        self,
        *,
        image: Image | None = None,
        frames: Frames | None = None,
        audio: Audio | None = None,
    ) -> Chat:
        """A conversation of several turns about any of the three, or about none."""
        media, picture = self._media(image, frames, audio)
        return Chat(self, media, picture)

    def ask(self, question: str, media: Mapping[str, Encoded] | None = None) -> Reply:
        """One question with its encoded media by modality name; the text as the model wrote it."""
        return self.ask_all([(question, media or {})])[0]

    def ask_all(self, requests: Sequence[tuple[str, Mapping[str, Encoded]]]) -> list[Reply]:
        """Questions with their encoded media by modality name, answered in one batch; texts as the
        model wrote them.
        """
        return self.generator.generate(
            [self._prompt([self._human(question, media)], media) for question, media in requests]
        )

    def _human(self, question: str, media: Mapping[str, Encoded]) -> Turn:
        for name in media:
            self.model.modality(name)  # says which there are
        words = prompts.check_question(question, self.tokenizer, self._modalities)
        return Turn("Human", prompts.media_question(words, media, self._modalities))

    def _prompt(self, turns: Sequence[Turn], media: Mapping[str, Encoded]) -> Prompt:
        text = prompts.render([*turns, Turn("Assistant", None)])
        return Prompt(
            tuple(self.tokenizer.encode(text)), {name: [item] for name, item in media.items()}
        )

    @property
    def _modalities(self):
        return {name: self.model.modality(name) for name in self.model.modalities}

    def _boxes(self, question: str, picture: Picture, media: Mapping[str, Encoded]) -> list[Box]:
        reply = self.ask(question, {**media, "image": picture.encoded})
        return parse_boxes(reply.text, picture.width, picture.height)

    def _media(
        self, image: Image | None, frames: Frames | None, audio: Audio | None
    ) -> tuple[dict[str, Encoded], Picture | None]:
        picture = None if image is None else self._picture(image)
        media = {
            "image": picture.encoded if picture else None,
            "video": None if frames is None else self._video(frames),
            "sound": None if audio is None else self._sound(audio),
        }
        return {name: item for name, item in media.items() if item is not None}, picture

    def _video(self, frames: Frames) -> Encoded:
        return frames if isinstance(frames, Encoded) else self.read_frames(frames)

    def _picture(self, image: Image) -> Picture:
        return image if isinstance(image, Picture) else self.read_image(image)

    def _sound(self, audio: Audio) -> Encoded:
        return audio if isinstance(audio, Encoded) else self.read_audio(audio)


@dataclass(slots=True)
class Chat:
    """A conversation. The media stand in the first question; earlier turns are not read again."""

    grounder: Grounder
    media: Mapping[str, Encoded]
    picture: Picture | None = None
    turns: list[Turn] = field(default_factory=list)

    def ask(self, question: str) -> str:
        """The answer; boxes in it are fractions of the image if the conversation has one."""
        human = self.grounder._human(question, {} if self.turns else self.media)
        prompt = self.grounder._prompt([*self.turns, human], self.media)
        text = self.grounder.generator.generate([prompt])[0].text
        # as the model wrote it, so that the next turn is read from the cache
        self.turns += [human, Turn("Assistant", text)]
        return (
            rewrite_boxes(text, self.picture.width, self.picture.height) if self.picture else text
        )

    def boxes(self) -> list[Box]:
        """The boxes of the last answer."""
        if self.picture is None or not self.turns:
            return []
        return parse_boxes(self.turns[-1].text or "", self.picture.width, self.picture.height)
