"""What `pybabel extract` finds, and that no error hides its text from it."""

import ast
import importlib
import io
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import indexer
import workers
from indexer.errors import SeekpointError
from search_ui.i18n.extract import ERROR_CLASSES, MODEL_ERRORS, TEXT_FUNCTIONS, extract

WITH_ERRORS = ("indexer", "workers", "grounding/lego", "grounding/language_model")


def found(source: str) -> list[str]:
    return [text for _, _, text, _ in extract(io.BytesIO(source.encode()), (), (), {})]


def test_both_texts_of_an_error():
    assert found('raise UsageError("{name} is " "empty", "choose a name", name=name)') == [
        "{name} is empty",
        "choose a name",
    ]


def test_texts_of_the_page_and_messages():
    assert found('tr("Search"); self.tr("Library"); translator_of(request)("System")') == [
        "Search",
        "Library",
        "System",
    ]
    assert found('Message("{n} videos", {"n": 2})') == ["{n} videos"]
    assert found('TITLES = {"a": N_("Reading {subject}")}') == ["Reading {subject}"]


def test_texts_chosen_or_named_before():
    assert found('tr("Answers" if answer else "Back")') == ["Answers", "Back"]
    assert found('HINT = "ask again"\nraise ModelError("it failed", HINT)') == [
        "it failed",
        "ask again",
    ]


def test_other_strings_are_none():
    assert found('print("a"); Path("b"); log.error("c"); dict(tr="d"); tr(name)') == []


def test_every_error_class_is_known():
    for package in (indexer, workers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    assert {error.__name__ for error in subclasses(SeekpointError)} == set(ERROR_CLASSES)


def subclasses(kind: type) -> set[type]:
    return {kind}.union(*(subclasses(sub) for sub in kind.__subclasses__()))


def test_no_text_is_put_together_before_it_is_translated():
    """Neither an f-string nor `str(...)` can be looked up in a catalogue."""
    hidden = [
        f"{place}:{call.lineno}"
        for place, call in calls_with_texts()
        if any(map(put_together, text_arguments(call)))
    ]
    assert hidden == []


def test_every_field_of_an_error_has_its_value():
    lacking = []
    for place, call in calls_with_texts():
        if call_name(call) in (*ERROR_CLASSES, *MODEL_ERRORS) and not place.startswith(
            "search_ui/"
        ):
            values = {keyword.arg for keyword in call.keywords}
            texts = found(f"{call_name(call)}({', '.join(map(ast.unparse, call.args))})")
            for name in {name for text in texts for name in fields(text)} - values:
                lacking.append(f"{place}:{call.lineno} {name}")  # noqa: PERF401
    assert lacking == []


@cache
def calls_with_texts() -> list[tuple[str, ast.Call]]:
    """All calls in the product that take a text for people, with the files they are in."""
    root = Path(indexer.__file__).parents[1]
    return [
        (str(path.relative_to(root)), call)
        for package in (*WITH_ERRORS, "search_ui")
        for path in sorted((root / package).rglob("*.py"))
        for call in calls(ast.parse(path.read_bytes()))
        if call_name(call) in (*ERROR_CLASSES, *TEXT_FUNCTIONS)
    ]


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def call_name(call: ast.Call) -> str:
    return str(getattr(call.func, "id", "") or getattr(call.func, "attr", ""))


def text_arguments(call: ast.Call) -> list[ast.expr]:
    name = call_name(call)
    return call.args[: 2 if name in ERROR_CLASSES else 1 if name in TEXT_FUNCTIONS else 0]


def put_together(argument: ast.expr) -> bool:
    return any(
        isinstance(node, (ast.JoinedStr, ast.BinOp))
        or (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "str")
        for node in ast.walk(argument)
    )
