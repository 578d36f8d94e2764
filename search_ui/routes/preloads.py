"""Streamlit's scripts that every page of ours needs and that its own document does not name.

It asks for each of them when the first element of its kind comes, and then for what that one needs:
a chain of waits that one list in the document spares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ELEMENTS = ("PageLink", "BidiComponent", "TextInput", "Button")
IMPORT = re.compile(r'(?:import|from)\s*["\']\./([\w.-]+\.js)["\']')


@cache
def preload_links(static: Path) -> str:
    """`<link rel="modulepreload">` for the scripts of `ELEMENTS` in Streamlit's folder, and for
    what they import, as far as its document has none.
    """
    folder = static / "static" / "js"
    named = (static / "index.html").read_text(encoding="utf-8")
    first = [script for name in ELEMENTS for script in folder.glob(f"{name}.*.js")]
    return "".join(
        f'<link rel="modulepreload" crossorigin href="/static/js/{name}">'
        for name in _with_imports(folder, (script.name for script in first))
        if name not in named
    )


def _with_imports(folder: Path, names: Iterable[str]) -> list[str]:
    """The scripts and all that they import, each once."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or not (folder / name).is_file():
            continue
        found.append(name)
        waiting += IMPORT.findall((folder / name).read_text(encoding="utf-8"))
    return found
