"""What all sessions of one server share: the library, who may sign in, and background jobs."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from prometheus_client import CollectorRegistry

from indexer.admin.metrics import CatalogMetrics, SearchMetrics
from indexer.catalog import collections
from indexer.library import Library
from indexer.settings import Settings, load_settings
from search_ui.auth.access_rights import User
from search_ui.auth.login_throttle import LoginThrottle
from search_ui.auth.sessions import Sessions
from search_ui.jobs import Jobs

CLIPS_AT_ONCE = 2
STILLS_AT_ONCE = 2


class AppState:
    """`sign_in` False: only the local machine is served, and everybody there may do everything."""

    def __init__(self, settings: Settings, *, sign_in: bool) -> None:
        self.settings = settings
        self.sign_in = sign_in
        self.library = Library(settings)
        self.sessions = Sessions(self.library.catalog, settings)
        self.login_throttle = LoginThrottle()
        self.jobs = Jobs(self.library)
        self.clip_slots = asyncio.Semaphore(CLIPS_AT_ONCE)
        self.still_slots = asyncio.Semaphore(STILLS_AT_ONCE)
        self.registry = CollectorRegistry()
        self.registry.register(CatalogMetrics(lambda: self.library.catalog))
        self.searches = SearchMetrics(self.registry)

    def visible_names(self, user: User) -> list[str]:
        """Names of the collections that the user may see."""
        with self.library.catalog.read() as session:
            names = collections.list_collection_names(session)
        return [name for id, name in names if user.sees(id)]

    def may_add_to(self, user: User, collection: str) -> bool:
        """Who sees all collections may make a new one; who sees some may add to those."""
        if not user.can_edit or not collection.strip():
            return False
        return user.collection_ids is None or collection in self.visible_names(user)

    def may_add_folder(self, folder: Path) -> bool:
        """Off the local machine only folders that the settings allow: an editor of videos must not
        read the server's disk.
        """
        allowed = (
            [*self.settings.ui_folders, *self.settings.roots.values()]
            if self.sign_in
            else self.settings.ui_folders
        )
        if not allowed and not self.sign_in:
            return True
        real = folder.resolve()
        return any(real.is_relative_to(root.expanduser().resolve()) for root in allowed)


_lock = threading.Lock()
_state: AppState | None = None


def open_app_state(settings: Settings, *, sign_in: bool) -> AppState:
    """Makes the state that this process serves from now on."""
    global _state
    with _lock:
        if _state is not None:
            _state.jobs.stop()
        _state = AppState(settings, sign_in=sign_in)
        return _state


def app_state() -> AppState:
    """The state of this process; a page that runs by itself gets one for the local machine."""
    global _state
    with _lock:
        if _state is None:
            _state = AppState(load_settings(), sign_in=False)
        return _state
