"""Words find passages, whatever is typed, on both databases alike."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grounding.spans import Span
from indexer.catalog import Catalog, fulltext, videos
from indexer.catalog.finalize import finalize_video
from indexer.catalog.fulltext import Term, count_holders, parse_terms, search_words
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import invalidate_tasks, plan_tasks
from indexer.catalog.passages import NewPassage, commit_passages, list_passages
from tests.indexer.catalog import support

TEXTS = {
    "speech": [
        "Welcome to Zürich, this is Anna Kowalski speaking",
        "the dogs were skating down the hill",
        "she sells sea shells by the sea shore",
        "今天我们带狗去公园玩滑板",
        "オープンソースの勉強会です",
    ],
    "screen": ["EXIT 42", "Quarterly results: O'Reilly & Sons (C++)", "100% off"],
    "event": ["a dog pushes a skateboard across the street"],
}


@pytest.fixture
def library(catalog: Catalog) -> tuple[Catalog, int]:
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {"speech": "s1", "screen": "o1", "events": "e1"})
        for stage, kind in (("speech", "speech"), ("screen", "screen"), ("events", "event")):
            item = chunk_tasks.claim_task(s, "me", 60, [stage])
            assert item is not None
            new = [NewPassage(kind, Span(n, n + 1), text) for n, text in enumerate(TEXTS[kind])]
            assert commit_passages(s, item.task_id, "me", new, 1.0)
    return catalog, video_id


def found(catalog: Catalog, query: str, **options) -> list[str]:
    with catalog.read() as s:
        return [hit.text for hit in search_words(s, query, **options)]


@pytest.mark.parametrize(
    ("query", "start"),
    [
        ("anna", "Welcome"),
        ("Zürich", "Welcome"),
        ("ZURICH", "Welcome"),
        ("kowalski welcome", "Welcome"),
        ('"sea shells"', "she sells"),
        ("skate*", "a dog pushes"),
        ("dog skating", "the dogs"),
        ("when is the hill", "the dogs"),
        ("滑板", "今天"),
        ("狗", "今天"),
        ("带狗 公园", "今天"),
        ("勉強会", "オープン"),
        ("exit 42", "EXIT"),
        ("o'reilly", "Quarterly"),
        ("C++", "Quarterly"),
        ("100%", "100%"),
    ],
)
def test_words_phrases_prefixes_stems_names_and_scripts_without_spaces(
    library: tuple[Catalog, int], query: str, start: str
):
    assert any(text.startswith(start) for text in found(library[0], query))


@pytest.mark.parametrize(
    "query",
    [
        '"shells sea"',
        "cat",
        "skat",
        "板滑",
        "anna zebra",
        "",
        "   ",
        '"',
        "...",
        "* *",
        '""',
        "the zebra",
    ],
)
def test_what_is_not_there_is_not_found(library: tuple[Catalog, int], query: str):
    assert found(library[0], query) == []


def test_any_word_is_enough_when_asked_so(library: tuple[Catalog, int]):
    assert found(library[0], "anna zebra", match="any") == [TEXTS["speech"][0]]
    assert set(found(library[0], "anna exit dog", match="any")) == {
        TEXTS["speech"][i] for i in (0, 1)
    } | {
        TEXTS["screen"][0],
        TEXTS["event"][0],
    }


def test_results_can_be_limited(library: tuple[Catalog, int]):
    catalog, video_id = library
    assert found(catalog, "dog") == found(catalog, "dog", kinds=["speech", "event"]) != []
    assert found(catalog, "dog", kinds=["event"]) == TEXTS["event"]
    assert found(catalog, "dog", kinds=[]) == []
    assert len(found(catalog, "dog", limit=1)) == 1
    assert found(catalog, "dog", video_id=video_id + 1) == []
    with catalog.read() as s:
        collection_id = videos.get_video(s, video_id).collection_id
        (hit,) = search_words(s, "kowalski", collection_ids=[collection_id], video_id=video_id)
    assert (hit.kind, hit.span, hit.video_id) == ("speech", Span(0, 1), video_id)
    assert hit.score > 0
    assert found(catalog, "dog", collection_ids=[collection_id + 1]) == []


def test_passages_that_hold_a_term_are_counted(library: tuple[Catalog, int]):
    catalog, video_id = library
    terms = parse_terms('dog zebra "sea shells"')
    with catalog.read() as s:
        assert count_holders(s, terms) == ([2, 0, 1], 9)
        assert count_holders(s, terms, ["event"]) == ([1, 0, 0], 1)
        assert count_holders(s, terms, video_ids=[video_id + 1]) == ([0, 0, 0], 0)
        assert count_holders(s, terms, limit=1) == ([1, 0, 1], 1)


def test_more_telling_passages_come_first(library: tuple[Catalog, int]):
    assert found(library[0], "sea")[0] == TEXTS["speech"][2]
    assert found(library[0], "dog skateboard street", match="any")[0] == TEXTS["event"][0]


def test_the_index_keeps_step_with_the_rows(library: tuple[Catalog, int]):
    catalog, video_id = library
    with catalog.begin() as s:
        invalidate_tasks(s, video_id, ["speech"])
        item = chunk_tasks.claim_task(s, "me", 60, ["speech"])
        assert item is not None
        commit_passages(
            s,
            item.task_id,
            "me",
            [NewPassage("speech", Span(0, 1), "a horse and 一匹马")],
            1.0,
        )
    assert found(catalog, "anna") == []
    assert found(catalog, "滑板") == []
    assert found(catalog, "马") == found(catalog, "horses") == ["a horse and 一匹马"]
    with catalog.begin() as s:
        videos.remove_video(s, video_id)
    assert found(catalog, "horse dog exit", match="any") == []
    if catalog.is_sqlite:
        with catalog.begin() as s:
            s.connection().exec_driver_sql(
                "INSERT INTO passage_words(passage_words) VALUES ('integrity-check')"
            )


def test_passages_of_a_key_that_is_not_served_yet_are_not_found(library: tuple[Catalog, int]):
    catalog, video_id = library
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {"speech": "s2"})
    assert found(catalog, "anna") != []
    with catalog.begin() as s:
        item = chunk_tasks.claim_task(s, "me", 60, ["speech"])
        assert item is not None
        commit_passages(
            s, item.task_id, "me", [NewPassage("speech", Span(0, 1), "anna again")], 1.0
        )
        assert [hit.text for hit in search_words(s, "anna")] == TEXTS["speech"][:1]
        finalize_video(s, video_id)
        assert [hit.text for hit in search_words(s, "anna")] == ["anna again"]
        assert [passage.text for passage in list_passages(s, video_id, kinds=["speech"])] == [
            "anna again"
        ]
    with catalog.read() as s:
        assert isinstance(fulltext.search_words(s, "anna")[0].passage_id, int)


@pytest.mark.parametrize("match", ["all", "any"])
@pytest.mark.parametrize(
    "query",
    [
        " ".join(f"word{number}" for number in range(200)),
        " ".join(f"word{number}" for number in range(100_000)),
        "x" * 100_000,
        "狗" * 100_000,
        '"' + "a b " * 50_000 + '"',
        '"' * 100_000,
        "* " * 100_000,
        "a* " * 10_000,
    ],
    ids=lambda query: query[:9],
)
def test_a_pasted_page_is_a_query_like_any_other(library: tuple[Catalog, int], query, match):
    assert len(found(library[0], "dogs " + query, match=match)) <= 3
    with library[0].read() as s:
        assert len(count_holders(s, parse_terms(query))[0]) <= fulltext.MOST_TERMS


def test_parsing():
    assert parse_terms('"sea  shells" dog* the 看滑板now') == [
        Term("sea shells"),
        Term("dog", prefix=True),
        Term("看 滑 板"),
        Term("now"),
    ]
    assert parse_terms("who is it") == [Term("who"), Term("is"), Term("it")], (
        "nothing but stop words is asked as it stands"
    )
    assert parse_terms('"the who"') == [Term("the who")]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    query=st.text(max_size=40)
    | st.text(alphabet="\"'*()^:-+{}[]\\|&!<>~ aANDORNOTNEAR\x00\ud800狗%_", max_size=30)
)
def test_nothing_that_is_typed_is_an_error(library: tuple[Catalog, int], query: str):
    for match in ("all", "any"):
        found(library[0], query, match=match)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 4), st.integers(0, 8), st.integers(1, 6))
def test_any_run_of_words_of_a_passage_finds_it(
    library: tuple[Catalog, int], which: int, start: int, count: int
):
    text = TEXTS["speech"][which]
    words = text.split() if " " in text else list(text)
    part = words[min(start, len(words) - 1) :][:count]
    phrase = (" " if " " in text else "").join(part)
    assert text in found(library[0], f'"{phrase}"')
