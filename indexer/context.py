"""What the parts of the indexer share: settings, catalog, artefacts, roots, models and indexes.

Everything is made when it is first needed, so a context costs nothing to make. It may be shared
between threads; after a fork the child makes one of its own.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.artefacts import Artefacts
from indexer.catalog.database.session import Catalog
from indexer.catalog.objects.frame_store import FrameStore
from indexer.catalog.tables.library import SEGMENT_STAGES
from indexer.catalog.vectors.served_keys import list_vector_keys
from indexer.catalog.vectors.vector_rows import dimension_of
from indexer.embedders.registry import load_embedder
from indexer.embedders.sound.sound_classes import CLASSES
from indexer.embedders.text.mapped_weights import UnpackedWeights
from indexer.errors import MediaError
from indexer.passages.text_space import TextSpace, text_space
from indexer.paths import Roots, make_private_file, make_private_folder
from indexer.process.threads import wait_asleep
from indexer.settings import Settings, load_settings
from indexer.stages.base import embedder_key_of
from indexer.vectors.open_index import open_index
from indexer.vocabulary import StageName

if TYPE_CHECKING:
    from indexer.catalog.videos import VideoRow
    from indexer.embedders.base import Embedder
    from indexer.stages.base import Stage
    from indexer.vectors.base import VectorIndex


class Context:
    """One library's resources. Closing is not needed; the process's end releases all of it."""

    def __init__(self, settings: Settings | None = None) -> None:
        wait_asleep()
        self.settings = settings or load_settings()
        UnpackedWeights.folder = self.settings.cache
        self.artefacts = Artefacts(self.settings.artefacts)
        self.roots = Roots.of(self.settings)
        self._lock = threading.RLock()
        self._catalog: Catalog | None = None
        self._indexes: dict[str, VectorIndex] = {}

    @property
    def catalog(self) -> Catalog:
        """The database, opened and (a SQLite file) brought to this version when first used.

        Raises CatalogError, StorageError.
        """
        with self._lock:
            if self._catalog is None:
                settings = self.settings
                frames = settings.frames_url
                catalog = Catalog(
                    settings.url,
                    frames=FrameStore(frames, settings.s3_endpoint) if frames else None,
                    read_url=settings.database_read_url,
                    read_lag_s=settings.database_read_lag_s,
                ).open()
                self._close_to_others(catalog)
                self._catalog = catalog
            return self._catalog

    def _close_to_others(self, catalog: Catalog) -> None:
        """Homes of older versions could be read by all who have an account on the machine."""
        home, file = self.settings.home_path, catalog.sqlite_path
        known = (home / "catalog.sqlite", home / "ui_secret", home / "uploads")
        with contextlib.suppress(OSError):  # somebody else's: theirs to close
            if home.exists():
                make_private_folder(home, is_ours=any(path.exists() for path in known))
            for path in (file, *(Path(f"{file}{suffix}") for suffix in ("-wal", "-shm"))):
                if path is not None and path.exists():
                    make_private_file(path)

    @property
    def embedder(self) -> Embedder:
        """The embedder that the settings name. Raises ModelError where it is not installed."""
        return load_embedder(self.settings)

    @property
    def text_space(self) -> TextSpace:
        """The space of passages that the settings name. Raises ModelError where its model is not
        there.
        """
        return text_space(self.settings)

    # --- vectors ---

    def vector_keys(self) -> list[tuple[str, str]]:
        """(stage, key) of all vectors that are served: of segments in any space, of passages in
        the space that is in use.
        """
        with self.catalog.read() as session:
            keys = list_vector_keys(session)
        return [
            (stage, key)
            for stage, key in keys
            if stage in SEGMENT_STAGES or embedder_key_of(key) == self.text_space.key
        ]

    def index_for(self, key: str, stage: str = StageName.PICTURE) -> VectorIndex:
        """The vector index of segments in the space of the installed embedder, or of passages
        under the key of another stage. It follows the catalog by itself.
        """
        with self._lock:
            if key not in self._indexes:
                self._indexes[key] = open_index(
                    self.catalog, key, self._dimension_of(stage), self.settings, stage=stage
                )
            return self._indexes[key]

    def _dimension_of(self, stage: str) -> int:
        if stage == StageName.PICTURE:
            return self.embedder.dimension
        return CLASSES if stage == StageName.SOUND else self.text_space.dimension

    def index_of(self, key: str, stage: str = StageName.PICTURE) -> VectorIndex:
        """As `index_for`, also for segments of another embedder than the installed one."""
        if stage != StageName.PICTURE or embedder_key_of(key) == self.embedder.key:
            return self.index_for(key, stage)
        with self.catalog.read() as session:
            dimension = dimension_of(session, key) or 0
        return open_index(self.catalog, key, dimension, self.settings)

    # --- stages ---

    @property
    def events_by_default(self) -> bool:
        """Whether ingest describes every window without being asked: with a model of this
        machine's own on a GPU. An endpoint may cost money.
        """
        own = self.settings.grounder_kind in ("lego", "transformers")
        return own and self.settings.torch_device.startswith("cuda")

    def stages(
        self, *, fast: bool = False, adaptive: bool | None = None, events: bool | None = None
    ) -> list[Stage]:
        """The stages that the settings ask for. `adaptive` None: as the setting says. `events`
        None: where a checkpoint is configured and the device is a GPU. Raises ModelError where a
        model is missing.
        """
        wanted = self.events_by_default if events is None else events
        from indexer.stages.configured import configured_stages

        return configured_stages(
            self.settings,
            lambda: self.embedder,
            fast=fast,
            adaptive=self.settings.adaptive if adaptive is None else adaptive,
            events=wanted,
        )

    # --- files ---

    def path_text(self, root: str, relative_path: str) -> str:
        """Where this machine finds a file; `root:path` where it does not know the root."""
        if root in self.roots.folders:
            return str(self.roots.join(root, relative_path))
        return f"{root}:{relative_path}"

    def shown_path(self, video: VideoRow) -> str:
        """The first path of a video that is not offline, as this machine finds it; empty where it
        has none.
        """
        paths = sorted(video.paths, key=lambda path: path.offline)
        return self.path_text(paths[0].root, paths[0].relative_path) if paths else ""

    def find_path(self, video: VideoRow) -> Path | None:
        """A path at which the bytes of the video are now; None where there is none."""
        known = (
            self.roots.join(path.root, path.relative_path)
            for path in video.paths
            if path.root in self.roots.folders
        )
        return next((path for path in known if os.path.exists(path)), None)

    def path_of(self, video: VideoRow) -> Path:
        """A path at which the bytes of the video are now; MediaError where there is none."""
        if (path := self.find_path(video)) is not None:
            return path
        raise MediaError(
            "the file of video {video_id} is not at {places}",
            "bring it back, or ingest the folder that it was moved to",
            video_id=video.id,
            places=", ".join(self.path_text(path.root, path.relative_path) for path in video.paths),
        )
