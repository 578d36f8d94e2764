import json
import math
from dataclasses import replace

import pytest

from grounding.spans import ScoredSpan, Span
from indexer.errors import UsageError
from indexer.evaluation.ground_truth import Prediction, Row, load_predictions, load_rows
from indexer.evaluation.scoring import Answer, Found, evaluate
from indexer.evaluation.submissions import score_predictions
from tests.support import colour_video, demo_library

DOG = Row("dog.mp4", "a dog", (Span(0, 10),), kind="object", scope="moment")
CAT = Row(
    "cat.mp4", "a cat", (Span(0, 4), Span(20, 30)), kind="action", scope="clip", corpus_unique=False
)
SKY = Row("sky.mp4", "the sky", (Span(0, 60),), kind="object", scope="whole")
WHALE = Row("", "a whale", ())

# What a small library would say: (video, start, end) best first, and how sure it is.
MOMENTS = {
    "a dog": [("dog.mp4", 5.0, 10.0), ("cat.mp4", 0.0, 1.0)],  # IoU .5
    "a cat": [("dog.mp4", 0.0, 1.0), ("cat.mp4", 20.0, 30.0)],  # right video second
    "the sky": [("dog.mp4", 0.0, 1.0)],  # not found
    "a whale": [("dog.mp4", 0.0, 1.0)],
}
CONFIDENCE = {"a dog": 3.0, "a cat": 2.0, "the sky": 1.0, "a whale": 0.5}
GROUNDED = {"a dog": Span(0, 7.5), "a cat": Span(20, 24)}  # IoU .75 and .4


def search(query: str, without: frozenset[str]) -> Answer:
    moments = tuple(
        Found(video, Span(start, end), 1.0)
        for video, start, end in MOMENTS[query]
        if video not in without
    )
    return Answer(moments, CONFIDENCE[query] - (1.0 if without else 0.0))


def ground(query: str, video: str) -> list[ScoredSpan]:
    return [ScoredSpan(GROUNDED[query], 1.0)]


def test_a_hand_worked_case():
    report = evaluate([DOG, CAT, SKY, WHALE], search, ground)
    values = report.all
    assert values["video_r1"] == pytest.approx(1 / 3)
    assert values["video_r5"] == pytest.approx(2 / 3)
    assert values["mrr"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert values["moment_r1_iou50"] == pytest.approx(1 / 2)
    assert values["grounding_r1_iou50"] == pytest.approx(1 / 2)
    assert values["grounding_r1_iou70"] == pytest.approx(1 / 2)
    assert values["grounding_miou"] == pytest.approx((0.75 + 0.4) / 2)
    # matches 3 2 1; others: the whale .5, the dog masked 2, the sky masked 0 (the cat has rivals
    # and is not masked)
    assert values["no_match_auroc"] == pytest.approx((3 + 2.5 + 2) / 9)
    assert values["no_match_false_alarms"] == pytest.approx(1 / 3)
    assert values["rows"] == 4
    assert values["took_s_median"] >= 0


def test_kinds_intervals_and_json():
    report = evaluate([DOG, CAT, SKY, WHALE], search, ground)
    assert set(report.by_kind) == {"action", "object"}
    assert report.by_kind["object"]["video_r1"] == pytest.approx(1 / 2)
    low, high = report.intervals["all"]["video_r1"]
    assert low <= 1 / 3 <= high
    document = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert (
        document["by_kind"]["action"]["no_match_auroc"] is None
    )  # a cat with rivals: nothing to tell it from
    assert math.isnan(report.by_kind["action"]["no_match_auroc"])
    assert [row["query"] for row in document["rows"]] == ["a dog", "a cat", "the sky", "a whale"]
    assert document["rows"][0]["first"] == ["dog.mp4", 5.0, 10.0, 1.0]


def test_every_row_is_asked_and_only_unique_ones_again_without_their_video():
    asked = []

    def spy(query, without):
        asked.append((query, without))
        return search(query, without)

    evaluate([DOG, CAT, WHALE], spy, ground)
    assert asked == [
        ("a dog", frozenset()),
        ("a dog", frozenset({"dog.mp4"})),
        ("a cat", frozenset()),
        ("a whale", frozenset()),
    ]


def test_only_the_first_fifty_moments_rank_videos():
    def far(query, without):
        others = [Found("other.mp4", Span(0, 1), 1.0)] * 50
        return Answer((*others, Found("dog.mp4", Span(0, 10), 0.5)), 1.0)

    assert evaluate([DOG], far, ground).all["video_r5"] == 0.0


def test_windows_are_clamped_to_the_video():
    late = replace(DOG, video="dog", windows=(Span(5, 30),), duration_s=None)
    free = evaluate([late], search, ground).all
    clamped = evaluate([late], search, ground, durations={"dog.mp4": 10.0}).all
    assert free["moment_r1_iou50"] == 0.0
    assert clamped["moment_r1_iou50"] == 1.0


def test_predictions_are_matched_and_missing_ones_count():
    predictions = [Prediction("dog", "a dog", (ScoredSpan(Span(0, 8), 0.9),))]
    values = score_predictions([DOG, CAT], predictions).all
    assert (values["r1_iou50"], values["r1_iou70"], values["missing"]) == (0.5, 0.5, 1)
    assert values["miou"] == pytest.approx(0.4)
    assert values["map"] == pytest.approx(0.7 / 2)
    with pytest.raises(UsageError, match="twice"):
        score_predictions([DOG], predictions * 2)


def test_published_numbers_of_qvhighlights_come_out(test_data):
    """Moment-DETR's sample submission as two independent evaluators score it, to the second
    decimal.
    """
    folder = test_data / "annotations"
    published = json.loads((folder / "momentdetr_sample_val_scores_miou.json").read_text())["brief"]
    rows = load_rows(folder / "qvhighlights_val.jsonl")
    values = score_predictions(
        rows, load_predictions(folder / "momentdetr_sample_val_preds.jsonl")
    ).all
    ours = {
        "MR-full-R1@0.3": "r1_iou30",
        "MR-full-R1@0.5": "r1_iou50",
        "MR-full-R1@0.7": "r1_iou70",
        "MR-full-mIoU": "miou",
    }
    ours |= {"MR-full-mAP": "map", "MR-full-mAP@0.5": "map_50", "MR-full-mAP@0.75": "map_75"}
    ours |= {f"MR-{name}-mAP": f"map_{name}" for name in ("short", "middle", "long")}
    for theirs, name in (("Fair", "fair"), ("Good", "good"), ("VeryGood", "very_good")):
        ours |= {
            f"HL-min-{theirs}-mAP": f"hl_map_{name}",
            f"HL-min-{theirs}-Hit1": f"hl_hit1_{name}",
        }
    assert ours.keys() == published.keys()
    assert {key: round(100 * values[name], 2) for key, name in ours.items()} == published


def test_charades_file_is_read_whole(test_data):
    rows = load_rows(test_data / "annotations" / "charades_sta_test.txt")
    assert len(rows) == 3720
    assert len({row.id for row in rows}) == 3720
    # Answers equal to the annotation score 1 when the same durations clamp both.
    durations = {row.video: 30.0 for row in rows}
    answers = [
        Prediction(
            row.video,
            row.query,
            tuple(ScoredSpan(w.clamp(0, 30), 1.0) for w in row.windows),
            id=row.id,
        )
        for row in rows
    ]
    ended = [row for row in rows if row.windows[0].start_s < 30.0]
    ids = {row.id for row in ended}
    values = score_predictions(ended, [a for a in answers if a.id in ids], durations).all
    assert values["r1_iou70"] == values["map"] == 1.0


def test_a_collection_of_another_model_is_an_error_not_zeros(tmp_path):
    colour_video(tmp_path / "media" / "one.mp4", [("red", 3.0)])
    demo_library(tmp_path / "home").ingest([tmp_path / "media"], "films")
    (tmp_path / "truth.jsonl").write_text(
        '{"video": "one.mp4", "query": "red", "windows": [[0, 3]]}\n'
    )
    other = demo_library(tmp_path / "home", embedder="lite")
    with pytest.raises(UsageError, match=r"films.*demo-1"):
        other.evaluate(tmp_path / "truth.jsonl", "films")


def test_a_library_is_asked_rows_without_a_video_too(tmp_path):
    colour_video(tmp_path / "media" / "one.mp4", [("red", 3.0), ("blue", 3.0)])
    library = demo_library(tmp_path / "home")
    library.ingest([tmp_path / "media"], "films")
    rows = [
        {"video": "one.mp4", "query": "blue", "windows": [[3, 6]]},
        {"video": "", "query": "a zebra", "windows": []},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    report = library.evaluate(path, "films")
    assert report.all["rows"] == 2
    assert report.all["video_r1"] == 1
    assert report.all["no_match_auroc"] == 1
