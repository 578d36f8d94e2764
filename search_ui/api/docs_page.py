"""The OpenAPI document as a page to read. Nothing of it is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from starlette.responses import HTMLResponse

from search_ui.api.problems import CODES, KINDS

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 56rem }
h2 { font-size: 1.1rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0 }
td { border-top: 1px solid #8884; overflow-wrap: anywhere }
code { font-family: ui-monospace, monospace; font-size: .9em }
"""


def docs_page(document: Mapping[str, Any]) -> HTMLResponse:
    """Every operation with its parameters and answer, then the values and the codes of errors."""
    title = f"{document['info']['title']} API"
    parts = [
        f"<h1>{escape(title)}</h1><p>{_text(document['info'].get('description', ''))}</p>",
        '<p>For programs: <a href="/api/openapi.json">openapi.json</a></p>',
        *_operations(document),
        "<h1>Values</h1>",
        *(_value(name, one) for name, one in document["components"]["schemas"].items()),
        "<h1>Codes of problems</h1>",
        *(_code(code, status, kind.__doc__ or "") for kind, status, code in KINDS),
        *(_code(code, status, about) for status, (code, about) in CODES.items()),
    ]
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    base = document["servers"][0]["url"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            rows = [
                (one["name"], one["in"], _kind(one["schema"]), _about(one))
                for one in operation.get("parameters", ())
            ]
            yield (
                f'<h2 id="{escape(operation["operationId"])}"><code>{method.upper()} '
                f"{escape(base + path)}</code></h2><p>{_text(operation.get('description', ''))}</p>"
                f"{_table(('parameter', 'in', 'type', ''), rows)}{_answer(operation)}"
            )


def _answer(operation: Mapping[str, Any]) -> str:
    content = operation["responses"].get("200", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return f"<p>Answer: {_kind(schema)}</p>" if schema else ""


def _value(name: str, schema: Mapping[str, Any]) -> str:
    rows = [(field, _kind(one)) for field, one in schema.get("properties", {}).items()]
    about = f"<p>{_text(schema.get('description', ''))}</p>"
    heading = f'<h2 id="{escape(name)}">{escape(name)}</h2>'
    return heading + about + _table(("field", "type"), rows)


def _code(code: str, status: int, about: str) -> str:
    return f'<p id="problem-{code}"><code>{code}</code> ({status}): {_text(about)}</p>'


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """The first cell of a row is code; the others are HTML already."""
    if not rows:
        return ""
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    cells = "".join(
        f"<tr><td><code>{escape(first)}</code></td>{_cells(rest)}</tr>" for first, *rest in rows
    )
    return f"<table><thead><tr>{columns}</tr></thead><tbody>{cells}</tbody></table>"


def _cells(contents: Iterable[str]) -> str:
    return "".join(f"<td>{one}</td>" for one in contents)


def _about(parameter: Mapping[str, Any]) -> str:
    words = [parameter.get("description", "")]
    if parameter.get("required"):
        words.insert(0, "required")
    elif (default := parameter["schema"].get("default")) is not None:
        words.append(f"default {default}")
    return escape("; ".join(filter(None, words)))


def _kind(schema: Mapping[str, Any] | None) -> str:
    """A schema in a word or two."""
    if not schema:
        return "anything"
    if reference := schema.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if choices := schema.get("anyOf"):
        return " or ".join(_kind(one) for one in choices)
    if values := schema.get("enum"):
        return escape(", ".join(map(str, values)))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items'))}"
    limits = (("from", "minimum"), ("to", "maximum"), ("up to characters:", "maxLength"))
    words = [f"{word} {schema[key]}" for word, key in limits if key in schema]
    return escape(" ".join([schema.get("format") or str(schema.get("type", "value")), *words]))


def _text(text: str) -> str:
    return escape(" ".join(text.split())).replace("`", "")
