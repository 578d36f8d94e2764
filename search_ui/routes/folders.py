"""Folders of the server from which this user may add videos to a collection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.media.formats import VIDEO_SUFFIXES
from indexer.paths import Reach, printable
from indexer.valid_text import is_valid_text
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import translator_of

MOST_FOLDERS = 500
MOST_ENTRIES = 20_000
"""Looked at in one folder: one with millions must not hold up the page."""


def routes() -> list[BaseRoute]:
    """The route of the folder browser."""
    return [Route("/folders", folders)]


def folders(request: Request) -> Response:
    """Folders below `path` (without one: where somebody may begin) with how many videos lie right
    in them; 404 for one that is not there, or out of reach, which look the same.
    """
    user: User = request.state.user
    collection = request.query_params.get("collection", "").strip()
    if not app_state().may_add_to(user, collection):
        raise HTTPException(403, translator_of(request)("There is no such collection for you."))
    reach = app_state().reach_of(user, collection)
    path = request.query_params.get("path", "")
    if not path:
        found = [_folder(folder, str(folder)) for folder in _starts(reach) if folder.is_dir()]
        return _answer({"path": "", "above": None, "folders": found, "videos": 0, "more": False})
    here = Path(path)
    if not here.is_absolute() or not reach.holds(here) or not os.path.isdir(here):
        raise HTTPException(404, translator_of(request)("There is no such folder on the server."))
    below = sorted(_below(here, reach), key=lambda folder: folder.name.casefold())
    above = here.parent if here.parent != here and reach.holds(here.parent) else None
    return _answer(
        {
            "path": str(here),
            "above": "" if above is None else str(above),
            "folders": [_folder(folder, folder.name) for folder in below[:MOST_FOLDERS]],
            "videos": _count(here),
            "more": len(below) > MOST_FOLDERS,
        }
    )


def _answer(data: dict[str, Any]) -> Response:
    return JSONResponse(data, headers={"Cache-Control": "no-store"})


def _starts(reach: Reach) -> list[Path]:
    """The folders that the settings allow; where all may be read, the home and the whole disk."""
    settings = app_state().settings
    if reach.within is None:
        return list(dict.fromkeys((Path.home(), *settings.roots.values(), Path("/"))))
    own = {settings.uploads.resolve(), (settings.home_path / "demo").resolve()}
    return [folder for folder in reach.within if folder not in own]


def _below(folder: Path, reach: Reach) -> Iterator[Path]:
    """Folders in it that may be read; hidden ones are left out."""
    for entry in _entries(folder):
        if entry.name.startswith(".") or not is_valid_text(entry.name) or not _is_folder(entry):
            continue
        path = folder / entry.name
        if reach.holds(path):
            yield path


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= MOST_ENTRIES:
                    return
                yield entry
    except OSError:  # closed to this process, or gone
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _folder(path: Path, name: str) -> dict[str, Any]:
    return {"path": str(path), "name": printable(name), "videos": _count(path)}


def _count(folder: Path) -> int:
    """Files right in the folder whose names are those of videos."""
    return sum(
        os.path.splitext(entry.name)[1].lower() in VIDEO_SUFFIXES for entry in _entries(folder)
    )
