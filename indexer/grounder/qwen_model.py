"""A Qwen3-VL checkpoint that writes, computed with transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoTokenizer, GenerationConfig

from indexer.embedders.checkpoint import load_part
from indexer.embedders.devices import choose_device
from indexer.embedders.model_folder import read_config
from indexer.embedders.qwen.inputs import ASSISTANT, Layout, Vision, plain, turn
from indexer.errors import ModelError
from indexer.grounder import tasks
from indexer.grounder.base import FrameBudget
from indexer.grounder.chat import Chat
from indexer.grounder.qwen import QWEN3_VL
from indexer.grounder.replies import ReplyError
from indexer.settings import Settings

YES, NO = ("Yes", "yes", "YES"), ("No", "no", "NO")


class QwenModel:
    """A `ChatModel`. Threads may share it; calls run one after another."""

    when = tasks.WHEN_IN_WORDS

    def __init__(self, folder: Path, frames: FrameBudget, settings: Settings) -> None:
        self.name = settings.grounder_model.rstrip("/").rsplit("/", 1)[-1]
        self.frames = frames
        config = read_config(folder, QWEN3_VL)
        self._layout = Layout.read(folder, config)
        self._device, dtype = choose_device(settings)
        self._lock = threading.Lock()
        self._tokenizer = load_part(AutoTokenizer.from_pretrained, folder, QWEN3_VL, self.name)
        self._model = load_part(
            self._load_model, folder, QWEN3_VL, self.name, use_safetensors=True, dtype=dtype
        )
        self._ends = self._end_tokens()

    def _load_model(self, folder: Path, **options: Any) -> Any:
        """On the device, whose memory may not be enough for it."""
        model: Any = AutoModelForImageTextToText.from_pretrained(folder, **options)
        return model.eval().to(self._device)

    def complete(self, chats: Sequence[Chat]) -> list[str]:
        """One after another, greedily. An answer that cannot be read is sent back once."""
        return [self._complete(chat) for chat in chats]

    def probability_of_yes(self, chats: Sequence[Chat]) -> list[float]:
        """Of the first token: what the words for yes have against those for no."""
        return [self._probability_of_yes(chat) for chat in chats]

    def _complete(self, chat: Chat) -> str:
        vision = self._vision(chat)
        prompt = turn("user", self._layout.text(vision) + plain(chat.text)) + ASSISTANT
        text = self._generate(prompt, vision, chat.task.answer_tokens)
        try:
            chat.check(text)
        except ReplyError as error:
            correction = tasks.CORRECTION.format(reason=error)
            prompt += f"{plain(text)}<|im_end|>\n{turn('user', correction)}{ASSISTANT}"
            text = self._generate(prompt, vision, chat.task.answer_tokens)
            chat.check(text)
        return text

    @torch.inference_mode()
    def _probability_of_yes(self, chat: Chat) -> float:
        vision = self._vision(chat)
        text = tasks.SHOWN_IN_A_WORD.format(asked=plain(chat.asked))
        prompt = turn("user", self._layout.text(vision) + text) + ASSISTANT
        with self._translate_errors():
            logits = self._model(**self._inputs(prompt, vision), logits_to_keep=1).logits[0, -1]
        chances = logits.float().softmax(dim=-1)
        yes, no = (float(chances[self._first_ids(words)].sum()) for words in (YES, NO))
        return yes / (yes + no) if yes + no > 0 else 0.5

    @torch.inference_mode()
    def _generate(self, prompt: str, vision: Vision, tokens: int) -> str:
        inputs = self._inputs(prompt, vision)
        config = GenerationConfig(
            do_sample=False,
            max_new_tokens=tokens,
            eos_token_id=self._ends,
            pad_token_id=self._ends[0],
        )
        with self._translate_errors():
            written = self._model.generate(**inputs, generation_config=config)
        fresh = written[0, inputs["input_ids"].shape[1] :]
        return self._tokenizer.decode(fresh, skip_special_tokens=True).strip()

    def _vision(self, chat: Chat) -> Vision:
        images, times_s = chat.pictures.images, chat.pictures.times_s
        if times_s is None:
            return self._layout.picture(images[0])
        return self._layout.video(images, times_s.tolist())

    def _inputs(self, prompt: str, vision: Vision) -> dict[str, torch.Tensor]:
        ids = self._tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
        tensors = self._layout.tensors([vision], ids.to(self._device), self._model.dtype)
        return tensors | {"attention_mask": torch.ones_like(tensors["input_ids"])}

    def _first_ids(self, words: Sequence[str]) -> list[int]:
        ids = (self._tokenizer(word, add_special_tokens=False)["input_ids"] for word in words)
        return sorted({found[0] for found in ids if found})

    def _end_tokens(self) -> list[int]:
        ends: Any = self._model.generation_config.eos_token_id
        known = ends if isinstance(ends, list) else [] if ends is None else [ends]
        turn_end = self._tokenizer.convert_tokens_to_ids("<|im_end|>")
        return sorted({*known, turn_end} - {None})

    def _translate_errors(self) -> _Explained:
        return _Explained(self.name, self._lock)


class _Explained:
    """Holds the model, which keeps positions of its last call; what it raises becomes an error
    that a person can act on.
    """

    def __init__(self, name: str, lock: threading.Lock) -> None:
        self._name = name
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._lock.release()
        if isinstance(error, RuntimeError):  # no memory left on a GPU
            raise ModelError(
                "{name} failed: {error}",
                "fewer or smaller pictures (SEEKPOINT_GROUNDER_FRAMES, "
                "SEEKPOINT_GROUNDER_FRAME_SIDE) need less memory",
                name=self._name,
                error=str(error).splitlines()[0] if str(error) else type(error).__name__,
            ) from error
