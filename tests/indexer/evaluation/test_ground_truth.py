import json
from pathlib import Path

import pytest

from grounding.spans import ScoredSpan, Span
from indexer.errors import UsageError
from indexer.evaluation.ground_truth import load_predictions, load_rows, video_stem


def write(folder: Path, *lines: str) -> Path:
    path = folder / "rows"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_own_rows(tmp_path):
    line = (
        '{"video": "a b.mp4", "query": "a dog", "windows": [[1, 2.5], [4, 5]], "kind": '
        '"object", "scope": "moment", '
        '"corpus_unique": false, "duration": 9.5, "start": 1, "end": 2.5, "tolerance": 0.5}'
    )
    (row,) = load_rows(write(tmp_path, line, ""))
    assert row.windows == (Span(1, 2.5), Span(4, 5))
    assert (row.video, row.kind, row.scope, row.corpus_unique, row.duration_s) == (
        "a b.mp4",
        "object",
        "moment",
        False,
        9.5,
    )


def test_a_row_without_answer(tmp_path):
    (row,) = load_rows(write(tmp_path, '{"video": "", "query": "a whale", "windows": []}'))
    assert row.windows == ()


def test_qvhighlights_row(tmp_path):
    line = (
        '{"qid": 7, "query": "q", "duration": 150, "vid": "x_210.0_360.0", '
        '"relevant_windows": [[82, 150]], '
        '"relevant_clip_ids": [41], "saliency_scores": [[1, 2, 3]]}'
    )
    (row,) = load_rows(write(tmp_path, line))
    assert (row.id, row.video, row.windows, row.clip_ids, row.saliency) == (
        "7",
        "x_210.0_360.0",
        (Span(82, 150),),
        (41,),
        ((1, 2, 3),),
    )


def test_charades_lines(tmp_path):
    first, second = load_rows(
        write(tmp_path, "3MSZA 24.3 30.4##person turn a light on.", "AMT7R 4 12##a # b ## c")
    )
    assert (first.video, first.query, first.windows) == (
        "3MSZA",
        "person turn a light on.",
        (Span(24.3, 30.4),),
    )
    assert second.query == "a # b ## c"
    assert first.id != second.id


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{not json", "rows:2"),
        ("[1, 2]", "rows:2"),
        ('{"video": "a.mp4", "windows": []}', "no query"),
        ('{"video": "a.mp4", "query": "q"}', "no windows or relevant_windows"),
        ('{"video": "a.mp4", "query": "q", "windows": [[5, 4]]}', "is not a span"),
        ('{"video": "a.mp4", "query": "q", "windows": [["x", 4]]}', "is not a span"),
        ('{"video": "a.mp4", "query": "q", "windows": [[1, 2, 3]]}', "is not a span"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, words):
    with pytest.raises(UsageError, match=words):
        load_rows(write(tmp_path, "3MSZA 24.3 30.4##fine", line))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        load_rows(tmp_path / "absent.jsonl")
    with pytest.raises(UsageError, match="has no rows"):
        load_rows(write(tmp_path, "", " "))
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_rows(binary)


def test_predictions_of_both_formats(tmp_path):
    qvhighlights, own = load_predictions(
        write(
            tmp_path,
            '{"qid": 7, "query": "q", "vid": "x", "pred_relevant_windows": [[0, 2, '
            '0.5]], "pred_saliency_scores": [0.5, 1]}',
            '{"video": "a.mp4", "query": "q", "spans": [[1, 2], [3, 4]]}',
        )
    )
    assert qvhighlights.spans == (ScoredSpan(Span(0, 2), 0.5),)
    assert qvhighlights.saliency == (0.5, 1)
    assert [s.span for s in sorted(own.spans, key=lambda s: -s.score)] == [Span(1, 2), Span(3, 4)]


def test_names_meet_without_extension():
    assert video_stem("folder/3MSZA.mp4") == video_stem("3MSZA") == "3MSZA"
    assert video_stem("NUsG9BgSes0_210.0_360.0") == "NUsG9BgSes0_210.0_360.0"
    assert video_stem("NUsG9BgSes0_210.0_360.0.mp4") == "NUsG9BgSes0_210.0_360.0"


@pytest.mark.parametrize("video", [{"video": ""}, {"video": None}, {}])
def test_a_row_that_nothing_answers_needs_no_video(tmp_path, video):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"query": "a whale", "windows": [], **video}))
    [row] = load_rows(path)
    assert (row.video, row.windows) == ("", ())


def test_windows_without_a_video_are_refused(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"query": "a whale", "windows": [[0, 1]], "video": ""}))
    with pytest.raises(UsageError, match=r"rows\.jsonl:1.*no video"):
        load_rows(path)
