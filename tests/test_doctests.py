"""Every example in a docstring gives what stands behind it."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("grounding", "indexer", "search_ui", "workers")
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if any(
        ">>> " in line and "doctest: +SKIP" not in line
        for line in path.read_text(encoding="utf-8").splitlines()
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str):
    failed, attempted = doctest.testmod(importlib.import_module(name))
    assert not failed  # what differs stands in the captured output
    assert attempted
