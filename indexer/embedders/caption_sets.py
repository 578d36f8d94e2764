"""Photographs with captions on disk, for fitting the map from pictures to texts.

Two forms of folder are read: `captions.jsonl` with an object a line, `image` (a path in the folder)
and `captions`; and that of COCO (cocodataset.org), `annotations/captions_*.json` with the pictures
in folders beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import UsageError

LINES = "captions.jsonl"
COCO_PATTERN = "captions_*.json"
FORMS = (
    "a folder has captions.jsonl with `image` and `captions` a line, or annotations/captions_*.json"
)


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture and what people wrote about it, at least one caption."""

    path: Path
    captions: tuple[str, ...]


def read_photographs(folder: Path) -> list[Photograph]:
    """Photographs of the folder in the order of its file. UsageError says what is wrong in it."""
    if not folder.is_dir():
        raise UsageError("{folder} is not a folder", FORMS, folder=folder)
    if (folder / LINES).exists():
        return _from_lines(folder)
    coco = sorted((folder / "annotations").glob(COCO_PATTERN)) or sorted(folder.glob(COCO_PATTERN))
    if not coco:
        raise UsageError("{folder} has no captions", FORMS, folder=folder)
    return [photograph for file in coco for photograph in _from_coco(folder, file)]


def _from_lines(folder: Path) -> list[Photograph]:
    file = folder / LINES
    photographs = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            where = f"{file}, line {number}"
            row = _parse_json(line, where)
            if not isinstance(row, dict) or not isinstance(row.get("image"), str):
                raise UsageError("{where} has no `image`", FORMS, where=where)
            path = folder / row["image"]
            photographs.append(_photograph(path, row.get("captions"), where))
    return photographs


def _from_coco(folder: Path, file: Path) -> list[Photograph]:
    content = _parse_json(file.read_text(encoding="utf-8"), str(file))
    captions: dict[Any, list[str]] = {}
    try:
        for annotation in content["annotations"]:
            captions.setdefault(annotation["image_id"], []).append(annotation["caption"])
        images = [(image["id"], image["file_name"]) for image in content["images"]]
    except (KeyError, TypeError) as error:
        raise UsageError(
            "{file} is not in COCO's form: {error!r}",
            "it needs `images` (`id`, `file_name`) and `annotations` (`image_id`, `caption`)",
            file=file,
            error=error,
        ) from None
    paths: dict[str, Path] = {
        path.name: path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    return [
        _photograph(paths[name] if name in paths else folder / name, captions[id], str(file))
        for id, name in images
        if id in captions
    ]


def _parse_json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError("{where} is not JSON: {error}", FORMS, where=where, error=error) from None


def _photograph(path: Path, captions: object, where: str) -> Photograph:
    if not isinstance(captions, list) or not all(isinstance(text, str) for text in captions):
        raise UsageError("{where} has no list of `captions`", FORMS, where=where)
    written = tuple(text.strip() for text in captions if text.strip())
    if not written:
        raise UsageError("{where} has no caption that says anything", FORMS, where=where)
    if not path.is_file():
        raise UsageError(
            "{where} names {path}, which is not there",
            "put the picture there or take the line out",
            where=where,
            path=path,
        )
    return Photograph(path, written)
