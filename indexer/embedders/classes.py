"""The 1000 ImageNet classes in words: a photo caption, the WordNet lemmas, and the name with the
WordNet gloss (imagenet.tsv).
"""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("imagenet.tsv")


def describe_classes() -> list[list[str]]:
    """Three lists of 1000 descriptions: caption, lemmas, gloss."""
    rows = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines()]
    names = [row[1].split(", ")[0] for row in rows]
    return [
        [f"a photo of {_article(name)} {name}" for name in names],
        [row[1] for row in rows],
        [f"{name}: {row[2]}" for name, row in zip(names, rows, strict=True)],
    ]


def _article(name: str) -> str:
    return "an" if name[0].lower() in "aeiou" else "a"
