"""Which embedders there are, what each needs, and one loaded instance of each per process."""

from __future__ import annotations

import threading

from indexer.embedders.base import Embedder
from indexer.errors import UsageError
from indexer.settings import Settings

_loaded: dict[tuple, Embedder] = {}
_lock = threading.Lock()


def load_embedder(settings: Settings, name: str | None = None) -> Embedder:
    """The embedder that the settings name (or `name`), loaded once per process for each way to compute."""
    name = name or settings.embedder
    wanted = (name, settings.embedder_path, settings.device, settings.dtype, settings.threads, settings.batch_size)
    with _lock:
        if wanted not in _loaded:
            _loaded[wanted] = _load(settings, name)
        return _loaded[wanted]


def _load(settings: Settings, name: str) -> Embedder:
    if name == "demo":
        from indexer.embedders.demo import DemoEmbedder

        return DemoEmbedder()
    if name == "lite":
        from indexer.embedders.lite import LiteEmbedder

        return LiteEmbedder(settings)
    raise UsageError(f"There is no embedder {name!r}", "SEEKPOINT_EMBEDDER takes lite or demo")
