"""How the source is laid out: what import-linter does not look at."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("indexer", "grounding", "workers", "search_ui", "seekpoint", "migrations")
MOST_INNER_IMPORTS = 60
MOST_MODULES = 15
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def inner_imports(source: str) -> set[tuple[int, str]]:
    """Line and text of each import that stands inside a function."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        (node.lineno, ast.unparse(node))
        for function in ast.walk(ast.parse(source))
        if isinstance(function, functions)
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }


def test_an_import_inside_a_function_is_found():
    source = "import a\ndef f():\n    from b import c\n    def g():\n        import d\n"
    assert inner_imports(source) == {(3, "from b import c"), (5, "import d")}


def test_few_imports_stand_inside_functions():
    found = [
        f"{path.relative_to(ROOT)}:{line} {text}"
        for path in SOURCES
        for line, text in sorted(inner_imports(path.read_text()))
    ]
    assert len(found) < MOST_INNER_IMPORTS, "\n".join(found)


def test_no_folder_is_crowded():
    modules = Counter(
        path.parent.relative_to(ROOT)
        for path in SOURCES
        if path.name not in ("__init__.py", "__main__.py") and "migrations" not in path.parts
    )
    assert not {str(folder): n for folder, n in modules.items() if n > MOST_MODULES}
