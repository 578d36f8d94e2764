"""The logic of the pages, run by Streamlit's own test runner."""

import time
from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from indexer.catalog.people import alerts, saved_searches
from indexer.catalog.people.alerts import AlertRow
from indexer.catalog.video_queries import Filters
from search_ui.app_state import app_state, open_app_state
from search_ui.auth.access_rights import LOCAL_USER, User
from search_ui.i18n.translator import Translator
from search_ui.pages import adding, answers
from search_ui.server import MAIN
from search_ui.url_state import Search
from tests.support import colour_video, demo_library, demo_settings

WAIT_S = 60


@pytest.fixture
def app(filled_home) -> AppTest:
    open_app_state(demo_settings(filled_home), sign_in=False)
    return AppTest.from_file(str(MAIN), default_timeout=WAIT_S)


def asked(app: AppTest, **params: str) -> AppTest:
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def cards(app: AppTest) -> list[dict]:
    answer = app.session_state["answer"][2]
    return [
        {"title": item.title, "start_s": item.span.start_s, "collection": item.collection}
        for item in answer.moments
    ]


def test_empty_library_offers_the_demo(tmp_path):
    open_app_state(demo_settings(tmp_path / "home"), sign_in=False)
    app = AppTest.from_file(str(MAIN), default_timeout=WAIT_S).run()
    for _ in range(2):  # on the first page, and wherever one asks
        assert [header.value for header in app.header] == ["Your library is empty"]
        labels = [button.label for button in app.button]
        assert "Add the demo library" in labels
        assert not [label for label in labels if label.startswith("When")], "examples are text"
        assert not app.exception
        app.text_input(key="ask_text").set_value("green").run()


def test_question_from_the_box_is_in_the_address(app):
    app.run()
    app.text_input(key="ask_text").set_value("green").run()
    assert app.query_params["q"] == "green"
    assert cards(app)[0] == {
        "title": "traffic light",
        "start_s": pytest.approx(4.0, abs=0.3),
        "collection": "colours",
    }


def test_question_from_the_address_is_in_the_box(app):
    asked(app, q="green")
    assert app.text_input(key="ask_text").value == "green"
    assert cards(app)


def test_filters_from_the_address(app):
    assert {card["title"] for card in cards(asked(app, q="green", name="SUNSET"))} == {"sunset"}
    assert app.text_input(key="filter_name").value == "SUNSET"


def test_dates_of_old_recordings(app):
    """Streamlit's own bounds are ten years around today."""
    assert cards(asked(app, **{"q": "green", "from": "1931-05-17"})) == [], (
        "no test video says when it was recorded"
    )
    assert app.date_input(key="filter_from").value == date(1931, 5, 17)
    app.date_input(key="filter_to").set_value(date(1950, 1, 1)).run()
    assert not app.exception
    assert app.query_params["to"] == "1950-01-01"


def test_collection_filter(app):
    assert {card["collection"] for card in cards(asked(app, q="green", collection="private"))} == {
        "private"
    }


def test_filter_that_nothing_passes(app):
    assert cards(asked(app, q="green", name="no such name")) == []
    assert "Nothing found." in [info.value for info in app.info]


def test_no_match_is_labelled(app):
    asked(app, q="zebra")
    assert app.warning[0].value.startswith("**No match.**")
    assert cards(app)


def test_title_is_evidence(app):
    first = cards(asked(app, q="diary"))[0]
    assert first["title"] == "diary"


def test_unreadable_script_is_said_in_words(app):
    asked(app, q="猫在哪里")
    assert "no installed text model reads the script" in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize(
    "params",
    [
        {"v": "999999"},
        {"v": "-1", "t": "nan"},
        {"q": "green", "from": "0001-01-01", "to": "9999-12-31"},
        {"v": "1", "t": "1e400", "e": "x"},
        {"q": "green", "top": "9999999", "from": "yesterday", "min": "-3", "only": "everything"},
        {"like": "1@2"},
        {"like": "drop table"},
        {"picture": "../../etc/passwd"},
        {"picture": "a" * 64},
        {"q": "green", "collection": "no such collection"},
        {"q": '"', "only": "speech"},
        {"q": "green" * 5000},
    ],
)
def test_strange_addresses(app, params):
    asked(app, **params)


def test_more_like_this(app, video_ids):
    found = cards(asked(app, like=f"{video_ids['sunset.mp4']}@0-5"))
    assert all(card["title"] != "sunset" or card["start_s"] >= 4.9 for card in found)


def test_watching_shows_the_title_and_a_way_back(app, video_ids):
    asked(app, q="green", v=str(video_ids["traffic light.mp4"]), t="4", e="10")
    assert "traffic light" in [item.value for item in app.subheader]
    next(button for button in app.button if button.label == "All answers").click().run()
    assert "v" not in app.query_params


def test_recent_searches_are_kept_once(app):
    asked(app, q="purple")
    asked(app, q="orange")
    asked(app, q="purple")
    app.query_params.clear()
    app.run()
    labels = [button.label for button in app.button]
    assert labels.count("purple") == 1
    assert labels.index("purple") < labels.index("orange")


def test_recent_questions_are_there_once_and_go(app):
    asked(app, q="orange")
    asked(app, q="Orange", collection="colours")
    app.query_params.clear()
    app.run()
    lately = [button.label for button in app.button if (button.key or "").startswith("recent_")]
    assert [label.casefold() for label in lately].count("orange") == 1
    app.button(key="clear_recent").click().run()
    assert not [button for button in app.button if (button.key or "").startswith("recent_")]


def test_saved_search_and_forgetting(app):
    asked(app, q="blue")
    next(button for button in app.button if button.label == "Save search").click().run()
    app.query_params.clear()
    app.run()
    saved = [button for button in app.button if (button.key or "").startswith("forget_")]
    assert len(saved) == 1
    assert "blue" in [text.value for text in app.text]
    saved[0].click().run()
    assert not [button for button in app.button if (button.key or "").startswith("forget_")]


def test_a_saved_search_tells_of_new_footage(tmp_path):
    library = demo_library(tmp_path / "home")
    library.ingest([colour_video(tmp_path / "a.mp4", [("red", 3)])], "mine")
    open_app_state(demo_settings(tmp_path / "home"), sign_in=False)
    app = AppTest.from_file(str(MAIN), default_timeout=WAIT_S)
    asked(app, q="green")
    next(button for button in app.button if button.label == "Save search").click().run()
    library.ingest([colour_video(tmp_path / "b.mp4", [("green", 3)])], "mine")
    library.ingest([colour_video(tmp_path / "c.mp4", [("pink", 3)])], "mine")
    app.query_params.clear()
    app.run()

    def labels() -> list[str]:
        return [one.label for one in app.button if (one.key or "").startswith("saved_")]

    # A searcher may not see yet what others have just committed; that is not remembered.
    deadline = time.monotonic() + WAIT_S
    while labels() == ["green"] and time.monotonic() < deadline:
        app.run()
    assert labels() == ["green :primary-background[1 new]"]
    next(one for one in app.button if (one.key or "").startswith("saved_")).click().run()
    assert app.query_params["q"] == "green"
    app.query_params.clear()
    app.run()
    assert labels() == ["green"]


def test_folders_off_the_local_machine(filled_home, tmp_path):
    opened = demo_settings(filled_home, ui_folders=[tmp_path / "media"])
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "out").symlink_to("/etc")
    for sign_in in (False, True):
        open_app_state(opened, sign_in=sign_in)
        assert app_state().reach.holds(tmp_path / "media")
        assert not app_state().reach.holds(tmp_path)
        assert not app_state().reach.holds(tmp_path / "media" / ".." / "other")
        assert not app_state().reach.holds(tmp_path / "media" / "out")
    assert not open_app_state(demo_settings(filled_home), sign_in=True).reach.holds(tmp_path)
    assert open_app_state(demo_settings(filled_home), sign_in=False).reach.holds(tmp_path)


def test_somebody_elses_collection_is_nowhere(filled_home, video_ids):
    open_app_state(demo_settings(filled_home), sign_in=True)
    colours = next(item.id for item in app_state().library.collections() if item.name == "colours")
    limited = User(1, "limited", False, frozenset({colours}))
    hidden = video_ids["diary.mp4"]
    searches = (
        Search("pink"),
        Search("diary"),
        Search("pink", collections=("private",)),
        Search(like=f"{video_ids['sunset.mp4']}@0-5"),
    )
    for search in searches:
        assert {moment.collection for moment in answers.ask(search, limited).moments} <= {
            "colours"
        }, search
    assert answers.ask(Search(like=f"{hidden}@0-4"), limited).moments == ()
    assert answers.find_video(hidden, limited) is None
    assert answers.find_video(hidden, LOCAL_USER) is not None
    nobody = User(2, "nobody", False, frozenset())
    assert answers.ask(Search("green"), nobody).moments == ()
    assert not app_state().may_add_to(limited, "colours"), "a viewer adds nothing"
    half = User(3, "half", True, frozenset({colours}))
    assert [
        name for name in ("colours", "private", "new") if app_state().may_add_to(half, name)
    ] == ["colours"]


def test_own_videos_do_not_land_in_the_demo():
    tr = Translator("en")
    assert adding._default_collection([], True, tr) == "My videos"
    assert adding._default_collection(["demo"], True, tr) == "My videos"
    assert adding._default_collection(["demo", "holidays"], True, tr) == "holidays"
    assert adding._default_collection(["demo"], False, tr) is None


def test_a_saved_search_tells_at_an_address_until_it_is_empty(tmp_path):
    state = open_app_state(
        demo_settings(tmp_path / "home", webhook_private_addresses=True), sign_in=False
    )
    state.library.ingest([colour_video(tmp_path / "a.mp4", [("red", 1)])], "mine")
    app = AppTest.from_file(str(MAIN), default_timeout=WAIT_S)
    asked(app, q="green", collection="mine", max="5")
    next(button for button in app.button if button.label == "Save search").click().run()
    app.query_params.clear()
    app.run()

    def tell(url: str, button: str) -> AlertRow | None:
        (field,) = [box for box in app.text_input if (box.key or "").startswith("webhook_")]
        field.set_value(url)
        next(one for one in app.button if one.label == button).click().run()
        assert not app.exception
        with state.library.catalog.read() as session:
            (saved,) = saved_searches.list_searches(session, None, saved=True)
            return alerts.list_alerts(session, [saved.id]).get(saved.id)

    assert tell("ftp://127.0.0.1/x", "Tell") is None
    assert "is not an address for a webhook" in app.error[0].value.replace("\\", "")
    alert = tell("http://127.0.0.1/x", "Tell")
    assert alert is not None
    assert alert.query == alerts.Query("green", ("mine",), None, Filters(longest_s=300.0))
    assert [code.value[:6] for code in app.code] == ["whsec_"]
    assert tell("", "Change") is None
