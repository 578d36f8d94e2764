"""A vision-language model behind a server that speaks OpenAI's chat completions: vLLM, SGLang,
Ollama, llama.cpp or a service.

Pictures go as JPEG with their times between them, answers come as JSON of a given schema. The
client paces, retries, keeps to a budget and remembers answers by the content of the request
(`grounding/language_model/endpoint.py`).
"""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from grounding.errors import DataError
from grounding.language_model.answer_store import Answers
from grounding.language_model.endpoint import Endpoint, EndpointSettings, Refused, WrongAnswer
from indexer.errors import ModelError, UsageError
from indexer.grounder import tasks
from indexer.grounder.base import FrameBudget
from indexer.grounder.chat import Chat, ChatGrounder
from indexer.grounder.replies import ReplyError, read_shown, shorten
from indexer.media.output.thumbnails import jpeg
from indexer.process.load_once import load_once
from indexer.settings import Settings
from indexer.short_hash import short_hash

T = TypeVar("T")
RATE_HZ = 2.0  # of the pictures of a window, up to the number that the settings allow
CHECK_TIMEOUT_S = 5.0
KEPT_ANSWERS = 200_000  # a few hundred bytes each
SCHEMA_REFUSED = (400, 415, 422)  # how servers say that they know no `response_format`


def load_endpoint(settings: Settings) -> ChatGrounder:
    """One client per process for each way to ask; no request is sent yet. Raises ModelError,
    UsageError.
    """
    require_endpoint(settings)
    return _load(
        _Way(
            settings.grounder_url,
            settings.grounder_model,
            settings.grounder_key,
            _frames(settings),
            settings.grounder_concurrency,
            settings.grounder_timeout_s,
            settings.grounder_attempts,
            settings.grounder_max_requests,
            settings.grounder_max_tokens,
            settings.cache / "grounder-answers.sqlite",
        )
    )


def require_endpoint(settings: Settings) -> None:
    """Raises ModelError where a setting lacks; asks nothing."""
    if not settings.grounder_url or not settings.grounder_model:
        raise ModelError(
            "the endpoint of the grounder needs an address and the name of a model",
            "set SEEKPOINT_GROUNDER_URL (it ends with /v1) and SEEKPOINT_GROUNDER_MODEL",
        )


def check_endpoint(settings: Settings) -> None:
    """Asks the server which models it serves. Raises ModelError where it does not answer, refuses
    the key or does not know the model; a server that lists none is believed.
    """
    require_endpoint(settings)
    headers = {"Authorization": f"Bearer {settings.grounder_key}"} if settings.grounder_key else {}
    try:
        response = httpx2.get(
            f"{settings.grounder_url.rstrip('/')}/models", headers=headers, timeout=CHECK_TIMEOUT_S
        )
        listed = response.json() if response.status_code == 200 else {}
        served = [str(model["id"]) for model in listed.get("data") or ()]
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        reason = str(error) or type(error).__name__
    except (ValueError, TypeError, KeyError, AttributeError):
        reason = "it does not list its models as JSON"
    else:
        if response.status_code in (401, 403):
            reason = f"it refuses the key (status {response.status_code})"
        elif served and settings.grounder_model not in served:
            reason = f"it serves {', '.join(served[:5])} and not {settings.grounder_model}"
        else:
            return
    raise ModelError(
        "the endpoint {url} cannot be used: {reason}",
        "look at its server, then at SEEKPOINT_GROUNDER_URL, _MODEL and _KEY "
        "(docs/guides/grounding-models.md)",
        url=settings.grounder_url,
        reason=reason,
    )


def endpoint_key(settings: Settings) -> str:
    """Identity of the model and of what it is shown; where it is served does not count."""
    frames = _frames(settings)
    shown = f"{frames.count}.{frames.short_side}.{tasks.REVISION}"
    return f"endpoint-{short_hash(settings.grounder_model, shown)}"


def _frames(settings: Settings) -> FrameBudget:
    return FrameBudget(settings.grounder_frames, settings.grounder_frame_side, RATE_HZ)


@dataclass(frozen=True, slots=True)
class _Way:
    """All that tells one client from another."""

    url: str
    model: str
    key: str
    frames: FrameBudget
    concurrency: int
    timeout_s: float
    attempts: int
    max_requests: int
    max_tokens: int
    store: Path

    def settings(self) -> EndpointSettings:
        return EndpointSettings(
            url=self.url,
            model=self.model,
            key=self.key,
            concurrency=self.concurrency,
            timeout_s=self.timeout_s,
            attempts=self.attempts,
            max_requests=self.max_requests,
            max_tokens=self.max_tokens,
            temperature=0.0,
        )


@load_once
def _load(way: _Way) -> ChatGrounder:
    return ChatGrounder(EndpointModel(way.settings(), way.frames, way.store))


class EndpointModel:
    """A `ChatModel`. Threads may share it: requests run in a loop of their own."""

    when = tasks.WHEN

    def __init__(self, settings: EndpointSettings, frames: FrameBudget, store: Path) -> None:
        self.name = settings.model.rstrip("/").rsplit("/", 1)[-1]
        self.frames = frames
        self._knows_schemas = True
        self._loop = _LoopThread()
        self._endpoint = self._loop.run(self._open(settings, store))

    @property
    def usage(self) -> dict[str, Any]:
        """Requests, tokens, remembered answers and failures of this process."""
        return self._endpoint.usage.to_json()

    def complete(self, chats: Sequence[Chat]) -> list[str]:
        """All at the same time, as far as the settings allow."""
        return self._loop.run(self._complete(chats))

    def probability_of_yes(self, chats: Sequence[Chat]) -> list[float]:
        """As the model says it: not every server tells probabilities of tokens."""
        return [read_shown(text) for text in self.complete(chats)]

    async def _open(self, settings: EndpointSettings, store: Path) -> Endpoint:
        try:
            return await Endpoint(settings, Answers(store, limit=KEPT_ANSWERS)).__aenter__()
        except DataError as error:
            raise UsageError(
                "the endpoint of the grounder cannot be asked: {error}",
                "SEEKPOINT_GROUNDER_URL is the address of the server up to and including /v1",
                error=error,
            ) from error

    async def _complete(self, chats: Sequence[Chat]) -> list[str]:
        asked = [asyncio.create_task(self._ask(chat)) for chat in chats]
        try:
            return list(await asyncio.gather(*asked))
        finally:
            for task in asked:
                task.cancel()

    async def _ask(self, chat: Chat) -> str:
        messages = [{"role": "user", "content": await asyncio.to_thread(_content, chat)}]
        try:
            try:
                return await self._send(messages, chat)
            except WrongAnswer as error:
                messages += [
                    {"role": "assistant", "content": shorten(error.text)},
                    {"role": "user", "content": tasks.CORRECTION.format(reason=error)},
                ]
                return await self._send(messages, chat)
        except WrongAnswer as error:
            raise ReplyError(str(error)) from error
        except DataError as error:
            raise ModelError(
                "{name} did not answer: {error}",
                "look at its server, then at SEEKPOINT_GROUNDER_URL, _MODEL, _KEY and the budget "
                "(docs/guides/grounding-models.md)",
                name=self.name,
                error=error,
            ) from error

    async def _send(self, messages: list[dict[str, Any]], chat: Chat) -> str:
        if self._knows_schemas:
            try:
                return await self._send_body(messages, chat, {"response_format": _format(chat)})
            except Refused as error:
                if error.status not in SCHEMA_REFUSED:
                    raise
        text = await self._send_body(messages, chat, {})
        self._knows_schemas = False  # the same request without a schema was answered
        return text

    async def _send_body(
        self, messages: list[dict[str, Any]], chat: Chat, more: dict[str, Any]
    ) -> str:
        body = {"max_tokens": chat.task.answer_tokens, **more}
        return (await self._endpoint.ask(messages, body=body, check=chat.check)).text


def _content(chat: Chat) -> list[dict[str, Any]]:
    """Each picture with its time before it, then the question."""
    times_s = chat.pictures.times_s
    parts: list[dict[str, Any]] = []
    for place, image in enumerate(chat.pictures.images):
        if times_s is not None:
            parts.append({"type": "text", "text": f"<{times_s[place]:.1f} seconds>"})
        data = base64.b64encode(jpeg(image, image.shape[1])).decode()
        url = {"url": f"data:image/jpeg;base64,{data}"}
        parts.append({"type": "image_url", "image_url": url})
    return [*parts, {"type": "text", "text": chat.text}]


def _format(chat: Chat) -> dict[str, Any]:
    schema = {"name": chat.task.name, "strict": True, "schema": chat.task.schema}
    return {"type": "json_schema", "json_schema": schema}


class _LoopThread:
    """An event loop in a thread of its own, for as long as the process lives."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="grounder", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for the work; an interruption of the waiting thread cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise
