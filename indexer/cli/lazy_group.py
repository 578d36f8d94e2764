"""Commands whose modules are imported when they are used, so that `seekpoint --help` and every
other command do not wait for what one of them needs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


class LazyCommands(MutableMapping[str, Any]):
    """Command by name. `places`: name -> `module:attribute` of a function, or of a Typer that has
    commands of its own.
    """

    def __init__(self, places: dict[str, str]) -> None:
        self.places = places
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name, self.places[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self.places.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self.places[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


class LazyGroup(TyperGroup):
    """A group that lists its commands without importing them. A subclass names their `places`."""

    places: dict[str, str]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands(dict(self.places))

    def list_commands(self, ctx: Any) -> list[str]:
        """Names alone: the base class asks for the commands too."""
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What the list of commands shows of one. The command itself is in `commands`."""
        place = self.places.get(cmd_name)
        return None if place is None else TyperCommand(cmd_name, help=read_help(place))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is called, imported now."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, self.commands[name] if name in self.places else command, rest


def read_help(place: str) -> str:
    """The docstring of a function, or the `help` of a Typer, from the source of its module."""
    module, _, attribute = place.partition(":")
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == attribute:
            return ast.get_docstring(node) or ""
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            texts = [word.value for word in node.value.keywords if word.arg == "help"]
            if attribute in names and texts and isinstance(texts[0], ast.Constant):
                return cleandoc(str(texts[0].value))
    return ""


def _load(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command = get_group(found)
        command.name = name
        return command
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name)(found)
    return get_command(alone)
