"""A small file of every public set, in the form in which the set is published, with rows that are
wrong in the ways that they are.
"""

from __future__ import annotations

import csv
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ANSWER = {"from": "gpt"}


@dataclass(frozen=True, slots=True)
class Sample:
    set: str
    write: Callable[[Path], list[Path]]
    """Writes the files into a folder and returns them in order."""
    written: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    media: tuple[str, ...] = ()
    """Files that must be there, where rows need their size or length."""

    def __str__(self) -> str:
        return self.set


def dump(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def dump_lines(path: Path, values: list) -> Path:
    path.write_text("\n".join(map(json.dumps, values)) + "\n", encoding="utf-8")
    return path


def talk(kind: str, name: str, *texts: str) -> dict:
    turns = [{"from": "gpt" if i % 2 else "human", "value": text} for i, text in enumerate(texts)]
    return {"id": Path(name).stem, kind: name, "conversations": turns}


def llava_pretrain(folder: Path) -> list[Path]:
    ask = "Write a terse but informative summary of the picture.\n<image>"
    rows = [
        talk("image", "GCC_train_1.jpg", ask, "a cat on a mat"),
        talk("image", "GCC_train_1.jpg", ask, "a cat on a mat"),
        talk("image", "GCC_train_2.jpg", ask, "  "),
        talk("image", "GCC_train_3.jpg", ask),
        talk("image", "../../etc/passwd.jpg", ask, "a file of another folder"),
        "not a row",
        talk("image", "GCC_train_4.jpg", ask, "night market ### in the rain"),
    ]
    return [dump(folder / "chat.json", rows)]


def valley(folder: Path) -> list[Path]:
    return [
        dump(
            folder / "chat.json",
            [
                talk(
                    "video",
                    "053851_054100/1047443473.mp4",
                    "<video>\nWhat is this?",
                    "Waves at a beach.",
                )
            ],
        )
    ]


def wavcaps(folder: Path) -> list[Path]:
    plane = {"id": "2219", "caption": "An airplane is landing.", "duration": 14.1}
    strong = {"id": "Yb0RFKhbpFJA.wav", "caption": "Wind blows.", "duration": 10.0}
    bad = [{"id": "1", "duration": 3.0}, {"id": "2", "caption": "Nothing.", "duration": 0}]
    bad += [
        {"id": str(3 + i), "caption": "Endless.", "duration": odd}
        for i, odd in enumerate(("nan", "inf"))
    ]
    head = {"num_captions_per_audio": 1}
    sound_bible = dump(folder / "sb_final.json", {**head, "data": [plane, *bad]})
    return [sound_bible, dump(folder / "as_final.json", {**head, "data": [strong]})]


def refcoco(folder: Path) -> list[Path]:
    def ref(number: int, split: str, **changed) -> dict:
        sentences = [
            {
                "tokens": ["lady"],
                "raw": "lady.",
                "sent_id": number * 10 + i,
                "sent": f"lady {number}{i}",
            }
            for i in range(2)
        ]
        return {
            "ref_id": number,
            "ann_id": 5,
            "image_id": 7,
            "split": split,
            "sentences": sentences,
            "category_id": 1,
            **changed,
        }

    refs = [ref(0, "train"), ref(1, "val"), ref(2, "train", ann_id=99), ref(3, "train", ann_id=6)]
    file = folder / "refs(unc).p"
    file.write_bytes(pickle.dumps(refs, protocol=2))
    images = [
        {"id": 7, "file_name": "COCO_train2014_000000000007.jpg", "width": 640, "height": 480}
    ]
    boxes = [
        {"id": 5, "image_id": 7, "bbox": [64.0, 48.0, 128.0, 96.0]},
        {"id": 6, "image_id": 7, "bbox": [10, 10, 0, 5]},
    ]
    return [
        file,
        dump(
            folder / "instances.json",
            {"info": {}, "images": images, "annotations": boxes, "categories": []},
        ),
    ]


def visual_genome_regions(folder: Path) -> list[Path]:
    def region(number: int, **box) -> dict:
        return {
            "region_id": number,
            "image_id": 1,
            "phrase": f"the clock {number}",
            **({"x": 100, "y": 50, "width": 80, "height": 100} | box),
        }

    regions = [
        region(1),
        region(2, x=-5),
        region(3, x=900),
        region(4, width=0),
        region(5, height="tall"),
    ]
    rows = [{"id": 1, "regions": regions}, {"id": 2, "regions": []}]
    return [
        dump(folder / "region_descriptions.json", rows),
        dump(folder / "image_data.json", [{"image_id": 1, "width": 800, "height": 600}]),
    ]


def visual_genome_objects(folder: Path) -> list[Path]:
    def thing(number: int, name: str) -> dict:
        return {"object_id": number, "names": [name], "x": 10 * number, "y": 5, "w": 9, "h": 9}

    things = [thing(1, "cup"), thing(2, "Cup"), *(thing(3 + i, "window") for i in range(6))]
    nameless = [{**thing(9, ""), "names": []}, {**thing(9, ""), "names": None}, "no object"]
    rows = [{"image_id": 1, "objects": [*nameless, *things]}]
    return [
        dump(folder / "objects.json", rows),
        dump(folder / "image_data.json", [{"image_id": 1, "width": 800, "height": 600}]),
    ]


def charades_sta(folder: Path) -> list[Path]:
    lines = [
        "3MSZA 24.3 30.4##person turn a light on.",
        "3MSZA 28.0 40.0##person opens a door.",
        "3MSZA 31.0 33.0##person behind the end.",
        "3MSZA 5.0 5.0##person does nothing.",
        "3MSZA 9.0 5.0##person goes back in time.",
        "AAAAA 1.0 2.0##person of an unknown video.",
        "3MSZA 1.0##a line without an end.",
        "3MSZA 2.0 3.0##",
    ]
    (folder / "charades_sta_train.txt").write_text("\n".join(lines) + "\n")
    with (folder / "Charades_v1_train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "subject", "scene", "length"])
        writer.writerow(["3MSZA", "1HQ4", "Kitchen", "30.96"])
    return [folder / "charades_sta_train.txt", folder / "Charades_v1_train.csv"]


def didemo(folder: Path) -> list[Path]:
    def row(number: int, times: list) -> dict:
        return {
            "annotation_id": number,
            "video": f"1@N00_{number}.mov",
            "description": "the dog jumps",
            "times": times,
            "num_segments": 6,
        }

    return [
        dump(
            folder / "train_data.json",
            [
                row(1, [[2, 2], [2, 3], [2, 2], [0, 5]]),
                row(2, [[0, 0], [1, 1], [2, 2]]),
                row(3, []),
            ],
        )
    ]


def hirest(folder: Path) -> list[Path]:
    steps = [
        {"index": 0, "heading": "Crack the egg", "absolute_bounds": [43, 60]},
        {"index": 1, "heading": "Flip the egg", "absolute_bounds": [60, 70]},
    ]
    egg = {
        "relevant": True,
        "clip": True,
        "v_duration": 354.97,
        "bounds": [43, 290],
        "steps": steps,
    }
    # Of `bad` the whole and the third step are good, of `unbound` its step.
    odd = [
        {"index": 0, "heading": "no bounds"},
        {"index": 1, "heading": "z", "absolute_bounds": [15, 15]},
        steps[0],
        None,
    ]
    bad = {**egg, "bounds": [10, 80], "steps": odd}
    unbound = {"relevant": True, "clip": True, "v_duration": 354.97, "steps": steps[:1]}
    whole = {"relevant": True, "clip": False, "v_duration": 53.92, "bounds": [0, 0], "steps": []}
    videos = {
        "CAB-4KfX8x0.mp4": egg,
        "kMh.mp4": whole,
        "none.mp4": {},
        "bad.mp4": bad,
        "unbound.mp4": unbound,
    }
    return [dump(folder / "all_data_train.json", {"Make an Egg Sandwich": videos})]


def vggss(folder: Path) -> list[Path]:
    rows = [
        {"file": "horse_000021", "class": "horse clip-clop", "bbox": [[0.25, 0.5, 0.75, 1.0]]},
        {"file": "gone_000001", "class": ["cat"], "bbox": [[0.25, 0.5, 0.75, 1.0]]},
        {"file": "horse_000021", "class": "nobody", "bbox": []},
        {"file": "horse_000021", "class": "rider", "bbox": [[0.25, 0.0, 0.5, 0.5]]},
        {"file": ["horse"], "class": "rider", "bbox": []},
    ]
    return [dump(folder / "vggss.json", rows)]


def flickr30k(folder: Path) -> list[Path]:
    for name in ("Sentences", "Annotations"):
        (folder / name).mkdir()
    line = (
        "[/EN#1/people Two people] are photographed against [/EN#0/notvisual a mood] and "
        "[/EN#2/other a backdrop] ."
    )
    (folder / "Sentences" / "36979.txt").write_text(f"{line}\nNo phrase with a box here .\n")
    (folder / "Sentences" / "broken.txt").write_text(line)

    def thing(name: str, *box: int) -> str:
        sides = "".join(
            f"<{side}>{value}</{side}>"
            for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box)
        )
        place = f"<bndbox>{sides}</bndbox>" if box else "<nobndbox>1</nobndbox>"
        return f"<object><name>{name}</name>{place}</object>"

    size = "<size><width>400</width><height>200</height><depth>3</depth></size>"
    things = (
        thing("1", 0, 0, 100, 200)
        + thing("1", 100, 0, 200, 200)
        + thing("2", 0, 0, 400, 100)
        + thing("9")
    )
    (folder / "Annotations" / "36979.xml").write_text(f"<annotation>{size}{things}</annotation>")
    (folder / "Annotations" / "broken.xml").write_text("<annotation><size>")
    return [folder / "Sentences", folder / "Annotations"]


def vcr(folder: Path) -> list[Path]:
    row = {
        "annot_id": "train-0",
        "img_fn": "lsmdc_1/x.jpg",
        "metadata_fn": "lsmdc_1/x.json",
        "objects": ["person", "person"],
        "question": ["Why", "is", [0], "pointing", "at", [1], "?"],
        "answer_choices": [["No", "."], [[0, 1], "are", "friends", "."]],
        "answer_label": 1,
        "rationale_choices": [["They", "smile", "."]],
        "rationale_label": 0,
    }
    folder.joinpath("vcr1images").mkdir()
    boxes = [[0.0, 0.0, 100.0, 200.0, 0.9], [100.0, 0.0, 200.0, 200.0, 0.8]]
    dump(
        folder / "vcr1images" / "lsmdc_1" / "x.json",
        {"boxes": boxes, "names": ["person"] * 2, "width": 200, "height": 200},
    )
    unlabelled = {**row, "annot_id": "test-0", "answer_label": None}
    lines = [
        row,
        unlabelled,
        {**row, "annot_id": "train-2", "metadata_fn": "gone.json"},
        {**row, "answer_label": 7},
    ]
    return [dump_lines(folder / "train.jsonl", lines), folder / "vcr1images"]


def activitynet(folder: Path) -> list[Path]:
    videos = {
        "v_A": {
            "duration": 80.0,
            "timestamps": [[40.0, 80.5], [0.0, 20.0]],
            "sentences": [" She turns.", " A woman walks. "],
        },
        "v_B": {"duration": 10.0, "timestamps": [[0, 1]], "sentences": []},
    }
    return [dump(folder / "train.json", videos)]


def clotho(folder: Path) -> list[Path]:
    with (folder / "clotho_captions_development.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file_name", *(f"caption_{i}" for i in range(1, 6))])
        writer.writerow(
            [
                "Distorted AM Radio noise.wav",
                "A radio hums.",
                "Static, then a voice.",
                "Static.",
                "A radio hums.",
                "",
            ]
        )
    return [folder / "clotho_captions_development.csv"]


def llava_mix(folder: Path) -> list[Path]:
    turns = ("<image>\nWhat is it?", "A bus.", "Where is it?", "[0.10, 0.20, 0.50, 0.60]")
    bus = talk("image", "coco/train2017/000000033471.jpg", *turns)
    words = {
        "id": "x",
        "conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi."}],
    }
    starts_late = {**words, "conversations": words["conversations"][::-1]}
    return [dump(folder / "llava_v1_5_mix665k.json", [bus, words, starts_late])]


def qvhighlights(folder: Path) -> list[Path]:
    row = {
        "qid": 1,
        "query": "A girl rides",
        "duration": 150,
        "vid": "N_210.0_360.0",
        "relevant_windows": [[82, 150], [0, 10]],
    }
    return [dump_lines(folder / "highlight_val_release.jsonl", [row])]


def pope(folder: Path) -> list[Path]:
    row = {
        "question_id": 1,
        "image": "COCO_val2014_1.jpg",
        "text": "Is there a snowboard in the image?",
        "label": "yes",
    }
    return [
        dump_lines(
            folder / "coco_pope_random.json", [row, {**row, "question_id": 2, "label": "maybe"}]
        )
    ]


def video_qa(folder: Path) -> list[Path]:
    asked = [
        {
            "video_name": "v_a",
            "question_id": f"v_a_{i}",
            "question": "is the athlete wearing trousers",
        }
        for i in range(2)
    ]
    return [
        dump(folder / "test_q.json", asked),
        dump(folder / "test_a.json", [{"question_id": "v_a_0", "answer": "yes", "type": 3}]),
    ]


SAMPLES = (
    Sample(
        "llava_pretrain",
        llava_pretrain,
        1,
        {
            "duplicate": 1,
            "empty text": 1,
            "row of another form": 2,
            "unsafe path": 1,
            "reserved words": 1,
        },
    ),
    Sample("valley", valley, 1),
    Sample("wavcaps", wavcaps, 2, {"row of another form": 1, "zero length": 1, "not a number": 2}),
    Sample("refcoco", refcoco, 2, {"image or box unknown": 1, "empty box": 2}),
    Sample("refcoco+", refcoco, 2, {"image or box unknown": 1, "empty box": 2}),
    Sample("refcocog", refcoco, 2, {"image or box unknown": 1, "empty box": 2}),
    Sample(
        "visual_genome",
        visual_genome_regions,
        2,
        {
            "box outside the image": 1,
            "empty box": 1,
            "row of another form": 1,
            "image without size": 1,
        },
    ),
    Sample(
        "visual_genome", visual_genome_objects, 1, {"too many alike": 1, "object without a name": 3}
    ),
    Sample(
        "charades_sta",
        charades_sta,
        2,
        {
            "span outside the video": 1,
            "zero length": 1,
            "ends before it starts": 1,
            "video without length": 1,
            "row of another form": 1,
            "empty text": 1,
        },
    ),
    Sample("didemo", didemo, 1, {"annotators disagree": 2}),
    Sample(
        "hirest", hirest, 7, {"nothing to localise": 2, "row of another form": 4, "zero length": 1}
    ),
    Sample(
        "vggss",
        vggss,
        2,
        {"missing file": 1, "no box": 1, "row of another form": 1},
        ("horse_000021.jpg", "horse_000021.wav"),
    ),
    Sample("flickr30k", flickr30k, 3, {"no box": 1, "broken XML": 1}),
    Sample("vcr", vcr, 1, {"no label": 1, "metadata cannot be read": 1, "row of another form": 1}),
    Sample("activitynet", activitynet, 3, {"row of another form": 1}),
    Sample("clotho", clotho, 3, {"duplicate": 1, "empty text": 1}),
    Sample("llava_mix", llava_mix, 2, {"turns do not alternate": 1}),
    Sample("qvhighlights", qvhighlights, 1),
    Sample("pope", pope, 1, {"no label": 1}),
    Sample("video_qa", video_qa, 1, {"no answer": 1}),
)
BY_NAME = {sample.set: sample for sample in reversed(SAMPLES)}
