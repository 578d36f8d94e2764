"""Collects the texts to translate from Python files: a method for `pybabel extract`.

Babel's own method takes two arguments of one call for a singular and its plural; an error has two
texts instead, what went wrong and what to do.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO

Found = tuple[int, None, str, list[str]]
# Each takes what went wrong and what to do as its first two arguments.
ERROR_CLASSES = (
    "SeekpointError",
    "UsageError",
    "TooManyAttempts",
    "MediaError",
    "MediaTimeout",
    "ModelError",
    "CatalogError",
    "CatalogBusy",
    "QueueError",
    "SnapshotError",
    "StorageError",
    "ReadingProcessDied",
    "RootUnavailable",
)
# Errors of the models: what went wrong alone.
MODEL_ERRORS = ("LegoError", "CheckpointError", "PromptError", "DataError", "EndpointError")
# The first argument of each is a text.
TEXT_FUNCTIONS = ("tr", "N_", "Message", "translator_of", *MODEL_ERRORS)


def extract(
    file: IO[bytes], keywords: Collection[str], comments: Collection[str], options: Mapping
) -> Iterator[Found]:
    """The first argument of each call that marks a text, and the first two of each error.

    Yields (line, None, text, comments), as Babel wants them.
    """
    del keywords, comments, options
    tree = ast.parse(file.read())
    constants = _constants(tree)
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = _name_of_call(call.func)
        count = 2 if name in ERROR_CLASSES else 1 if name in TEXT_FUNCTIONS else 0
        for argument in call.args[:count]:
            for text in _texts(argument, constants):
                if text:
                    yield call.lineno, None, text, []


def _name_of_call(function: ast.expr) -> str:
    """`tr` of `tr(...)` and of `self.tr(...)`, `translator_of` of `translator_of(request)(...)`."""
    if isinstance(function, ast.Call):
        return _name_of_call(function.func)
    return str(getattr(function, "id", "") or getattr(function, "attr", ""))


def _texts(node: ast.expr, constants: Mapping[str, list[str]]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, constants)
        yield from _texts(node.orelse, constants)
    elif isinstance(node, ast.Name):
        yield from constants.get(node.id, [])


def _constants(tree: ast.AST) -> dict[str, list[str]]:
    """Texts that are given a name before they are used: `_INSTALL = "pip install ..."`."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and (texts := list(_texts(node.value, {}))):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).extend(texts)
    return found
