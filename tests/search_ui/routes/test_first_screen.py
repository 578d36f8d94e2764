"""The first cards are in the document; who may not see a video gets none of it."""

import json
import re
from html import escape, unescape
from pathlib import Path

import pytest
from streamlit.file_util import get_static_dir

from indexer.catalog.people import saved_searches
from search_ui.app_state import open_app_state
from search_ui.routes.preloads import preload_links
from search_ui.url_state import Link, Place, parse_link
from tests.search_ui.conftest import client_of
from tests.support import colour_video, demo_settings


@pytest.mark.parametrize("path", ["/", "/search", "/library"])
def test_the_first_cards_are_there_from_the_first_byte(local, video_ids, path):
    document = local.get(path).text
    body = document[document.index('id="first-screen"') :]
    for name, video_id in video_ids.items():
        assert f"<b>{escape(name.removesuffix('.mp4'))}</b>" in body
        assert f'<a href="{escape(Link(place=Place(video_id)).href())}">' in body
        assert f'src="/thumbnail/{video_id}/' in body
    assert ("3 videos, 0:29" in body) == (path == "/library")
    assert ('<input name="q" autofocus' in body) == (path != "/library")


def test_the_list_of_the_library_comes_with_it(local):
    document = local.get("/library").text
    found = re.search(r'id="first-shelf" data-asked="([^"]*)" data-version="0/3">(.*?)</', document)
    assert found is not None
    answer = local.get(f"/shelf?{unescape(found[1])}")
    assert json.loads(found[2]) == answer.json()


@pytest.mark.parametrize("address", ["/?v=1", "/?q=green&v=1", "/?q=green&ground=1", "/moments"])
def test_other_pages_begin_as_they_are(local, address):
    assert 'id="first-screen"' not in local.get(address).text


@pytest.mark.parametrize(("query", "asked"), [("q=green", "green"), ("like={light}@4-10", "")])
def test_answers_come_with_the_document(local, video_ids, query, asked):
    query = query.format(light=video_ids["traffic light.mp4"])
    document = local.get(f"/?{query}").text
    assert document.endswith("</html>\n")
    body = document[document.index('id="first-screen"') :]
    assert f'value="{asked}"' in body
    link = parse_link(unescape(re.findall(r'<li><a href="([^"]+)">', body)[0]))
    assert link.search == parse_link(f"/?{query}").search
    assert link.place is not None
    if asked:
        assert link.place.video_id == video_ids["traffic light.mp4"]
        assert re.search(r'<b>traffic light</b><em class="(\w+)" data-words="\1">', body)
    assert "autofocus" not in body


def test_words_of_an_answer_are_text(local):
    body = local.get("/?q=<img src=x>").text
    assert 'value="&lt;img src=x&gt;"' in body
    assert "<img src=x>" not in body


def test_a_question_without_an_answer_is_left_to_the_page(local):
    body = local.get("/?q=%3F%3F%3F").text
    assert 'value="???"' in body
    assert "<li>" not in body


def test_answers_of_collections_that_one_sees_only(signed):
    assert "<b>diary</b>" in signed("viewer").get("/?q=pink").text
    limited = signed("limited").get("/?q=pink").text
    assert "<li>" in limited
    assert "diary" not in limited
    assert "first-answers" not in signed("").get("/?q=pink").text


def test_nothing_stands_before_an_empty_library(tmp_path):
    with client_of(open_app_state(demo_settings(tmp_path / "home"), sign_in=False)) as client:
        assert 'id="first-screen"' not in client.get("/").text


def test_questions_asked_lately_are_on_the_first_page_as_text(tmp_path):
    state = open_app_state(demo_settings(tmp_path / "home"), sign_in=False)
    state.library.ingest([colour_video(tmp_path / "a.mp4", [("red", 1)])], "mine")
    with state.library.catalog.begin() as session:
        saved_searches.add_recent_search(session, None, "<img src=x>", "/?q=1")
    with client_of(state) as client:
        body = client.get("/").text
    assert 'data-words="&lt;img src=x&gt;"' in body
    assert "<img src=x>" not in body


def test_scripts_that_streamlit_asks_for_late_are_named_at_once(local):
    links = preload_links(Path(get_static_dir()))
    assert "/BidiComponent." in links
    assert "/TextInput." in links
    assert links in local.get("/").text
    names = re.findall(r'href="/([^"]+)"', links)
    assert all((Path(get_static_dir()) / name).is_file() for name in names)


def test_of_collections_that_one_sees_only(signed):
    first = signed("limited").get("/").text
    assert "<b>sunset</b>" in first
    assert "diary" not in first
    document = signed("limited").get("/library").text
    assert "<b>sunset</b>" in document
    assert "diary" not in document
    assert "2 videos, 0:25" in document
    assert "Add videos" not in document[document.index('id="first-screen"') :], "for a viewer"
