"""Text that no database takes is refused where it enters; what fails is answered in words."""

from __future__ import annotations

import logging

import pytest

from indexer.errors import CatalogError, UsageError
from indexer.library import Library
from search_ui.app_state import app_state
from search_ui.url_state import read_link

WRONG = ["a\x00b", "a\ud800b", "\udcff"]


@pytest.mark.parametrize(
    "path",
    [
        "/?q=a%00b",
        "/?q=%ff%fe",
        "/?q=%ed%a0%80",
        "/library?collection=%00",
        "/stream/1%00",
        "/upload?collection=a%00b",
    ],
)
def test_requests_with_what_is_no_text(local, path):
    answer = local.get(path)
    assert (answer.status_code, answer.text) == (
        400,
        "This request holds characters that are no text.",
    )


def test_names_of_files_that_are_no_text(local):
    answer = local.post("/upload?collection=c", content=b"x", headers={"X-File-Name": "%00.mp4"})
    assert answer.status_code == 400


@pytest.mark.parametrize("text", WRONG)
def test_questions_names_and_collections_that_are_no_text(library: Library, text: str):
    for refused in (
        lambda: library.search(text),
        lambda: library.search("red", collections=[text]),
        lambda: library.ingest([], text),
        lambda: library.videos(named=text),
        lambda: library.ask("1", text),
        lambda: library.curve(1, question=text),
        lambda: library.spans_in_video(text, 1),
    ):
        with pytest.raises(UsageError, match="UTF-8"):
            refused()


def test_a_link_that_holds_it_asks_nothing():
    link = read_link({"q": ["a\x00b"], "collection": ["\ud800", "c"], "name": ["\x00"]})
    assert (link.search.text, link.search.collections, link.search.name) == ("", ("c",), "")


def test_one_line_without_values_for_each_failure(local, monkeypatch, caplog):
    def away() -> None:
        raise CatalogError("the database {place} is away", place="postgresql://db/x")

    monkeypatch.setattr(app_state().library.catalog, "ping", away)
    caplog.set_level(logging.INFO)
    answer = local.get("/?q=a+secret", headers={"Accept": "text/html", "Accept-Language": "zh"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert 'lang="zh"' in answer.text
    assert "postgresql" not in answer.text
    (line,) = [record for record in caplog.records if record.name == "search_ui.outages"]
    assert line.__dict__["fields"] == {"method": "GET", "path": "/", "error": "CatalogError"}
    assert line.exc_info is None
    ours = [one for one in caplog.records if one.name.startswith(("search_ui", "indexer"))]
    assert not any("secret" in one.getMessage() for one in ours)


def test_a_defect_is_answered_in_words_with_its_traceback_in_the_log(local, monkeypatch, caplog):
    def break_down() -> None:
        raise ZeroDivisionError("a secret value")

    monkeypatch.setattr(app_state().library.catalog, "ping", break_down)
    answer = local.get("/")
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    (line,) = [record for record in caplog.records if record.name == "search_ui.outages"]
    assert line.exc_info is not None
    metrics = local.get("/metrics").text
    assert 'seekpoint_errors_total{error="ZeroDivisionError"} 1.0' in metrics
    assert 'seekpoint_http_responses_total{route="page",status="500"} 1.0' in metrics
