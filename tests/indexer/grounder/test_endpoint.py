"""The endpoint grounder over real HTTP, against a server that looks at the pictures."""

import json
import threading

import numpy as np
import pytest

from grounding.spans import Span
from indexer.embedders.demo import COLOURS
from indexer.errors import ModelError, UsageError
from indexer.grounder.base import FrameBudget, Window
from indexer.grounder.configured import (
    check_grounder,
    grounder_key,
    load_grounder,
    require_grounder,
)
from indexer.grounder.replies import MAX_TEXT
from indexer.library import Library
from tests.grounding.language_model.endpoint_server import Reply, serving
from tests.indexer.grounder.looking_server import look, numbered, read_question
from tests.support import colour_video, demo_library, demo_settings

WINDOW_S = 30.0


def window(*colours: str, start_s: float = 60.0) -> Window:
    """A picture of each colour at equal steps, with its place burnt in."""
    images = [np.full((64, 96, 3), COLOURS[colour], np.uint8) for colour in colours]
    span = Span(start_s, start_s + WINDOW_S)
    times_s = FrameBudget(len(colours), 64).times_s(span)
    return Window(span, times_s, np.stack([numbered(i, n) for n, i in enumerate(images)]))


def settings_for(url, home, **others):
    options = {"grounder_url": url, "grounder_model": "org/looker", "grounder_attempts": 1}
    return demo_settings(home, **options | others)


@pytest.fixture
def ask(tmp_path):
    """Loads the grounder for a server."""
    return lambda server, **others: load_grounder(settings_for(server.url, tmp_path, **others))


def test_every_verb_looks_at_the_pictures_and_their_times(ask):
    with serving(look) as server:
        grounder = ask(server, grounder_key="secret")
        seen = window("red", "red", "blue", "blue", "red", "red")
        assert grounder.name == "looker"
        assert grounder.ground([seen, window("blue", "red", "red")], "it is blue") == [
            (Span(70.0, 80.0),),
            (Span(60.0, 70.0),),
        ]
        assert grounder.is_shown([seen], "it is blue") == [pytest.approx(0.9)]
        assert grounder.is_shown([seen], "it is green") == [pytest.approx(0.1)]
        (events,) = grounder.events([seen])
        assert (Span(70.0, 80.0), "The screen is blue.") in [(e.span, e.text) for e in events]
        assert len(events) == 3
        spoken = grounder.answer(seen, "which numbers are burnt in?")
        assert spoken.text == "the numbers 0, 1, 2, 3, 4, 5"
        assert grounder.name_chapter(window("blue", "blue")) == "All is blue"
        assert server.headers[0]["authorization"] == "Bearer secret"


def test_boxes_are_where_the_colour_is(ask):
    image = np.full((100, 200, 3), COLOURS["red"], np.uint8)
    image[40:60, 100:150] = COLOURS["blue"]
    with serving(look) as server:
        grounder = ask(server)
        (box,) = grounder.locate(image, "the blue square")
        assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((0.5, 0.4, 0.75, 0.6), abs=0.03)
        assert grounder.locate(image, "the green square") == []
        assert grounder.answer_frame(image, "is anything blue?").boxes == (box,)
        with pytest.raises(UsageError, match="does not hear"):
            grounder.answer_sound(np.zeros(16_000, np.float32), "what is it?")


def test_what_was_asked_is_not_asked_again_by_another_process_either(ask):
    with serving(look) as server:
        first = ask(server).ground([window("red", "blue")], "blue")
        again = ask(server, grounder_concurrency=2).ground([window("red", "blue")], "blue")
        assert first == again == [(Span(75.0, 90.0),)]
        assert len(server.requests) == 1
        ask(server).ground([window("blue", "red")], "blue")
        assert len(server.requests) == 2


def test_windows_are_asked_at_the_same_time_within_the_limit(ask):
    gate = threading.Barrier(2, timeout=30)

    def together(body, number):
        gate.wait()  # is never left by one request alone
        return look(body)

    with serving(together) as server:
        grounder = ask(server, grounder_concurrency=2)
        colours = [("red", "blue"), ("blue", "red"), ("red", "red"), ("blue", "blue")]
        assert len(grounder.events([window(*pair) for pair in colours])) == 4
        assert server.most_at_once == 2


def test_a_wrong_answer_is_corrected_once_and_not_kept(ask):
    spoken = {
        "texts": ["It is blue at the end.", "<think>[[1, 2]]</think>```json\n[[15, 30]]\n```"]
    }

    def answer(body, number):
        return Reply(spoken["texts"][min(number, 1)])

    with serving(answer) as server:
        grounder = ask(server)
        assert grounder.ground([window("red", "blue")], "blue") == [(Span(75.0, 90.0),)]
        correction = server.requests[1]["messages"]
        assert correction[1] == {"role": "assistant", "content": "It is blue at the end."}
        assert "JSON" in correction[2]["content"]
    with serving([Reply("no"), Reply("never")]) as server:
        grounder = ask(server)
        for attempt in (1, 2):
            with pytest.raises(ModelError, match="not answer in the form"):
                grounder.ground([window("red", "blue")], "blue")
            assert len(server.requests) == 2 * attempt


def test_a_model_that_runs_on_is_cut_short(ask):
    endless = json.dumps({"answer": "x" * 3_000_000, "spans": []})
    with serving([Reply(endless), Reply("y" * 3_000_000), Reply(endless)]) as server:
        grounder = ask(server)
        text = grounder.answer(window("red"), "what is it?").text
        assert (len(text), text[-1]) == (MAX_TEXT, "…")
        grounder.answer(window("red"), "and then?")
        assert len(server.requests[2]["messages"][1]["content"]) == MAX_TEXT


def test_times_outside_of_the_window_are_left_out_and_others_cut(ask):
    text = json.dumps({"spans": [[25, 99], [40, 50], [5, 5], [9, 3]]})
    with serving([Reply(text)]) as server:
        assert ask(server).ground([window("red")], "red") == [(Span(85.0, 90.0),)]


def test_a_server_without_schemas_is_asked_without_from_then_on(ask):
    def refuse(body, number):
        if "response_format" in body:
            return Reply(status=400, body=b"unknown field response_format")
        return Reply('{"spans": [[0, 15]]}')

    with serving(refuse) as server:
        grounder = ask(server)
        assert grounder.ground([window("red", "blue")], "red") == [(Span(60.0, 75.0),)]
        assert grounder.ground([window("red", "red")], "red") == [(Span(60.0, 75.0),)]
        assert ["response_format" in body for body in server.requests] == [True, False, False]


def test_a_failure_that_passes_is_tried_again(ask):
    replies = [Reply(status=503), Reply(cut=True, text="{}"), Reply('{"spans": []}')]
    with serving(replies) as server:
        assert ask(server, grounder_attempts=3).ground([window("red")], "blue") == [()]
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(status=500), "status 500"),
        (Reply(status=401, body=b"wrong key"), "401"),
        (Reply(body=b"<html>"), "no chat completion"),
        (Reply("{}", wait_s=1.5), "timeout"),
        (Reply(status=422, body=b"too many pictures"), "too many pictures"),
    ],
)
def test_a_server_that_fails_is_an_error_that_says_how(ask, reply, words):
    with serving([reply]) as server, pytest.raises(ModelError, match=words) as raised:
        ask(server, grounder_timeout_s=0.5).ground([window("red")], "red")
    assert "SEEKPOINT_GROUNDER_URL" in raised.value.hint


def test_a_server_that_is_not_there_and_one_that_is_none(tmp_path):
    with serving(look) as server:
        gone = server.url
    with pytest.raises(ModelError, match="connection"):
        load_grounder(settings_for(gone, tmp_path)).ground([window("red")], "red")
    with pytest.raises(UsageError, match="ftp://"):
        load_grounder(settings_for("ftp://nowhere/v1", tmp_path))


def test_the_budget_is_kept(ask):
    with serving(look) as server:
        grounder = ask(server, grounder_max_requests=2)
        grounder.ground([window("red")], "red")
        grounder.ground([window("blue")], "red")
        with pytest.raises(ModelError, match="budget of 2 requests"):
            grounder.ground([window("green")], "red")
        grounder.ground([window("red")], "red")  # was answered before
        assert len(server.requests) == 2
    with serving(look) as server:
        grounder = ask(server, grounder_max_tokens=4000)
        with pytest.raises(ModelError, match="tokens"):
            grounder.ground([window("red", "blue", "red", "red")], "red")
        assert server.requests == []


def test_what_lacks_is_named(tmp_path):
    with pytest.raises(ModelError, match="SEEKPOINT_GROUNDER_MODEL"):
        require_grounder(demo_settings(tmp_path, grounder_url="http://localhost:1/v1"))
    with pytest.raises(ModelError, match="no grounder is configured"):
        require_grounder(demo_settings(tmp_path))


def test_the_key_of_events_is_that_of_the_model_and_not_of_its_place(tmp_path):
    base = grounder_key(settings_for("http://a/v1", tmp_path))
    assert grounder_key(settings_for("http://b/v1", tmp_path, grounder_key="x")) == base
    assert grounder_key(settings_for("http://a/v1", tmp_path, grounder_model="other")) != base
    assert grounder_key(settings_for("http://a/v1", tmp_path, grounder_frames=8)) != base
    assert "hidden" not in repr(settings_for("http://a/v1", tmp_path, grounder_key="hidden"))


def test_the_server_says_whether_it_serves_the_model(tmp_path):
    listed = json.dumps({"data": [{"id": "org/looker"}, {"id": "other"}]}).encode()
    with serving(look, models=Reply(body=listed)) as server:
        check_grounder(settings_for(server.url, tmp_path))
        with pytest.raises(ModelError, match="serves org/looker, other and not third"):
            check_grounder(settings_for(server.url, tmp_path, grounder_model="third"))
    with (
        serving(look, models=Reply(status=401)) as server,
        pytest.raises(ModelError, match="refuses the key"),
    ):
        check_grounder(settings_for(server.url, tmp_path))
    with serving(look) as server:  # it lists nothing
        check_grounder(settings_for(server.url, tmp_path))
        gone = settings_for(server.url, tmp_path)
    with pytest.raises(ModelError, match="cannot be used"):
        check_grounder(gone)


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """A library whose grounder looks, and its server."""
    folder = tmp_path_factory.mktemp("looked")
    colour_video(folder / "media" / "one.mp4", [("red", 16.0), ("blue", 8.0), ("red", 16.0)])
    with serving(look) as server:
        settings = {"grounder_url": server.url, "grounder_model": "looker"}
        library = demo_library(folder / "home", **settings)
        library.ingest([folder / "media"])
        yield library, server


def test_the_best_moments_are_verified_under_the_rule(looked):
    library, _ = looked
    moment = library.search("blue", ground=True).moments[0]
    assert moment.grounded.by == "looker"
    assert moment.grounded.sees
    assert moment.grounded.accepted
    assert moment.grounded.span.iou(Span(16.0, 24.0)) > 0.8
    replacing = Library(library.settings.model_copy(update={"grounder_replaces": True}))
    assert replacing.search("blue", ground=True).moments[0].span == moment.grounded.span


def test_a_moment_that_the_grounder_does_not_see_says_so(looked):
    library, _ = looked
    moment = library.search("green", ground=True).moments[0]
    assert not moment.grounded.sees
    assert moment.grounded.span is None


def test_events_at_ingest_are_what_the_server_saw(looked):
    library, _ = looked
    path = library.videos()[0].paths[0].path
    assert [file.state for file in library.ingest([path], events=True).files] == ["indexed"]
    answer = library.search("the screen is blue", only=["event"])
    assert answer.moments[0].evidence[0].text == "The screen is blue."
    assert answer.moments[0].span.iou(Span(16.0, 24.0)) > 0.7


def test_ask_locate_and_name_a_part_of_a_video(looked, tmp_path):
    library, server = looked
    video = str(library.videos()[0].video_id)
    picture = tmp_path / "boxes.png"
    reply = library.ask(video, "is anything blue?", at_s=20.0, picture=picture)
    assert reply.text == "there"
    assert reply.boxes
    assert picture.exists()
    assert library.locate(video, "something green", 20.0).boxes == ()
    reply = library.ask(video, "which numbers?", span=Span(30.0, 38.0))
    assert reply.window == Span(30.0, 38.0)
    assert library.name_chapter(int(video), Span(16.0, 24.0)) == "All is blue"
    question = read_question(server.requests[-1])
    assert [one.time_s for one in question.seen[:3]] == [0.0, 0.5, 1.0]


def test_a_broken_server_costs_a_note_and_no_answer(looked):
    library, _ = looked
    with serving([Reply("nonsense")]) as server:
        update = {"grounder_url": server.url, "grounder_attempts": 1}
        broken = Library(library.settings.model_copy(update=update))
        answer = broken.search("blue", ground=True)
    assert answer.moments
    assert any("looker could not look at moment 1" in note for note in answer.notes)
