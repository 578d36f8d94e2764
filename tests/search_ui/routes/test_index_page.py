"""The document that holds the page."""

from __future__ import annotations

import pytest

from search_ui.routes.index_page import STYLE
from search_ui.url_state import PAGE_NAMES


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in PAGE_NAMES)])
def test_style_title_and_language_are_there_from_the_first_byte(local, path):
    answer = local.get(path, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert '<html lang="zh">' in answer.text
    assert "<title>Seekpoint</title>" in answer.text
    before_icon, _, after_icon = STYLE.read_text().partition("ICON")
    body = answer.text[answer.text.index("</head>") :]
    assert f"{before_icon}data:image/svg+xml," in body
    assert after_icon in body
    assert "script" in answer.text, "Streamlit's"
    assert '<html lang="en">' in local.get(path).text


def test_nobody_gets_it_without_signing_in(signed):
    assert signed("").get("/library").status_code == 401
