import json
from pathlib import Path

import pytest

from indexer.embedders.caption_sets import Photograph, read_photographs
from indexer.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / "images" / name).write_bytes(b"picture")
    return tmp_path


def write_lines(folder: Path, *rows: object) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "captions.jsonl").write_text("\n".join(lines) + "\n")


def test_lines_are_read_in_their_order(folder):
    write_lines(
        folder,
        {"image": "images/two.jpg", "captions": ["a dog", " two dogs "], "by": "somebody"},
        "",
        {"image": "images/one.jpg", "captions": ["a cat", " "]},
    )
    assert read_photographs(folder) == [
        Photograph(folder / "images/two.jpg", ("a dog", "two dogs")),
        Photograph(folder / "images/one.jpg", ("a cat",)),
    ]


def test_the_form_of_coco_is_read(folder):
    """Captions of a picture are gathered; a picture without one is left out."""
    (folder / "annotations").mkdir()
    content = {
        "images": [
            {"id": 7, "file_name": "one.jpg"},
            {"id": 8, "file_name": "two.jpg"},
            {"id": 9, "file_name": "three.jpg"},
        ],
        "annotations": [
            {"image_id": 8, "caption": "a dog"},
            {"image_id": 7, "caption": "a cat"},
            {"image_id": 8, "caption": "two dogs"},
        ],
    }
    (folder / "annotations" / "captions_val2017.json").write_text(json.dumps(content))
    assert read_photographs(folder) == [
        Photograph(folder / "images/one.jpg", ("a cat",)),
        Photograph(folder / "images/two.jpg", ("a dog", "two dogs")),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "line 1 is not JSON"),
        (["images/one.jpg"], "line 1 has no `image`"),
        ({"captions": ["a cat"]}, "line 1 has no `image`"),
        ({"image": "images/one.jpg"}, "no list of `captions`"),
        ({"image": "images/one.jpg", "captions": "a cat"}, "no list of `captions`"),
        ({"image": "images/one.jpg", "captions": [" "]}, "no caption that says anything"),
        ({"image": "images/none.jpg", "captions": ["a cat"]}, "none.jpg, which is not there"),
    ],
)
def test_a_bad_line_is_named(folder, row, message):
    write_lines(folder, row)
    with pytest.raises(UsageError, match=message):
        read_photographs(folder)


def test_a_file_that_is_not_of_coco_is_named(folder):
    (folder / "captions_of_mine.json").write_text('{"images": []}')
    with pytest.raises(UsageError, match=r"captions_of_mine\.json is not in COCO's form"):
        read_photographs(folder)


def test_a_folder_without_captions_is_named(folder):
    with pytest.raises(UsageError, match="has no captions"):
        read_photographs(folder)
    with pytest.raises(UsageError, match="is not a folder"):
        read_photographs(folder / "absent")
