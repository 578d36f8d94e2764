"""The library's first cards are in the document; who may not see a video gets none of it."""

from html import escape

from search_ui.url_state import Link, Place


def test_the_first_cards_are_there_from_the_first_byte(local, video_ids):
    document = local.get("/library").text
    body = document[document.index('id="first-screen"') :]
    for name, video_id in video_ids.items():
        assert f"<b>{escape(name.removesuffix('.mp4'))}</b>" in body
        assert f'<a href="{escape(Link(place=Place(video_id)).href())}">' in body
        assert f'src="/thumbnail/{video_id}/' in body
    assert "3 videos, 0:29" in body
    assert 'id="first-screen"' not in local.get("/").text


def test_of_collections_that_one_sees_only(signed):
    document = signed("limited").get("/library").text
    assert "<b>sunset</b>" in document
    assert "diary" not in document
    assert "2 videos, 0:25" in document
    assert "Add videos" not in document[document.index('id="first-screen"') :], "for a viewer"
