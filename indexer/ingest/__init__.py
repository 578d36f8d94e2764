"""Files become searchable.

What the library calls of it is loaded when first used: a search must not wait for it.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.ingest import events_note, run

__getattr__, __dir__, __all__ = attach(__name__, submodules=["events_note", "run"])
