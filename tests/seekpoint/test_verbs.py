"""One suite for the library and for the client of a server: the same verbs, values and errors."""

import inspect
import io
import itertools
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from grounding.spans import Span
from indexer.catalog.tables.library import ChunkTask, Video
from indexer.catalog.video_queries import Filters
from indexer.embedders.demo import COLOURS
from indexer.errors import CatalogError, ModelError, SeekpointError, UsageError
from indexer.library import Library
from indexer.media.probe import probe
from search_ui.api.problems import is_api, problem
from search_ui.api.rate_limit import RateLimit
from seekpoint import Client
from tests.support import colour_video, demo_settings

LIGHT = object()
"""Stands for the number of the video with the traffic light."""


@pytest.fixture(scope="module")
def pair(served):
    """The library, and a client of its server."""
    client = Client(served.url, served.token("suite", "editor"))
    yield {"library": Library(served.shared.settings), "client": client}
    client.close()


@pytest.fixture(params=["library", "client"])
def verbs(pair, request) -> Library | Client:
    return pair[request.param]


@pytest.fixture(scope="module")
def light(served) -> int:
    (video,) = served.shared.library.videos(["colours"], named="traffic")
    return video.video_id


def test_search(verbs, light):
    answer = verbs.search("when is it green?", collections=["colours"])
    assert answer.matched
    best = answer.moments[0]
    assert (best.video_id, best.span, best.title) == (light, Span(4.0, 10.0), "traffic light")
    assert best.evidence[0].kind == "picture"
    assert best.likelihood == answer.shown[0].likelihood
    assert verbs.search("pink", video_id=light).matched is False
    (words,) = verbs.search("the first words", only=["speech"]).moments
    assert (words.span.start_s, words.evidence[0].text) == (1.0, "the first words")
    assert len(verbs.search("red", top=2).moments) == 2
    none = Filters(recorded_from=date(2030, 1, 1))
    assert verbs.search("red", filters=none).moments == ()


def test_both_answer_alike(pair, light):
    asked = {"collections": ["colours"], "top": 150, "titles": True}
    own, theirs = (pair[name].search("red", **asked) for name in ("library", "client"))
    assert [
        (m.video_id, m.span, m.statement, m.offline, m.peak_s, m.path) for m in theirs.moments
    ] == [
        (
            m.video_id,
            Span(round(m.span.start_s, 3), round(m.span.end_s, 3)),
            m.statement,
            m.offline,
            round(m.peak_s, 3),
            m.path,
        )
        for m in own.moments
    ]
    assert [m.score for m in theirs.moments] == pytest.approx(
        [m.score for m in own.moments], abs=1e-6
    )
    assert len(theirs.shown) == len(own.shown)
    assert (theirs.statement, theirs.matched) == (own.statement, own.matched)
    assert theirs.confidence == pytest.approx(own.confidence, abs=1e-6)
    assert pair["client"].video(light) == pair["library"].video(light)
    assert pair["client"].videos() == pair["library"].videos()
    assert pair["client"].videos(newest=1) == pair["library"].videos(newest=1)
    assert pair["client"].collections() == pair["library"].collections()
    assert pair["client"].transcript(light) == pair["library"].transcript(light)
    assert pair["client"].frame(light, 5.0) == pair["library"].frame(light, 5.0)
    for like in ({}, {"question": "green"}, {"like": (light, Span(4.0, 10.0))}):
        assert pair["client"].curve(light, **like) == pair["library"].curve(light, **like)
    assert found_in_order(pair["client"]) == found_in_order(pair["library"])
    assert [(one.name, one.installed, str(one.purpose)) for one in pair["client"].models()] == [
        (one.name, one.installed, str(one.purpose)) for one in pair["library"].models()
    ]
    own, theirs = (pair[name].status() for name in ("library", "client"))
    assert (theirs.videos, theirs.segments, theirs.queue.waiting) == (
        own.videos,
        own.segments,
        own.queue.waiting,
    )


def found_in_order(verbs) -> list[str]:
    """What `doctor` says is well; the space on the disk changes meanwhile."""
    return [re.sub(r"^[\d.]+ GB", "", str(one.found)) for one in verbs.doctor() if one.ok]


def test_by_picture_and_by_moment(verbs, light):
    picture = io.BytesIO()
    Image.fromarray(np.full((40, 60, 3), COLOURS["green"], np.uint8)).save(picture, "PNG")
    name = verbs.keep_picture(picture.getvalue())
    best = verbs.search_picture(name, collections=["colours"]).moments[0]
    assert (best.video_id, best.span.overlap_s(Span(4.0, 10.0))) == (light, best.span.length_s)
    assert verbs.search_picture(name, question="green").moments[0].video_id == light
    alike = verbs.more_like(light, Span(4.0, 10.0), collections=["colours"])
    assert all(m.span.overlap_s(Span(4.0, 10.0)) == 0 for m in alike.moments[:1])


def test_one_video(verbs, light, tmp_path):
    lane = verbs.lanes(light, question="green")["picture"]
    assert 4 <= lane.times_s[int(np.argmax(lane.values))] <= 10
    chapters = verbs.chapters(light)
    assert (chapters[0].span.start_s, chapters[-1].span.end_s) == (0.0, 22.0)
    (line,) = verbs.transcript(light)
    assert (line.kind, line.text) == ("speech", "the first words")
    assert verbs.subtitles(light, tmp_path / "words.srt") == 1
    assert "00:00:01,000" in (tmp_path / "words.srt").read_text()
    verbs.clip(str(light), 3.5, 5.5, tmp_path / "clip.mp4")
    assert probe(tmp_path / "clip.mp4").duration_s == pytest.approx(2.0, abs=0.05)
    with pytest.raises(UsageError, match="no sound that can be cut"):
        verbs.clip(str(light), 3.5, 5.5, tmp_path / "clip.m4a")
    with pytest.raises(UsageError, match="no sound that can be cut"):
        verbs.clip(str(light), 3.5, 5.5, tmp_path / "sound.mp4", sound_only=True)
    with Image.open(io.BytesIO(verbs.frame(light, 5.0))) as picture:
        seen = np.asarray(picture.convert("RGB"))[100, 100].astype(int)
    assert np.abs(seen - COLOURS["green"]).max() < 30
    assert verbs.frame(light, 1e12) == verbs.frame(light, 22.0)
    verbs.give_feedback("green", light, Span(4.0, 10.0), good=True)
    verbs.give_feedback("blue", light, Span(10.0, 22.0), good=False)
    assert verbs.transcripts(["colours"], tmp_path / "words.jsonl") == 1
    assert '"the first words"' in (tmp_path / "words.jsonl").read_text()


def test_retry(verbs, served, tmp_path):
    path = colour_video(tmp_path / "again.mp4", [("blue", 1)])
    (outcome,) = verbs.ingest([path], "again").files
    with served.shared.library.catalog.begin() as session:
        session.execute(update(Video).where(Video.id == outcome.video_id).values(state="failed"))
        tasks = update(ChunkTask).where(ChunkTask.video_id == outcome.video_id)
        count = session.execute(tasks.values(state="failed")).rowcount
    done = verbs.retry([outcome.video_id])
    assert (done.videos, done.chunks, done.ready, done.errors) == (1, count, 1, ())
    assert verbs.remove(collections=["again"]).video_ids == (outcome.video_id,)


def test_ingest_and_remove(verbs, tmp_path):
    path = colour_video(tmp_path / "new" / "leaf.mp4", [("blue", 1), ("green", 2)])
    (tmp_path / "new" / "text.mp4").write_text("no video")
    report = verbs.ingest([tmp_path / "new"], "added")
    states = {outcome.path.rpartition("/")[2]: outcome for outcome in report.files}
    assert states["leaf.mp4"].state == "indexed"
    assert states["text.mp4"].state == "failed"
    assert states["text.mp4"].error
    (again,) = verbs.ingest([path], "added").files
    assert (again.state, again.video_id) == ("unchanged", states["leaf.mp4"].video_id)
    copy = path.with_name("copy.mp4")
    copy.write_bytes(path.read_bytes())
    (same,) = verbs.ingest([copy], "added").files
    assert (same.state, same.video_id) == ("same content", again.video_id)
    assert (verbs.retry().videos, verbs.cancel(), verbs.cancel([])) == (0, 0, 0)
    assert {one.rows for one in verbs.reindex()} >= {verbs.status().segments}
    assert path.exists()
    video_id = states["leaf.mp4"].video_id
    assert video_id is not None
    assert verbs.search("green", collections=["added"]).moments[0].video_id == video_id
    assert verbs.remove(video_ids=[video_id]).video_ids == (video_id,)
    assert verbs.videos(["added"]) == []
    verbs.remove(collections=["added"])
    assert "added" not in {one.name for one in verbs.collections()}


@pytest.mark.parametrize(
    ("verb", "values", "named", "error"),
    [
        ("search", ("???",), {}, UsageError),
        ("search", ("дождь",), {}, ModelError),
        ("video", (999_999,), {}, CatalogError),
        ("transcript", (999_999,), {}, CatalogError),
        ("frame", (999_999, 1.0), {}, CatalogError),
        ("cancel", ([999_999],), {}, CatalogError),
        ("retry", ([999_999],), {}, CatalogError),
        ("curve", (999_999,), {}, CatalogError),
        ("search_picture", ("a" * 64,), {}, UsageError),
        ("ask", ("1", "what is it?"), {}, ModelError),
        ("ask", ("1", "what is it?"), {"at_s": 1.0, "span": Span(0, 1)}, UsageError),
        ("ask", ("1", "what is it?"), {"at_s": -1.0}, UsageError),
        ("videos", (), {"newest": -1}, UsageError),
        ("search", ("red",), {"top": 0}, UsageError),
        ("search", (" ",), {}, UsageError),
        ("search_picture", ("a" * 64,), {"top": -1}, UsageError),
        ("more_like", (LIGHT, Span(1, 2)), {"top": 0}, UsageError),
        ("frame", (LIGHT, -1.0), {}, UsageError),
        ("frame", (LIGHT, float("nan")), {}, UsageError),
        ("curve", (LIGHT,), {"question": "red", "like": (1, Span(1, 2))}, UsageError),
        ("lanes", (LIGHT,), {"question": "red", "picture": "a" * 64}, UsageError),
        ("give_feedback", (" ", LIGHT, Span(1, 2)), {"good": True}, UsageError),
        ("give_feedback", ("red", LIGHT, Span(5, 5)), {"good": True}, UsageError),
        ("give_feedback", ("red", LIGHT, Span(21, 23)), {"good": True}, UsageError),
        ("give_feedback", ("red", LIGHT, Span(500, 1000)), {"good": True}, UsageError),
        ("give_feedback", ("red", 999_999, Span(1, 2)), {"good": True}, CatalogError),
    ],
)
def test_they_refuse_alike(verbs, light, verb, values, named, error):
    given = [light if value is LIGHT else value for value in values]
    with pytest.raises(error):
        getattr(verbs, verb)(*given, **named)


def test_unknown_collections(verbs):
    for ask in (
        lambda: verbs.search("red", collections=["nothing"]),
        lambda: verbs.videos(["nothing"]),
        lambda: verbs.remove(collections=["nothing"]),
    ):
        with pytest.raises(CatalogError, match="collection"):
            ask()


def test_the_verbs_take_what_those_of_the_library_take():
    shared = [
        name
        for name, _ in inspect.getmembers(Client, inspect.isfunction)
        if not name.startswith("_") and name != "close"
    ]
    assert len(shared) > 15
    for name in shared:
        own = inspect.signature(getattr(Client, name)).parameters
        librarys = inspect.signature(getattr(Library, name)).parameters
        extra = set(own) - set(librarys)
        assert extra <= {"on_server"}, name
        for key in set(own) & set(librarys):
            assert without_default(own[key]) == without_default(librarys[key]), (name, key)


def test_what_the_client_lacks_is_named_in_the_guide():
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "api.md").read_text()
    verbs = {name for name, _ in inspect.getmembers(Library, inspect.isfunction)}
    lacking = {name for name in verbs - set(dir(Client)) if not name.startswith("_")}
    assert {name for name in lacking if f"`{name}`" not in guide} == set()
    assert "evaluate" in lacking


def without_default(parameter: inspect.Parameter) -> inspect.Parameter:
    """`lanes` of the library may be asked without a question."""
    return parameter.replace(default=inspect.Parameter.empty, annotation=inspect.Parameter.empty)


# --- the client alone ---


def test_files_of_the_server(served, pair):
    folder = reachable_folder(served)
    report = pair["client"].ingest([folder], "from the server", on_server=True)
    (video,) = pair["client"].videos(["from the server"])
    (outcome,) = report.files
    assert (outcome.path, outcome.state, outcome.video_id) == (
        str(folder / "sea.mp4"),
        "indexed",
        video.video_id,
    )
    broken = folder / "broken.mp4"
    broken.write_bytes(b"no video")
    both = [folder / "sea.mp4", broken]
    outcomes = pair["client"].ingest(both, "from the server", on_server=True).files
    assert [(one.state, bool(one.error)) for one in outcomes] == [
        ("unchanged", False),
        ("failed", True),
    ]
    broken.unlink()
    with pytest.raises(UsageError, match="may not be added"):
        pair["client"].ingest(["/etc"], "from the server", on_server=True)


def reachable_folder(served):
    """A video where the page may read."""
    folder = demo_settings(served.folder / "home").home_path / "demo"
    colour_video(folder / "sea.mp4", [("blue", 1), ("purple", 1)])
    return folder


def test_a_token_that_is_none_or_may_not(served):
    with Client(served.url, "skp_wrong") as client, pytest.raises(UsageError, match="token"):
        client.collections()
    with Client(served.url, served.token("looks", "viewer")) as client:
        assert client.search("green").moments
        with pytest.raises(UsageError, match="Viewers"):
            client.remove(video_ids=[1])


def test_every_verb_waits_where_it_is_asked_to(served, pair, light, tmp_path, monkeypatch):
    refuses, answered = itertools.cycle([True, False]), RateLimit.__call__

    async def every_other(self, scope, receive, send):
        if is_api(scope["path"]) and next(refuses):
            await problem(429, "wait", headers={"Retry-After": "0"})(scope, receive, send)
        else:
            await answered(self, scope, receive, send)

    monkeypatch.setattr(RateLimit, "__call__", every_other)
    client, video = pair["client"], tmp_path / "waits.mp4"
    colour_video(video, [("orange", 1)])
    assert client.video(light).video_id == light
    assert client.frame(light, 5.0)
    client.clip(str(light), 0, 1, tmp_path / "clip.mp4")
    (outcome,) = client.ingest([video], "patient").files
    assert outcome.state == "indexed"


def test_servers_that_are_none():
    with pytest.raises(UsageError, match="not the address"):
        Client("localhost:8501")
    with Client("http://127.0.0.1:9") as client, pytest.raises(SeekpointError, match="not answer"):
        client.collections()


def test_it_waits_when_it_is_told_to(served, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr("seekpoint.transport.time.sleep", waits.append)
    limit = [one for one in served_limits(served) if one]
    assert limit
    with Client(served.url, served.token("often", "viewer")) as client:
        monkeypatch.setattr(limit[0], "_per_minute", 1)
        client.collections()
        with pytest.raises(SeekpointError, match="Too many requests"):
            client.collections()
    assert len(waits) == 4
    assert all(1 <= wait_s <= 60 for wait_s in waits)


def served_limits(served):
    """The rate limit of the server, among its middleware."""
    app = served.app.middleware_stack
    while app is not None:
        if type(app).__name__ == "RateLimit":
            yield app
        app = getattr(app, "app", None) or getattr(app, "_app", None)
