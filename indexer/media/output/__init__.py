"""Media files that are made: clips, copies for browsers, pictures.

What the library calls of it is loaded when first used: a search must not wait for it.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.media.output import clips

__getattr__, __dir__, __all__ = attach(__name__, submodules=["clips"])
