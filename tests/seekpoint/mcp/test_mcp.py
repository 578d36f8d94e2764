"""The SDK's client asks the MCP server: in this process, over stdio, and over HTTP with tokens."""

import asyncio
import base64
import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import httpx2
import numpy as np
import pytest
import uvicorn
from mcp import Client as McpClient
from mcp import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from indexer.embedders.demo import COLOURS
from indexer.errors import UsageError
from indexer.library import Library
from indexer.media.probe import probe
from seekpoint import Client
from seekpoint.mcp.cli import mcp
from seekpoint.mcp.serve import ByToken, http_options, make_server
from seekpoint.mcp.tools import Seekpoint
from tests.support import demo_environment, free_port

TOOLS = {
    "search_moments",
    "list_videos",
    "describe_video",
    "get_transcript",
    "get_frame",
    "get_clip_link",
    "ask_video",
}


@pytest.fixture(scope="module", params=["library", "client"])
def library(served, request) -> Seekpoint:
    if request.param == "library":
        return Seekpoint(Library(served.shared.settings), "")
    return Seekpoint(Client(served.url, served.token("agent", "viewer")), served.url)


@pytest.fixture
def ask(library) -> Callable[..., Any]:
    server = make_server(lambda _: library)

    def call(tool: str, **values: Any) -> Any:
        async def run() -> Any:
            async with McpClient(server) as client:
                return await client.call_tool(tool, values)

        return asyncio.run(run())

    return call


def words(result: Any) -> str:
    assert not result.is_error, result.content
    return next(part.text for part in result.content if part.type == "text")


def pictures(result: Any) -> list[np.ndarray]:
    found = [part for part in result.content if part.type == "image"]
    assert {part.mime_type for part in found} <= {"image/jpeg"}
    opened = [Image.open(io.BytesIO(base64.b64decode(part.data))) for part in found]
    return [np.asarray(picture.convert("RGB")) for picture in opened]


def is_colour(picture: np.ndarray, colour: str) -> bool:
    seen = picture[picture.shape[0] // 2, picture.shape[1] // 2].astype(int)
    return bool(np.abs(seen - COLOURS[colour]).max() < 30)


def test_moments_come_with_what_a_model_has_to_see(ask):
    result = ask("search_moments", question="when is it green?", collections=["colours"])
    found = json.loads(words(result))
    best = found["moments"][0]
    assert found["matched"] is True
    assert (best["title"], best["start_s"], best["end_s"]) == ("traffic light", 4.0, 10.0)
    assert is_colour(pictures(result)[0], "green")
    silent = ask("search_moments", question="green", pictures=False)
    assert pictures(silent) == []


def test_a_video_in_words_and_pictures(ask):
    (video,) = json.loads(words(ask("list_videos", name="traffic")))
    result = ask("describe_video", video_id=video["video_id"])
    about = json.loads(words(result))
    assert (about["title"], about["duration_s"]) == ("traffic light", 22.0)
    assert about["first_words"] == ["the first words"]
    looks = pictures(result)
    assert is_colour(looks[0], "red")
    assert is_colour(looks[-1], "blue")
    text = words(ask("get_transcript", video_id=video["video_id"]))
    assert text == "[1.0-2.5] speech: the first words"
    nothing = words(ask("get_transcript", video_id=video["video_id"], start_s=10))
    assert nothing == "Nothing is said, written or heard there."
    (frame,) = pictures(ask("get_frame", video_id=video["video_id"], at_s=7))
    assert is_colour(frame, "green")


def test_no_link_leads_to_nothing(ask):
    assert ask("get_clip_link", video_id=2, start_s=2, end_s=2).is_error


def test_a_link_leads_to_the_clip(ask, library, served, tmp_path):
    link = words(ask("get_clip_link", video_id=2, start_s=1, end_s=2.5))
    if library.url:
        headers = {"Authorization": f"Bearer {served.token(tmp_path.name, 'viewer')}"}
        path = tmp_path / "clip.mp4"
        path.write_bytes(httpx2.get(link, headers=headers).content)
    else:
        assert link.startswith("file:///")
        path = httpx2.URL(link).path
    assert probe(path).duration_s == pytest.approx(1.5, abs=0.05)


def test_what_goes_wrong_is_told_in_words(ask):
    for tool, values, reason in (
        ("get_frame", {"video_id": 999, "at_s": 1}, "no picture"),
        ("describe_video", {"video_id": 999}, "video"),
        ("search_moments", {"question": "???"}, "the question is empty"),
        ("search_moments", {"question": "red", "collections": ["none"]}, "collection"),
        ("ask_video", {"video_id": 1, "question": "what is it?"}, "no grounder is configured"),
        ("ask_video", {"video_id": 1, "question": "what?", "start_s": 5, "end_s": 2}, "would end"),
        ("ask_video", {"video_id": 1, "question": "what?", "start_s": 500}, "would end"),
        (
            "ask_video",
            {"video_id": 1, "question": "what?", "start_s": 1, "at_s": 1},
            "not about both",
        ),
    ):
        result = ask(tool, **values)
        text = " ".join(part.text for part in result.content if part.type == "text")
        assert result.is_error or tool == "get_frame"
        assert reason in text, (tool, text)


def test_over_stdio_nothing_but_the_protocol_is_said(served):
    env = demo_environment(served.folder / "home")
    server = StdioServerParameters(command=sys.executable, args=["-m", "indexer", "mcp"], env=env)

    async def run() -> tuple[set[str], Any]:
        async with McpClient(server) as client:
            listed = await client.list_tools()
            asked = {"question": "green", "limit": 1}
            found = await client.call_tool("search_moments", asked)
            return {tool.name for tool in listed.tools}, found

    names, found = asyncio.run(run())
    assert names == TOOLS
    assert is_colour(pictures(found)[0], "green")


def test_over_http_each_token_gets_what_it_opens(served):
    port = free_port()
    app = make_server(ByToken(served.url)).streamable_http_app(**http_options(served.url))
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)

    async def call(headers: dict[str, str]) -> Any:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            McpClient(
                streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http)
            ) as client,
        ):
            return await client.call_tool("search_moments", {"question": "green", "limit": 1})

    async def all_calls() -> list[Any]:
        token = served.token("over http", "viewer")
        calls: list[Coroutine[Any, Any, Any]] = [
            call({"Authorization": f"Bearer {token}", "Host": "videos.example.com"}),  # a proxy's
            call({"Authorization": "Bearer skp_wrong"}),
            call({}),
        ]
        return [await one for one in calls]

    try:
        found, wrong, none = asyncio.run(all_calls())
    finally:
        server.should_exit = True
        thread.join(20)
    assert is_colour(pictures(found)[0], "green")
    assert wrong.is_error
    assert "Show a token that is valid" in wrong.content[0].text
    assert none.is_error
    assert "needs a token" in none.content[0].text


def test_nobody_elsewhere_may_ask_the_library_of_this_machine(monkeypatch):
    monkeypatch.delenv("SEEKPOINT_TOKEN", raising=False)
    with pytest.raises(UsageError, match="everybody could ask"):
        mcp(url="", http=True, host="0.0.0.0", port=8502)
    assert "SEEKPOINT_TOKEN" not in os.environ
