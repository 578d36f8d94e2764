"""Models: which there are, and how to get them.

What the library calls of it is loaded when first used: a search must not wait for it.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.admin.models import download, states

__getattr__, __dir__, __all__ = attach(__name__, submodules=["download", "states"])
