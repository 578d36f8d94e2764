"""What all sessions of one server share: the library, who may sign in, and background jobs."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from indexer.admin.metrics import CatalogMetrics, HomeMetrics, SearchMetrics
from indexer.catalog import audit, collections
from indexer.catalog.people import folders
from indexer.library import Library
from indexer.paths import EVERYTHING, Reach
from indexer.settings import Settings, load_settings
from indexer.vocabulary import AuditAction
from search_ui.answers_ahead import AnswersAhead
from search_ui.auth.access_rights import User
from search_ui.auth.password_pool import PasswordPool
from search_ui.auth.sessions import Sessions
from search_ui.auth.tokens import Tokens
from search_ui.connections.processes import METRICS_FOLDER
from search_ui.jobs import Jobs
from search_ui.outages import RequestMetrics
from search_ui.supervisor import ThreadMetrics

# What decodes for seconds: who waits for a turn holds none of the threads that answer requests.
CLIPS_AT_ONCE = 2
SHEETS_AT_ONCE = 1
PICTURES_AT_ONCE = 2
PROBES_AT_ONCE = 4
LONG_AT_ONCE = 8
LONG_OF_A_PERSON = 2
UNSEEN_EVERY_S = 600.0
UNSEEN_KEPT = 10_000
STILLS_AT_ONCE = 2


class AppState:
    """`sign_in` False: only the local machine is served, and everybody there may do everything."""

    def __init__(self, settings: Settings, *, sign_in: bool) -> None:
        self.settings = settings
        self.sign_in = sign_in
        self.library = Library(settings)
        self.sessions = Sessions(self.library.catalog, settings)
        self.tokens = Tokens(self.library.catalog)
        self.passwords = PasswordPool()
        self.jobs = Jobs(self.library, self.reach)
        self.answers_ahead = AnswersAhead()
        self._unseen: dict[tuple[str, str], float] = {}
        self.clip_slots = asyncio.Semaphore(CLIPS_AT_ONCE)
        self.still_slots = asyncio.Semaphore(STILLS_AT_ONCE)
        self.sheet_slots = asyncio.Semaphore(SHEETS_AT_ONCE)
        self.picture_slots = asyncio.Semaphore(PICTURES_AT_ONCE)
        self.probe_slots = asyncio.Semaphore(PROBES_AT_ONCE)
        self.long_slots = asyncio.Semaphore(LONG_AT_ONCE)
        self._turns: dict[tuple[int | None, int | None], asyncio.Semaphore] = {}
        self.registry = CollectorRegistry()
        self._shared_metrics = (
            CatalogMetrics(lambda: self.library.catalog),
            HomeMetrics(settings),
            ThreadMetrics(self.jobs.supervisor),
        )
        for collector in self._shared_metrics:
            self.registry.register(collector)
        self.searches = SearchMetrics(self.registry)
        self.requests = RequestMetrics(self.registry)

    def metrics_registry(self) -> CollectorRegistry:
        """What a monitor gets: of all processes that serve the page together, whichever it asks;
        of threads, those of that one.
        """
        if METRICS_FOLDER not in os.environ:
            return self.registry
        together = CollectorRegistry()
        MultiProcessCollector(together)
        for collector in self._shared_metrics:
            together.register(collector)
        return together

    def turns_of(self, user: User) -> asyncio.Semaphore:
        """The turns of a person, or of a token, at what takes long."""
        key = user.account_id, user.token_id
        return self._turns.setdefault(key, asyncio.Semaphore(LONG_OF_A_PERSON))

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

    def note_unseen(self, user: User, subject: str) -> None:
        """Puts into the audit log that somebody asked for what they may not see; of the same again
        once in a while only, because a page asks at every click.
        """
        now = time.monotonic()
        if now - self._unseen.get((user.name, subject), float("-inf")) < UNSEEN_EVERY_S:
            return
        if len(self._unseen) >= UNSEEN_KEPT:
            self._unseen.clear()
        self._unseen[user.name, subject] = now
        with self.library.catalog.begin() as session:
            audit.record(session, AuditAction.SEARCHED_OTHERS, user.actor(), subject)

    @property
    def reach(self) -> Reach:
        """What may be read for people of the page: off the local machine only folders that the
        settings allow, and uploads. An editor of videos must not read the server's disk.
        """
        settings = self.settings
        named = [*settings.ui_folders, *settings.roots.values()] if self.sign_in else []
        allowed = named or settings.ui_folders
        if not allowed and not self.sign_in:
            return EVERYTHING
        return Reach.of([*allowed, settings.uploads, settings.home_path / "demo"])

    @property
    def uploads_reach(self) -> Reach:
        """Where uploads lie."""
        return Reach.of([self.settings.uploads])

    def reach_of(self, user: User, collection: str) -> Reach:
        """What the user may add to the collection: who sees some collections only, what lies in
        the folders of that one, and nothing from folders that belong to others alone.
        """
        if user.collection_ids is None:
            return self.reach
        with self.library.catalog.read() as session:
            own, others = folders.folders_of(session, collection)
        return Reach.of([folder for folder in own if self.reach.holds(folder)], others)

    def give_folder(self, user: User, collection: str, folder: Path) -> None:
        """What somebody who sees all adds to a collection belongs to it from then on."""
        if user.collection_ids is not None:
            return
        with self.library.catalog.begin() as session:
            collection_id = collections.ensure_collection(session, collection)
            folders.add_folder(session, collection_id, str(folder))


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
