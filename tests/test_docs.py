"""The documentation names what there is: commands, settings, modules, files and pages."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer

from docs import generate
from indexer.cli import app
from indexer.settings import SECRETS, Settings
from tests.support import colour_video, run_command

ROOT = Path(__file__).parents[1]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]
# The change log speaks of what was there once.
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
OURS = ("indexer", "grounding", "workers", "search_ui", "migrations", "benchmarks", "tests")
SOURCE = [
    path
    for package in (*OURS, "deploy")
    for path in sorted((ROOT / package).rglob("*"))
    if path.suffix in {".py", ".yaml", ".po", ".js", ".toml"}
]
# Environment variables that are not settings of the library, and where they are read.
OTHER_VARIABLES = {
    "SEEKPOINT_TEST_DATA": ROOT / "tests",
    "SEEKPOINT_ENDPOINT_KEY": ROOT / "grounding",
    "SEEKPOINT_TOKEN": ROOT / "seekpoint",
}
SHELL = {"", "sh", "bash", "console"}


def id_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code_blocks(text: str) -> Iterator[tuple[str, str]]:
    """(language, content) of the fenced blocks."""
    yield from re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def inline_code(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(text))


# --- generated pages ---


@pytest.mark.parametrize("name", ["settings.md", "commands.md", "python-api.md"])
def test_a_generated_page_is_current(name: str):
    assert (ROOT / "docs" / "reference" / name).read_text() == generate.pages()[name], (
        "run: make docs"
    )


# --- links ---


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of the headings."""
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = found.get(slug, 0)
        found[slug] = count + 1
        names.add(f"{slug}-{count}" if count else slug)
    return names


def links(page: Path) -> list[str]:
    return re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(page.read_text()))


def leads_somewhere(page: Path, target: str) -> bool:
    file, _, anchor = target.partition("#")
    other = page.parent / file if file else page
    return other.exists() and (not anchor or anchor in anchors(other.read_text()))


def test_links_lead_somewhere():
    every = [(page, link) for page in [*PAGES, ROOT / "CHANGELOG.md"] for link in links(page)]
    assert len(every) > 100
    assert [
        f"{id_of(page)}: {link}" for page, link in every if not leads_somewhere(page, link)
    ] == []


def test_every_page_is_reached_from_the_index():
    start = ROOT / "docs" / "index.md"
    reached, waiting = {start}, [start]
    while waiting:
        page = waiting.pop()
        for target in links(page):
            other = (page.parent / target.partition("#")[0]).resolve()
            if other.suffix == ".md" and other not in reached:
                reached.add(other)
                waiting.append(other)
    assert [id_of(page) for page in (ROOT / "docs").rglob("*.md") if page not in reached] == []


def test_pages_that_the_source_names_exist():
    missing = [
        f"{id_of(path)}: {name}"
        for path in SOURCE
        for name in set(re.findall(r"\bdocs/[\w./-]+\.md", path.read_text()))
        if not (ROOT / name).exists()
    ]
    assert missing == []


# --- settings ---


def test_every_named_setting_exists():
    known = {f"SEEKPOINT_{name.upper()}" for name in Settings.model_fields}
    known |= {f"SEEKPOINT_{name.upper()}_FILE" for name in SECRETS}
    unknown = []
    deployed = (path for path in (ROOT / "deploy").rglob("*") if path.is_file())
    for page in [*PAGES, *sorted(path for path in deployed if path.suffix != ".pyc")]:
        named = set(re.findall(r"\bSEEKPOINT_[A-Z0-9_]+\b", page.read_text()))
        unknown += [f"{id_of(page)}: {name}" for name in named - known - OTHER_VARIABLES.keys()]
    assert unknown == []


@pytest.mark.parametrize("name", OTHER_VARIABLES)
def test_other_variables_are_read(name: str):
    assert any(name in path.read_text() for path in OTHER_VARIABLES[name].rglob("*.py"))


# --- commands ---


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, inner in command.commands.items():
        if hasattr(inner, "commands"):
            yield from leaves(inner, (*path, name))
        else:
            yield (*path, name)


def shell_commands(script: str) -> Iterator[list[str]]:
    """The words of each simple command; comments, redirections and assignments are left out."""
    for line in script.replace("\\\n", " ").split("\n"):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("();<>|&"):
                while words and re.match(r"\w+=", words[0]):
                    words.pop(0)
                if words:
                    yield words
                words = []
            else:
                words.append(word)


def problem_with(words: list[str], *, whole: bool) -> str:
    """Why `seekpoint` refuses these arguments, nothing is run; `whole`: required ones are there."""
    command, path = typer.main.get_command(app), ["seekpoint"]
    words = list(words)
    while hasattr(command, "commands"):
        if not words and not whole:
            return ""
        if not words or words[0] not in command.commands:
            return f"no such command: {' '.join([*path, *words[:1]])}"
        command = command.commands[words[0]]
        path.append(words.pop(0))
    try:
        command.make_context(path[-1], words)
    except Exception as error:  # noqa: BLE001 (of click, or of the copy that typer carries)
        if type(error).__name__ == "MissingParameter" and not whole:
            return ""
        return f"{' '.join(path)}: {getattr(error, 'message', '') or error!r}"
    return ""


def test_every_shown_command_parses():
    problems = []
    for page in PAGES:
        if page.name == "commands.md":  # usage, made from the commands themselves
            continue
        text = page.read_text()
        shown = [
            problem_with(words[1:], whole=True)
            for language, block in code_blocks(text)
            if language in SHELL
            for words in shell_commands(block)
            if words[0] == "seekpoint"
        ]
        shown += [
            problem_with(shlex.split(code)[1:], whole=False)
            for code in inline_code(text)
            if code.startswith("seekpoint ")
        ]
        problems += [f"{id_of(page)}: {problem}" for problem in shown if problem]
    assert problems == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["serach", "a dog"], "no such command"),
        (["search"], "issing"),
        (["search", "a dog", "--colection", "mine"], "o such option"),
        (["users", "drop", "vera"], "no such command"),
        (["search", "a dog", "--top", "many"], "valid integer"),
    ],
)
def test_a_wrong_command_is_found(words: list[str], problem: str):
    assert problem in problem_with(words, whole=True)


def test_every_command_is_in_a_guide():
    text = "\n".join(page.read_text() for page in GUIDES)
    every = [" ".join(("seekpoint", *path)) for path in leaves(typer.main.get_command(app))]
    assert "seekpoint search" in every
    assert [name for name in every if name not in text] == []


def test_every_command_that_prints_json_is_on_its_page():
    text = (ROOT / "docs" / "reference" / "json.md").read_text()
    missing, command = [], typer.main.get_command(app)
    for path in leaves(command):
        leaf: Any = command
        for name in path:
            leaf = leaf.commands[name]
        printing = any("--json" in parameter.opts for parameter in leaf.params)
        if printing and f"`seekpoint {' '.join(path)}`" not in text:
            missing.append(" ".join(path))
    assert missing == []


def test_the_json_page_shows_what_is_printed(tmp_path: Path):
    page = (ROOT / "docs" / "reference" / "json.md").read_text()
    examples = [json.loads(block) for language, block in code_blocks(page) if language == "json"]
    colour_video(tmp_path / "media" / "dog.mp4", [("red", 3.0), ("green", 3.0)])
    ingest = printed(tmp_path / "home", "ingest", tmp_path / "media")
    search = printed(tmp_path / "home", "search", "red")
    shown = next(example for example in examples if "files" in example)
    assert ingest.keys() == shown.keys()
    assert ingest["files"][0].keys() == shown["files"][0].keys()
    shown = next(example for example in examples if "moments" in example)
    assert search.keys() == shown.keys()
    assert search["moments"][0].keys() == shown["moments"][0].keys()
    assert search["moments"][0]["evidence"][0].keys() == shown["moments"][0]["evidence"][0].keys()


def printed(home: Path, *arguments: object) -> dict[str, Any]:
    """The document that a command prints, as another program reads it."""
    return json.loads(run_command(home, *arguments, "--json").stdout)


def test_every_make_target_exists():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set()
    for page in PAGES:
        text = page.read_text()
        named |= {code[5:] for code in inline_code(text) if code.startswith("make ")}
        for language, block in code_blocks(text):
            if language in SHELL:
                named |= {w[1] for w in shell_commands(block) if w[0] == "make" and len(w) == 2}
    assert named - targets == set()


# --- modules and files ---


def names_in(path: Path) -> set[str]:
    """Names that a module defines or imports, without importing it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or what a module defines (a class's method too)."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        place, rest = ROOT.joinpath(*parts[:count]), set(parts[count:])
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.exists():
                return rest <= names_in(path)
    return False


def test_every_named_module_exists():
    package = "|".join(OURS)
    dotted = re.compile(rf"(?<![\w./-])(?:{package})(?:\.\w+)+(?![\w/])")
    slashed = re.compile(rf"(?<![\w./-])(?:{package}|docs|deploy)/[\w./-]*")
    missing = set()
    for page in PAGES:
        text = page.read_text()
        for piece in [*inline_code(text), *(block for _, block in code_blocks(text))]:
            names = [name for name in dotted.findall(piece) if not exists(name)]
            paths = [path for path in slashed.findall(piece) if not (ROOT / path).exists()]
            missing |= {f"{id_of(page)}: {name}" for name in [*names, *paths]}
    assert missing == set()


def test_every_named_training_setting_exists():
    text = (ROOT / "docs" / "guides" / "train.md").read_text()
    named = set(re.findall(r"--set ([a-z_]+)=", text))
    assert named
    assert named <= names_in(ROOT / "grounding" / "training" / "settings.py")


def test_python_in_pages_imports_what_there_is():
    imported = [
        f"{node.module}.{alias.name}"
        for page in PAGES
        for language, block in code_blocks(page.read_text())
        if language == "python" and page.name != "python-api.md"
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    ]
    assert "indexer.library.Library" in imported
    ours = [name for name in imported if name.split(".")[0] in OURS]
    assert [name for name in ours if not exists(name)] == []


# --- form ---


def test_a_paragraph_is_one_line():
    marked = re.compile(r"\s*([-*|#>]|\d+\.|<|!\[|\[!)")
    wrapped = [
        f"{id_of(page)}: {after}"
        for page in PAGES
        for before, after in pairwise(prose(page.read_text()).split("\n"))
        if before.strip() and after.strip() and not marked.match(after)
    ]
    assert wrapped == []


def test_hooks_run_what_lint_runs():
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    linters = re.findall(r"\$\(BIN\)/(\S+)", recipe[1])
    hooks = re.findall(r"entry: \.venv/bin/(\S+)", (ROOT / ".pre-commit-config.yaml").read_text())
    assert "ruff" in linters
    assert sorted(hooks) == sorted(linters)


# --- dependencies ---


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    page = (ROOT / "docs" / "dependencies.md").read_text()
    reasons = {
        name.strip()
        for row in re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)
        for name in re.sub(r"\(.*?\)", "", row).split(",")
    }
    assert {re.split(r"[<>=\[]", name)[0] for name in wanted} - reasons == set()
