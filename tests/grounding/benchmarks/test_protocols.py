"""Each protocol on cases that were worked out by hand."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grounding.benchmarks.captions import score_captions
from grounding.benchmarks.dense_captions import (
    best_in_order,
    iou_table,
    likeness_at,
    score_events,
    soda,
)
from grounding.benchmarks.referring import first_box, image_in_square, score_boxes
from grounding.benchmarks.sound_sources import area_under, grid_of, region_iou, score_sound_sources
from grounding.benchmarks.temporal_grounding import score_moments
from grounding.benchmarks.yes_no import is_yes, score_yes_no
from grounding.errors import EvaluationError
from grounding.lego.generate.answers import Box
from grounding.spans import Span
from tests.grounding.benchmarks.support import case, values

HALF = {"boxes": [[0.0, 0.25, 0.5, 0.75]], "size": [200, 100]}
"""The left half of an image of 200 x 100, which lies in the rows .25 to .75 of its square."""


def test_boxes_by_hand():
    """IoU 1; .5 exactly (a box of twice the height, half of which is padding and cut, would be 1);
    1/3; no box; no answer.
    """
    answers = [
        "[0.0, 0.25, 0.5, 0.75]",
        "It is at [0.000, 0.250, 0.250, 0.750].",
        "[0.250, 0.250, 0.750, 0.750]",
        "on the left",
        None,
    ]
    scores = score_boxes([case(answer, HALF) for answer in answers])
    assert values(scores) == {
        "acc@.5": pytest.approx(2 / 5),
        "mIoU": pytest.approx((1 + 0.5 + 1 / 3) / 5),
    }
    assert scores.counts == {"rows": 5, "missing": 1, "unread": 1}
    assert scores.metrics["acc@.5"].interval is not None


def test_a_box_is_cut_to_the_image():
    assert first_box("[0.0, 0.0, 0.5, 1.0]", [200, 100]) == Box(0.0, 0.25, 0.5, 0.75)
    assert first_box("[0.0, 0.0, 0.5, 0.2]", [200, 100]) == Box(
        0.0, 0.25, 0.5, 0.25
    )  # padding only
    assert first_box("here [sic], there", [200, 100]) is None
    assert image_in_square([100, 200]) == Box(0.25, 0.0, 0.75, 1.0)


def test_the_first_box_counts_and_any_true_one():
    truth = {"boxes": [[0, 0, 0.1, 0.1], [0.5, 0.5, 1, 1]], "size": [10, 10]}
    right = case("[0.5, 0.5, 1.0, 1.0] or [0.2, 0.2, 0.3, 0.3]", truth)
    wrong = case("[0.2, 0.2, 0.3, 0.3] or [0.5, 0.5, 1.0, 1.0]", truth)
    assert values(score_boxes([right]))["acc@.5"] == 1
    assert values(score_boxes([wrong]))["acc@.5"] == 0
    assert first_box("[1] in [sic] at [20%, 10%, 30%, 50%]", None) == Box(0.2, 0.1, 0.3, 0.5)


@pytest.mark.parametrize(
    "first",
    ["[0.5, 0.5, 0.5, 0.7]", "[0, 0, 1, 0.1]", "[0.3, 0.2, 0.3, 0.2]", "[0.9, 0.8, 0.1, 0.9]"],
)
def test_a_first_box_without_area_or_in_the_padding_is_wrong(first: str):
    scores = score_boxes([case(f"{first} or [0.0, 0.25, 0.5, 0.75]", HALF)])
    assert values(scores) == {"acc@.5": 0, "mIoU": 0}
    assert scores.counts == {"rows": 1, "missing": 0, "unread": 0}


def test_moments_by_hand():
    """IoU .5 exactly (of 10 s), .3 exactly (6 of 20 hundredths), 0, none."""
    truth = {"spans": [[0.2, 0.4]], "duration_s": 50.0}
    answers = ["{0.30,0.40}", "It is in {0.34,0.40}.", "{0.5,0.6}", "never", None]
    scores = score_moments([case(answer, truth) for answer in answers])
    assert values(scores) == {
        "R@1 IoU 0.3": pytest.approx(2 / 5),
        "R@1 IoU 0.5": pytest.approx(1 / 5),
        "R@1 IoU 0.7": 0,
        "mIoU": pytest.approx((0.5 + 0.3) / 5),
    }
    assert scores.counts == {"rows": 5, "missing": 1, "unread": 1}


def test_several_windows_have_a_precision():
    """Both windows found in places 1 and 3: (1 + 2/3) / 2 at every threshold."""
    truth = {"spans": [[0.0, 0.1], [0.5, 0.6]]}
    scores = values(score_moments([case("{0.0,0.1} {0.2,0.3} {0.5,0.6}", truth)]))
    assert scores["mAP"] == scores["mAP@0.5"] == pytest.approx(5 / 6)
    assert scores["R@1 IoU 0.7"] == 1


def test_moments_agree_with_a_peer(test_data: Path, tmp_path: Path):
    """Moment-DETR's sample predictions on QVHighlights, written as answers, against what two other
    evaluators gave.
    """
    from grounding.benchmarks.__main__ import main
    from grounding.benchmarks.table import read_result
    from grounding.datasets.convert import Options, convert
    from grounding.datasets.registry import SETS

    folder = test_data / "annotations"
    convert(
        SETS["qvhighlights"],
        [folder / "qvhighlights_val.jsonl"],
        tmp_path / "val.jsonl",
        Options(None),
    )
    durations = {
        row["qid"]: row["duration"]
        for row in map(json.loads, (folder / "qvhighlights_val.jsonl").read_text().splitlines())
    }
    with (
        (folder / "momentdetr_sample_val_preds.jsonl").open() as file,
        (tmp_path / "answers.jsonl").open("w") as answers,
    ):
        for row in map(json.loads, file):
            length_s = durations[row["qid"]]
            spans = " ".join(
                f"{{{start / length_s:.9f},{end / length_s:.9f}}}"
                for start, end, _ in row["pred_relevant_windows"]
            )
            answers.write(json.dumps({"id": f"qvhighlights/{row['qid']}", "answer": spans}) + "\n")
    assert (
        main(
            [
                "temporal",
                str(tmp_path / "answers.jsonl"),
                str(tmp_path / "val.jsonl"),
                "--json",
                str(tmp_path / "scores.json"),
            ]
        )
        == 0
    )
    scores = read_result(tmp_path / "scores.json")[1]
    peer = json.loads((folder / "momentdetr_sample_val_scores_miou.json").read_text())["brief"]
    for ours, theirs in (
        ("R@1 IoU 0.3", "R1@0.3"),
        ("R@1 IoU 0.5", "R1@0.5"),
        ("R@1 IoU 0.7", "R1@0.7"),
        ("mAP", "mAP"),
        ("mAP@0.5", "mAP@0.5"),
        ("mAP@0.75", "mAP@0.75"),
        ("mIoU", "mIoU"),
    ):
        # An answer names no span twice, while the sample does: mAP may differ in the second
        # decimal.
        slack = 0.02 if ours.startswith("mAP") else 0.0051
        assert 100 * scores.metrics[ours].value == pytest.approx(
            peer[f"MR-full-{theirs}"], abs=slack
        ), ours


def test_matching_in_order_by_hand():
    gain = np.array([[0.1, 0.9], [0.8, 0.2]])
    assert best_in_order(gain) == 0.9  # .9 + .8 would cross; .1 + .2 is less
    assert best_in_order(np.array([[0.5, 0.4], [0.0, 0.3]])) == pytest.approx(0.8)
    assert best_in_order(np.zeros((0, 3))) == 0


@given(st.integers(0, 4), st.integers(0, 4), st.data())
def test_matching_in_order_is_the_best_of_all(rows: int, columns: int, data):
    gain = np.array(
        data.draw(
            st.lists(
                st.lists(st.floats(0, 1), min_size=columns, max_size=columns),
                min_size=rows,
                max_size=rows,
            )
        )
    )

    def brute(i: int, j: int) -> float:
        if i == rows or j == columns:
            return 0.0
        return max(brute(i + 1, j), brute(i, j + 1), gain[i, j] + brute(i + 1, j + 1))

    assert best_in_order(gain.reshape(rows, columns)) == pytest.approx(brute(0, 0))


def test_soda_by_hand():
    """Two predicted, three true events; IoU and likeness given. Gains [[.5, 0, 0], [0, .4, .3]]: .9
    in order.

    Precision .9 / 2, recall .9 / 3, F1 = 2 * .45 * .3 / .75 = .36. A second video with one of each
    and gain 0: .9 / 3 and .9 / 4.
    """
    overlap = np.array([[0.5, 0.0, 0.0], [0.0, 0.8, 0.5]])
    likeness = np.array([[1.0, 1.0, 1.0], [0.2, 0.5, 0.6]])
    assert soda([likeness], [overlap]) == pytest.approx(0.36)
    both = soda([likeness, np.zeros((1, 1))], [overlap, np.ones((1, 1))])
    assert both == pytest.approx(2 * 0.3 * 0.225 / 0.525)
    assert soda([np.zeros((0, 2))], [np.zeros((0, 2))]) == 0


def test_likeness_at_overlaps_by_hand():
    """At .3 and .5 one prediction has the pairs .5 and .6 (and the other .2): mean of 3; at .7 .5
    and one without: mean .25; at .9 0.
    """
    overlap = np.array([[0.0, 0.6], [0.8, 0.5]])
    likeness = np.array([[1.0, 0.2], [0.5, 0.6]])
    expected = (1.3 / 3 + 1.3 / 3 + 0.5 / 2 + 0) / 4
    assert likeness_at([likeness], [overlap]) == pytest.approx(expected)
    assert likeness_at([likeness, np.zeros((0, 2))], [overlap, np.zeros((0, 2))]) == pytest.approx(
        expected / 2
    )


def test_iou_tables():
    table = iou_table([Span(0, 1)], [Span(0, 0.5), Span(2, 3)])
    np.testing.assert_allclose(table, [[0.5, 0]])
    assert iou_table([], [Span(0, 1)]).shape == (0, 1)


EVENTS = {
    "events": [[0.0, 0.25, "A woman walks to the door."], [0.5, 1.0, "She turns around and waves."]]
}
OTHER = {"events": [[0.0, 1.0, "A dog jumps over a small fence."]]}
PERFECT = "A woman walks to the door in {0.00,0.25}. She turns around and waves in {0.50,1.00}."


def test_dense_captions_that_are_perfect_and_useless():
    perfect = [case(PERFECT, EVENTS), case("A dog jumps over a small fence in {0.00,1.00}.", OTHER)]
    assert values(score_events(perfect, java=False)) == {
        "SODA_c CIDEr": pytest.approx(10.0),
        "CIDEr": pytest.approx(10.0),
    }
    useless = score_events([case(None, EVENTS), case("", OTHER)], java=False)
    assert values(useless) == {"SODA_c CIDEr": 0.0, "CIDEr": 0.0}
    assert useless.counts == {"rows": 2, "missing": 1, "unread": 1}
    assert "without Java" in useless.notes[0]


def test_dense_captions_in_the_wrong_order_of_words_and_times_lose():
    swapped = "She turns around and waves in {0.00,0.25}. A woman walks to the door in {0.50,1.00}."
    scores = [
        values(score_events([case(text, EVENTS), case(None, OTHER)], java=False))["SODA_c CIDEr"]
        for text in (PERFECT, swapped)
    ]
    assert scores[0] > 5 > scores[1]


def test_pope_by_hand():
    """Right yes, wrong yes, right no, missed yes, and one without an answer: precision 1/2, recall
    1/3, F1 .4.
    """
    labelled_answers = [
        ("Yes, there is.", "yes"),
        ("Yes.", "no"),
        ("No, there is not.", "no"),
        ("There is no dog. Yes.", "yes"),
        (None, "yes"),
    ]
    scores = score_yes_no(
        [
            case(answer, {}, true=label, name=str(i))
            for i, (answer, label) in enumerate(labelled_answers)
        ]
    )
    assert values(scores) == {
        "accuracy": pytest.approx(2 / 5),
        "precision": pytest.approx(1 / 2),
        "recall": pytest.approx(1 / 3),
        "F1": pytest.approx(0.4),
        "yes ratio": pytest.approx(2 / 4),
    }
    assert scores.counts == {"rows": 5, "missing": 1, "unread": 0}
    assert score_yes_no([case("A red dog", {}, true="yes")]).counts["unread"] == 1
    assert math.isnan(values(score_yes_no([case("no", {}, true="no")]))["precision"])


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("Yes", True),
        ("no", False),
        ("There is not one", False),
        ("Nothing", True),
        ("It's a knot. No", True),
    ],
)
def test_a_no_is_a_word(text: str, yes: bool):
    assert is_yes(text) == yes


def test_sound_sources_by_hand():
    """A square image, 224 cells a side. True: the left half. Predicted: all (cIoU .5), the upper
    half (1/3), the same (1), nothing (0).
    """
    truth = {"boxes": [[0.0, 0.0, 0.5, 1.0]], "size": [100, 100]}
    answers = ["[0, 0, 1.0, 1.0]", "[0, 0, 1.0, 0.5]", "[0.0, 0.0, 0.5, 1.0]", "everywhere", None]
    scores = score_sound_sources([case(answer, truth) for answer in answers])
    ious = [0.5, 1 / 3, 1, 0, 0]
    # Reached: all 5 at 0; 3 of 5 up to .3; 2 up to .5; 1 up to 1. Trapezoids of width .05.
    reached = [1] + [3 / 5] * 6 + [2 / 5] * 4 + [1 / 5] * 10
    area = sum((a + b) / 2 * 0.05 for a, b in pairwise(reached))
    assert values(scores) == {
        "cIoU@.5": pytest.approx(2 / 5),
        "AUC": pytest.approx(area),
        "mean cIoU": pytest.approx(sum(ious) / 5),
    }
    assert scores.counts == {"rows": 5, "missing": 1, "unread": 1}


def test_overlapping_true_boxes_are_one_region():
    grid = grid_of([Box(0, 0, 0.5, 1), Box(0.25, 0, 0.75, 1)], [10, 10])
    assert np.count_nonzero(grid) == 168 * 224
    assert region_iou(grid, grid) == 1
    assert region_iou(grid, np.zeros_like(grid)) == 0
    assert math.isnan(area_under([]))


def test_the_grid_lies_over_the_image_and_not_over_its_padding():
    """200 x 100: the square's rows .25 to .5 are the upper half of the image."""
    grid = grid_of([Box(0.0, 0.25, 1.0, 0.5)], [200, 100])
    assert grid[:112].all()
    assert not grid[112:].any()


def test_only_questions_of_the_protocols_own_task_are_scored():
    """A caption of a moment has its span in the question, from which anybody could copy it."""
    span, box = {"spans": [[0.2, 0.4]]}, {"boxes": [[0.1, 0.1, 0.5, 0.5]], "size": [10, 10]}
    right, copied = (
        "{0.20,0.40} [0.1, 0.1, 0.5, 0.5]",
        "It is in {0.20,0.40}, at [0.1, 0.1, 0.5, 0.5].",
    )
    for score, truth, task, other in (
        (score_moments, span, "moment", "moment_caption"),
        (score_boxes, box, "locate", "region_caption"),
    ):
        truths = [
            {"task": task, **truth},
            truth,
            {"task": other, "caption": "x", **truth},
            {"task": task},
        ]
        scores = score(
            [case(None if i == 1 else (copied, right)[i == 0], one) for i, one in enumerate(truths)]
        )
        assert next(iter(scores.metrics.values())).value == 0.5
        field = next(iter(truth))
        left_out = {f"left out: of the task {other}": 1, f"left out: without {field}": 1}
        assert scores.counts == {"rows": 2, "missing": 1, "unread": 0, **left_out}
        assert f"1 left out: of the task {other}" in "\n".join(scores.lines())
        with pytest.raises(
            EvaluationError,
            match=rf"no record has a truth with .* \(1 left out: of the task {other}\)",
        ):
            score([case(copied, truths[2])])
    for score, truth in (
        (score_captions, {"caption": "a dog"}),
        (score_events, EVENTS),
        (score_sound_sources, box),
    ):
        with pytest.raises(EvaluationError, match="of the task moment_caption"):
            score([case("x", {"task": "moment_caption", **truth})])


@pytest.mark.parametrize(
    ("score", "truth"),
    [
        (score_moments, {"spans": [[0.4, 0.2]]}),
        (score_moments, {"spans": "abc"}),
        (score_moments, {"spans": [[0.1, 10**400]]}),
        (score_moments, {"spans": [0.1, 0.2]}),
        (score_moments, {"spans": [[0.1, 0.2]], "duration_s": -1}),
        (score_boxes, {"boxes": [[1, 2, 3]], "size": [10, 10]}),
        (score_boxes, {"boxes": [[0.1, 0.1, 0.2, "x"]]}),
        (score_boxes, {"boxes": [[0.1, 0.1, 0.2, 0.2]], "size": [0, 0]}),
        (score_sound_sources, {"boxes": [[0.1, 0.1, 0.2, 0.2]], "size": [10]}),
        (score_events, {"events": [[0.1, "x"]]}),
        (score_events, {"events": [[0.1, 0.2, 3]]}),
        (score_captions, {"caption": ["x"]}),
    ],
)
def test_a_truth_of_another_form_is_an_error_that_names_its_record(score, truth: dict):
    with pytest.raises(
        EvaluationError, match="the truth of record 'row/7' cannot be compared with: "
    ):
        score([case("[0.1, 0.1, 0.2, 0.2] {0.1,0.2}", truth, name="row/7")])


@pytest.mark.parametrize("score", [score_boxes, score_moments, score_events, score_sound_sources])
def test_a_truth_of_another_task_is_an_error(score):
    with pytest.raises(EvaluationError, match="no record has a truth with"):
        score([case("x", {"caption": "a"})])
    with pytest.raises(EvaluationError, match="not all yes or no"):
        score_yes_no([case("yes", {}, true="maybe")])
