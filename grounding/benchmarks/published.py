"""What the LEGO paper (GroundingGPT, arXiv 2401.06071) reports, to stand beside ours. In
percent.
"""

from __future__ import annotations

from collections.abc import Mapping

PUBLISHED: Mapping[str, Mapping[str, float]] = {
    "RefCOCO val": {"acc@.5": 88.02},
    "RefCOCO testA": {"acc@.5": 91.55},
    "RefCOCO testB": {"acc@.5": 82.47},
    "RefCOCO+ val": {"acc@.5": 81.61},
    "RefCOCO+ testA": {"acc@.5": 87.18},
    "RefCOCO+ testB": {"acc@.5": 73.18},
    "RefCOCOg val": {"acc@.5": 81.67},
    "RefCOCOg test": {"acc@.5": 81.99},
    "Charades-STA test": {"R@1 IoU 0.5": 29.6, "R@1 IoU 0.7": 11.9},
}
"""Benchmark -> metric -> value. Its numbers for POPE, video question answering, sound and dense
captioning were not found.
"""


def published_score(benchmark: str, metric: str) -> str:
    """Benchmarks by their names in any case and with any marks; `not found` where the paper has no
    number.
    """
    by_name = {bare(name): values for name, values in PUBLISHED.items()}
    value = by_name.get(bare(benchmark), {}).get(metric)
    return "not found" if value is None else f"{value:.2f}"


def bare(name: str) -> str:
    """The name in small letters, without any marks but a plus.

    >>> bare("RefCOCO+ testA") == bare("refcoco+_testa") != bare("RefCOCO testA")
    True
    """
    return "".join(letter for letter in name.lower() if letter.isalnum() or letter == "+")
