"""Writes the reference pages that follow from the code: settings, commands and the Python API.

    python -m docs.generate            # writes docs/reference/{settings,commands,python-api}.md

A test fails where a page differs from what this makes. griffe reads the source without importing
it, so the API page needs no heavy library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import griffe
import typer

from indexer.cli import app
from indexer.settings import SECRETS, Settings

ROOT = Path(__file__).parents[1]
REFERENCE = Path(__file__).parent / "reference"
PACKAGES = ("indexer", "grounding", "seekpoint")

# What people import; values that these take and return are added by themselves.
API = (
    "indexer.library.Library",
    "seekpoint.client.Client",
    "indexer.ingest.report.Observer",
    "indexer.settings.load_settings",
    "indexer.errors",
    "grounding.spans",
    "grounding.localize",
    "grounding.refine",
    "grounding.lego.grounder.load_grounder",
    "grounding.lego.grounder.Grounder",
)


def main() -> None:
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """The name of each generated page and its text."""
    return {
        "settings.md": settings_page(),
        "commands.md": commands_page(),
        "python-api.md": api_page(),
    }


# --- settings ---


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        "Each setting is an environment variable, or a line `NAME=value` of `settings.env` in the "
        "home; the environment wins. Lists and maps are JSON. "
        "A value that does not fit is an error that names the variable.",
        "",
        "| variable | default | what it is |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in ("", None) else f"`{_default(field.default)}`"
        choices = _choices(field.annotation)
        description = field.description or ""
        if choices and not all(choice in description for choice in choices):
            description += f". One of: {', '.join(f'`{choice}`' for choice in choices)}"
        lines.append(f"| `SEEKPOINT_{name.upper()}` | {default} | {_cell(description)} |")
    files = ", ".join(f"`SEEKPOINT_{name.upper()}_FILE`" for name in SECRETS)
    lines += ["", f"Secrets may stand in files, which these variables name: {files}."]
    return "\n".join(lines) + "\n"


def _default(value: object) -> str:
    return {"True": "true", "False": "false"}.get(str(value), str(value))


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is not Literal:
        return []
    return [str(choice) for choice in get_args(annotation) if choice != ""]


# --- commands ---


def commands_page() -> str:
    command = typer.main.get_command(app)
    parts = [
        "# Commands",
        "",
        "Where a command takes `--json` it prints one JSON document on stdout and nothing else "
        "([format](json.md)). Progress, notes and errors go to stderr.",
        "",
        "Exit status: 0 done, 1 some items failed (each is named), 2 wrong use, "
        "130 stopped with Ctrl+C.",
    ]
    for path, leaf in _leaves(command, "seekpoint"):
        parts += ["", f"## `{path}`", "", _paragraph(leaf.help), "", "```", _usage(path, leaf)]
        parts += ["```", *_parameters(leaf)]
    return "\n".join(parts) + "\n"


def _leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, inner in command.commands.items():
        if hasattr(inner, "commands"):
            if inner.invoke_without_command:
                yield f"{path} {name}", inner
            yield from _leaves(inner, f"{path} {name}")
        elif not inner.hidden:
            yield f"{path} {name}", inner


def _usage(path: str, command: Any) -> str:
    words = [path]
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            word = (parameter.metavar or parameter.name).upper().strip("[]").removesuffix("...")
            word += "..." if parameter.nargs == -1 else ""
            words.append(word if parameter.required else f"[{word}]")
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    words += [_flag(option) for option in options if option.required]
    return " ".join([*words, *(["[OPTIONS]"] if any(not o.required for o in options) else [])])


def _parameters(command: Any) -> list[str]:
    shown = [p for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]
    if not shown:
        return []
    rows = ["", "| argument | default | what it is |", "|---|---|---|"]
    for parameter in shown:
        is_option = parameter.param_type_name == "option"
        flag = _flag(parameter) if is_option else parameter.name.upper()
        default = parameter.default
        plain = default is None or default is False or callable(default) or parameter.required
        text = "" if plain else f"`{default}`"
        rows.append(f"| `{_cell(flag)}` | {text} | {_cell(_paragraph(parameter.help))} |")
    return rows


def _flag(option: Any) -> str:
    names = ", ".join(option.opts)
    if option.secondary_opts:
        return f"{names} / {', '.join(option.secondary_opts)}"
    return names if option.is_flag else f"{names} {option.name.upper()}"


# --- the Python API ---


def api_page() -> str:
    listed: list[griffe.Object] = []
    for path in API:
        found = _load(path)
        members = _public_members(found) if isinstance(found, griffe.Module) else [found]
        listed += members
    values = _values_of(listed)
    by_module: dict[str, list[griffe.Object]] = {}
    for found in [*listed, *values]:
        by_module.setdefault(found.module.path, []).append(found)
    parts = [
        "# Python API",
        "",
        "This page is made from the docstrings. `Library` has the verbs of the command line, and "
        "`Client` has them over the API of a server: `from seekpoint import Client, Library`. "
        "They raise `SeekpointError` where a person can act on what went wrong. "
        "Seconds are floats, spans half-open.",
    ]
    for module, members in by_module.items():
        parts += ["", f"## `{module}`"]
        if text := _docstring(_load(module)):
            parts += ["", text]
        for member in members:
            parts += ["", *_entry(member, "###")]
    return "\n".join(parts) + "\n"


@cache
def _package(name: str) -> griffe.Object:
    loaded = griffe.load(name, search_paths=[ROOT], allow_inspection=False)
    assert isinstance(loaded, griffe.Module)
    return loaded


def _load(path: str) -> Any:
    package, _, rest = path.partition(".")
    return _package(package)[rest] if rest else _package(package)


def _public_members(owner: Any) -> list[Any]:
    return [
        member
        for member in owner.members.values()
        if member.is_public and not member.is_alias and not member.is_module
    ]


def _values_of(listed: list[Any]) -> list[Any]:
    """Our own dataclasses that signatures and fields of the listed objects name, and so on."""
    known = {found.path for found in listed}
    found, waiting = [], list(listed)
    while waiting:
        for path in _named_in(waiting.pop(0)):
            if path in known or path.partition(".")[0] not in PACKAGES:
                continue
            known.add(path)
            value = _resolved(path)
            if value is not None and value.is_class and "dataclass" in value.labels:
                known.add(value.path)
                found.append(value)
                waiting.append(value)
    listed_paths = {one.path for one in listed}
    return [value for value in dict.fromkeys(found) if value.path not in listed_paths]


def _resolved(path: str) -> Any:
    try:
        found = _load(path)
        return found.final_target if found.is_alias else found
    except (KeyError, griffe.AliasResolutionError):
        return None


def _named_in(found: Any) -> Iterator[str]:
    """Canonical paths of all names in the annotations of an object and of its public members."""
    annotations = []
    if found.is_function:
        annotations = [found.returns, *(p.annotation for p in found.parameters)]
    elif found.is_attribute and ("property" not in found.labels or found.docstring is not None):
        annotations = [found.annotation]
    elif found.is_class:
        for member in _public_members(found):
            yield from _named_in(member)
    for annotation in annotations:
        if isinstance(annotation, griffe.Expr):
            names = (e for e in annotation.iterate(flat=True) if isinstance(e, griffe.ExprName))
            yield from (name.canonical_path for name in names)


def _entry(found: Any, heading: str) -> list[str]:
    if found.is_attribute:
        value = "" if found.value is None else f" = {found.value}"
        lines = [f"{heading} `{found.name}`", "", "```python", f"{found.name}{value}", "```"]
    else:
        lines = [f"{heading} `{found.name}`", "", "```python", _signature(found), "```"]
    if text := _docstring(found):
        lines += ["", text]
    if found.is_class:
        for member in _public_members(found):
            method = member.is_function and not member.is_special
            if method or ("property" in member.labels and member.docstring is not None):
                lines += ["", *_entry_of_member(member)]
    return lines


def _entry_of_member(member: Any) -> list[str]:
    lines = [f"#### `{member.parent.name}.{member.name}`", "", "```python", _signature(member)]
    lines += ["```"]
    if text := _docstring(member):
        lines += ["", text]
    return lines


def _signature(found: Any) -> str:
    if found.is_attribute:  # a property
        return f"{found.name}: {found.annotation}"
    if found.is_function:
        return _call(f"def {found.name}", found.parameters, found.returns)
    if "dataclass" in found.labels:
        fields = [m for m in found.members.values() if m.is_attribute and _is_field(m)]
        body = [line for field in fields for line in _field(field)]
        return "\n".join([f"@dataclass\nclass {found.name}:", *body])
    bases = ", ".join(str(base) for base in found.bases)
    head = f"class {found.name}({bases})" if bases else f"class {found.name}"
    init = found.members.get("__init__")
    if init is None or init.is_alias:
        return head
    return head + "\n" + _call(f"{found.name}", init.parameters, None)


def _is_field(member: Any) -> bool:
    return member.annotation is not None and "property" not in member.labels and member.is_public


def _field(field: Any) -> list[str]:
    value = "" if field.value is None else f" = {field.value}"
    lines = [f"    {field.name}: {field.annotation}{value}"]
    if field.docstring is not None:
        lines.insert(0, f"    # {_paragraph(field.docstring.value)}")
    return lines


def _call(head: str, parameters: Any, returns: Any) -> str:
    """A signature, on one line where it fits."""
    words, keyword_only = [], False
    for parameter in parameters:
        if parameter.name in ("self", "cls"):
            continue
        kind = parameter.kind
        if kind is griffe.ParameterKind.keyword_only and not keyword_only:
            words.append("*")
            keyword_only = True
        star = {
            griffe.ParameterKind.var_positional: "*",
            griffe.ParameterKind.var_keyword: "**",
        }.get(kind, "")
        keyword_only |= star == "*"
        annotation = "" if parameter.annotation is None else f": {parameter.annotation}"
        default = "" if star or parameter.default is None else f" = {parameter.default}"
        words.append(f"{star}{parameter.name}{annotation}{default}")
    tail = "" if returns is None else f" -> {returns}"
    line = f"{head}({', '.join(words)}){tail}"
    if len(line) <= 100:
        return line
    body = "".join(f"    {word},\n" for word in words)
    return f"{head}(\n{body}){tail}"


# --- text ---


def _docstring(found: Any) -> str:
    """The docstring as Markdown: a paragraph a line, examples in a block."""
    if found.docstring is None:
        return ""
    blocks = re.split(r"\n\s*\n", found.docstring.value.strip())
    return "\n\n".join(_block(block) for block in blocks)


def _block(block: str) -> str:
    lines = block.split("\n")
    if lines[0].lstrip().startswith(">>>"):
        code = (re.sub(r"\s*# doctest: .*", "", line) for line in lines)
        return "\n".join(["```python", *code, "```"])
    if all(line.startswith("    ") for line in lines):
        return "\n".join(["```", *(line[4:] for line in lines), "```"])
    if re.match(r"[-*] ", lines[0]):
        return re.sub(r"\n\s+", " ", block)
    return _paragraph(block)


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
