"""What all sessions of one server share: the library, who may enter, and the work that runs behind
the page.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from prometheus_client import CollectorRegistry

from indexer.admin.metrics import CatalogFigures, SearchFigures
from indexer.catalog import collections
from indexer.library import Library
from indexer.settings import Settings, load_settings
from search_ui.jobs import Jobs
from search_ui.login_throttle import Failures
from search_ui.sessions import Sessions
from search_ui.user import Viewer

CLIPS_AT_ONCE = 2


class Site:
    """`sign_in` False: only the local machine is served, and whoever is there may do everything."""

    def __init__(self, settings: Settings, *, sign_in: bool) -> None:
        self.settings = settings
        self.sign_in = sign_in
        self.library = Library(settings)
        self.sessions = Sessions(self.library.catalog, settings)
        self.failures = Failures()
        self.jobs = Jobs(self.library)
        self.cutting = asyncio.Semaphore(CLIPS_AT_ONCE)
        self.registry = CollectorRegistry()
        self.registry.register(CatalogFigures(lambda: self.library.catalog))
        self.searches = SearchFigures(self.registry)

    def visible_names(self, viewer: Viewer) -> list[str]:
        """Names of the collections that somebody may see."""
        with self.library.catalog.read() as session:
            return [
                name for id, name in collections.list_collection_names(session) if viewer.sees(id)
            ]

    def may_add_to(self, viewer: Viewer, collection: str) -> bool:
        """Somebody who sees all collections may make a new one; somebody who sees some adds to
        those.
        """
        if not viewer.can_edit or not collection.strip():
            return False
        return viewer.collection_ids is None or collection in self.visible_names(viewer)

    def may_add_folder(self, folder: Path) -> bool:
        """Off the local machine only what the settings open: an editor of videos is not to read the
        server's disk.
        """
        opened = (
            [*self.settings.ui_folders, *self.settings.roots.values()]
            if self.sign_in
            else self.settings.ui_folders
        )
        if not opened and not self.sign_in:
            return True
        real = folder.resolve()
        return any(real.is_relative_to(it.expanduser().resolve()) for it in opened)


_lock = threading.Lock()
_site: Site | None = None


def open_site(settings: Settings, *, sign_in: bool) -> Site:
    """The site that this process serves from now on."""
    global _site
    with _lock:
        _site = Site(settings, sign_in=sign_in)
        return _site


def site() -> Site:
    """The site of this process; where none was opened (a page run by itself), one for the local
    machine.
    """
    global _site
    with _lock:
        if _site is None:
            _site = Site(load_settings(), sign_in=False)
        return _site
