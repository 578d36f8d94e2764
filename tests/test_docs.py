"""The documentation names what there is."""

import re
import tomllib
from pathlib import Path

import typer

from indexer.cli import app
from indexer.settings import as_markdown

ROOT = Path(__file__).parents[1]
DOCS = "\n".join(
    path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
)


def commands(group: typer.Typer, before: str = "seekpoint") -> list[str]:
    names = [
        f"{before} {command.name or command.callback.__name__}"
        for command in group.registered_commands
    ]
    for inner in group.registered_groups:
        names += commands(inner.typer_instance, f"{before} {inner.typer_instance.info.name}")
    return names


def test_every_setting_is_documented():
    assert (ROOT / "docs" / "settings.md").read_text() == as_markdown(), (
        "run: python -m indexer.settings > docs/settings.md"
    )


def test_every_command_is_documented():
    there = commands(app)
    assert "seekpoint search" in there
    assert [name for name in there if f"`{name}" not in DOCS] == []


def test_every_documented_command_exists():
    documented = set(
        re.findall(
            r"`(seekpoint (?:db |users )?[a-z]+)", (ROOT / "docs" / "commands.md").read_text()
        )
    )
    assert documented <= set(commands(app))


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


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
