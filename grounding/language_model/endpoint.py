"""Questions to a language model behind any endpoint that speaks OpenAI's chat completions: paced,
retried, within a budget, remembered.

    async with Endpoint(EndpointSettings("http://localhost:8000/v1", "a-model"),
    Answers("answers.sqlite")) as endpoint:
        answer = await endpoint.ask([{"role": "user", "content": "..."}])

What was answered is never asked again: answers are kept by the content of the request, so a run
that stopped goes on for nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any

import httpx2
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from grounding.errors import DataError
from grounding.language_model.answer_store import Answer, Answers

RETRIED_STATUS = {408, 409, 425, 429, 500, 502, 503, 504}
FATAL_STATUS = {301, 302, 303, 307, 308, 401, 403, 404, 405}
"""What no other request would change; a key is not sent on to where an endpoint points."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
"""Of the waits that grow from try to try."""
LONGEST_ASKED_WAIT_S = 900.0
"""`Retry-After` is obeyed up to this; an endpoint that asks for days counts as failing."""
BYTES_PER_TOKEN = 3
"""A cautious guess where the endpoint does not say what it used."""
MAX_ANSWER_BYTES = 4 * 2**20

PICTURE_TOKENS = 1000
"""A guess of the same kind for a picture: 720p in patches of 32 x 32."""

Message = dict[str, Any]
"""`role` and `content`: text, or a list of parts as the API has them."""


class EndpointError(DataError):
    """The endpoint cannot be used: wrong address, key or model, or it fails again and again. Stops
    the run.
    """


class NoAnswer(DataError):
    """This one request was not answered; others may be."""


class Refused(NoAnswer):
    """The endpoint says that the request is wrong."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__("endpoint: status {status}: {text}", status=status, text=repr(text))
        self.status = status


class WrongAnswer(NoAnswer):
    """An answer that the one who asked does not accept. It is not kept."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(reason)
        self.text = text


class BudgetSpent(DataError):
    """Asking would exceed the budget. What was answered is kept."""


class _Passing(Exception):
    """A failure that may pass. Retried."""

    def __init__(self, name: str, wait_s: float = 0.0, tokens: int = 0) -> None:
        super().__init__(name)
        self.name = name
        self.wait_s = wait_s
        self.tokens = tokens
        """What the endpoint says that it used nevertheless."""


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Which endpoint is asked, how fast, and within which budget."""

    url: str
    """Up to and including `/v1`."""
    model: str
    key: str = field(default="", repr=False)
    concurrency: int = 4
    per_minute: float = 0.0
    """Requests a minute; 0: no limit."""
    max_requests: int = 0
    """Budget of this run, retries included; 0: no limit."""
    max_tokens: int = 0
    """Budget of this run, questions and answers together; 0: no limit."""
    attempts: int = 5
    timeout_s: float = 120.0
    """For a whole answer."""
    temperature: float = 0.7
    answer_tokens: int = 1024
    first_wait_s: float = FIRST_WAIT_S
    give_up_after: int = 5
    """Requests in a row that failed in every attempt, after which the endpoint counts as down."""


@dataclass(slots=True)
class Usage:
    """What a run cost."""

    requests: int = 0
    tokens: int = 0
    remembered: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """Attempts that failed, by what went wrong."""
    reserved: int = 0
    """Tokens that requests under way may use."""

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        return {
            "requests": self.requests,
            "tokens": self.tokens,
            "remembered": self.remembered,
            "failures": dict(self.failures),
        }


class Endpoint:
    """Raises EndpointError where no request can succeed, NoAnswer where this one did not,
    BudgetSpent before it would exceed the budget.
    """

    def __init__(self, settings: EndpointSettings, answers: Answers) -> None:
        self.settings = settings
        self.answers = answers
        self.usage = Usage()
        self._places = asyncio.Semaphore(settings.concurrency)
        self._next_start = 0.0
        self._failed_in_a_row = 0
        self._under_way: dict[str, asyncio.Future[Answer]] = {}
        self.remembers_only = False
        """Set: nothing is sent any more; a question that was not answered before is a BudgetSpent.
        """

    async def __aenter__(self) -> Endpoint:
        headers = {"Authorization": f"Bearer {self.settings.key}"} if self.settings.key else {}
        try:
            self._client: httpx2.AsyncClient = httpx2.AsyncClient(
                headers=headers, timeout=self.settings.timeout_s
            )
            self._address = httpx2.URL(self.settings.url.rstrip("/") + "/chat/completions")
        except (httpx2.InvalidURL, ValueError) as error:
            raise EndpointError(
                "{url} is not an address of an endpoint: {error}",
                url=repr(self.settings.url),
                error=error,
            ) from error
        if self._address.scheme not in ("http", "https"):
            raise EndpointError(
                "{url} is not an address of an endpoint; it begins with http:// or "
                "https:// and ends with /v1",
                url=repr(self.settings.url),
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def ask(
        self,
        messages: Sequence[Message],
        variant: int = 0,
        *,
        body: Mapping[str, Any] = {},
        check: Callable[[str], None] = lambda text: None,
    ) -> Answer:
        """`variant` asks for another answer to the same messages. The same question at the same
        time is sent once. `body`: more members of the request, such as a schema of the answer.
        `check` raises ValueError for a text that is no answer: WrongAnswer.
        """
        request = {**self._body(messages), **body}
        key = self._key(request, variant)
        known = self.answers.get(key)
        if known is not None:
            self.usage.remembered += 1
            return known
        if self.remembers_only:
            raise BudgetSpent("nothing is asked any more")
        if key in self._under_way:
            return await asyncio.shield(self._under_way[key])
        future = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._ask_endpoint(request)
            try:
                check(answer.text)
            except ValueError as error:
                self.usage.failures["wrong answer"] += 1
                raise WrongAnswer(answer.text, str(error)) from error
            self.answers.put(key, answer)
            future.set_result(answer)
            return answer
        except BaseException as error:
            future.set_exception(error if isinstance(error, Exception) else NoAnswer("stopped"))
            future.exception()  # nobody else may have waited
            raise
        finally:
            del self._under_way[key]

    def _key(self, request: Mapping[str, Any], variant: int) -> str:
        body = [self.settings.url, request, variant]
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def _body(self, messages: Sequence[Message]) -> dict[str, Any]:
        settings = self.settings
        return {
            "model": settings.model,
            "messages": list(messages),
            "temperature": settings.temperature,
            "max_tokens": settings.answer_tokens,
        }

    async def _ask_endpoint(self, request: Mapping[str, Any]) -> Answer:
        wait = wait_random_exponential(multiplier=self.settings.first_wait_s, max=LONGEST_WAIT_S)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_attempt(self.settings.attempts),
            wait=lambda state: max(wait(state), _retry_after_s(state)),
            reraise=True,
        )
        try:
            async with self._places:
                answer = await retrying(self._attempt, request)
        except _Passing as error:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= self.settings.give_up_after:
                raise EndpointError(
                    "{url} failed {failed_in_a_row} requests in a row, each {attempts} "
                    "times; the last time: {error_name}. What was answered is kept; the same "
                    "command goes on",
                    url=self.settings.url,
                    failed_in_a_row=self._failed_in_a_row,
                    attempts=self.settings.attempts,
                    error_name=error.name,
                ) from error
            raise NoAnswer(f"endpoint: {error.name}") from error
        self._failed_in_a_row = 0
        return answer

    async def _attempt(self, request: Mapping[str, Any]) -> Answer:
        body = json.dumps(request).encode()
        guess = _guess_tokens(request["messages"], body) + request["max_tokens"]
        self._reserve(guess)
        try:
            await self._pace()
            answer = await self._send(body, guess - request["max_tokens"])
            self.usage.tokens += answer.tokens
        except _Passing as error:
            self.usage.failures[error.name] += 1
            self.usage.tokens += error.tokens
            raise
        finally:
            self.usage.reserved -= guess
        return answer

    def _reserve(self, guess: int) -> None:
        usage, settings = self.usage, self.settings
        if settings.max_requests and usage.requests >= settings.max_requests:
            raise BudgetSpent(f"the budget of {settings.max_requests:,} requests is spent")
        if settings.max_tokens and usage.tokens + usage.reserved + guess > settings.max_tokens:
            raise BudgetSpent(
                f"{usage.tokens:,} of {settings.max_tokens:,} tokens are spent; the next request "
                f"may need {guess:,}"
            )
        usage.requests += 1
        usage.reserved += guess

    async def _pace(self) -> None:
        if not self.settings.per_minute:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._next_start)
        self._next_start = start + 60 / self.settings.per_minute
        await asyncio.sleep(start - now)

    async def _send(self, body: bytes, asked: int) -> Answer:
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                response = await self._client.post(
                    self._address, content=body, headers={"Content-Type": "application/json"}
                )
        except TimeoutError as error:
            raise _Passing("timeout") from error
        except httpx2.TimeoutException as error:
            raise _Passing("timeout") from error
        except httpx2.UnsupportedProtocol as error:
            raise EndpointError(
                "{url} is not an address of an endpoint: {error}",
                url=repr(self.settings.url),
                error=error,
            ) from error
        # a body that is not in the encoding that its header names
        except httpx2.DecodingError as error:
            raise _Passing("nonsense: broken encoding") from error
        except httpx2.TransportError as error:
            raise _Passing(f"connection: {type(error).__name__}") from error
        return self._read(response, asked)

    def _read(self, response: httpx2.Response, asked: int) -> Answer:
        status = response.status_code
        if status in FATAL_STATUS:
            raise EndpointError(
                "{address} answers {status}: {text}; check the address, the key and the model",
                address=self._address,
                status=status,
                text=repr(response.text[:200]),
            )
        if status in RETRIED_STATUS or status >= 500:
            raise _Passing(f"status {status}", _seconds(response.headers.get("retry-after", "")))
        if status != 200:
            raise Refused(status, response.text[:200])
        return parse_answer(response.content, asked)


def parse_answer(content: bytes, asked: int) -> Answer:
    """`asked`: a guess of the request's tokens. Raises what is retried unless it is a chat
    completion with words in it.
    """
    if len(content) > MAX_ANSWER_BYTES:
        raise _Passing("nonsense: too large")
    used = 0
    try:
        raw = json.loads(content)
        used = _total_tokens(raw)
        choice = raw["choices"][0]
        text = choice["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise _Passing("nonsense: no chat completion", tokens=used) from error
    if not isinstance(text, str) or not text.strip():
        raise _Passing("nonsense: no words", tokens=used)
    return Answer(
        text,
        choice.get("finish_reason") != "length",
        used or asked + len(content) // BYTES_PER_TOKEN,
    )


def _guess_tokens(messages: Sequence[Message], body: bytes) -> int:
    """Of text by its bytes, of pictures by their number."""
    contents = (message["content"] for message in messages if isinstance(message["content"], list))
    pictures = [
        part["image_url"]["url"] for parts in contents for part in parts if "image_url" in part
    ]
    return (len(body) - sum(map(len, pictures))) // BYTES_PER_TOKEN + PICTURE_TOKENS * len(pictures)


def _total_tokens(raw: Any) -> int:
    """Tokens of question and answer as the endpoint counts them; 0 where it does not say."""
    usage = raw.get("usage") if isinstance(raw, dict) else None
    used = usage.get("total_tokens") if isinstance(usage, dict) else None
    return used if isinstance(used, int) and used > 0 else 0


def _retry_after_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return min(error.wait_s, LONGEST_ASKED_WAIT_S) if isinstance(error, _Passing) else 0.0


def _seconds(header: str) -> float:
    """`Retry-After`: seconds, or a date until which to wait. 0 for anything else."""
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    return max(
        0.0,
        (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp()
        - datetime.now(UTC).timestamp(),
    )
