"""A question in words or a picture, made into what embedders and texts can be searched with.

What reads pictures is loaded when first used: a question in words must not wait for it.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.questions import query_pictures

__getattr__, __dir__, __all__ = attach(__name__, submodules=["query_pictures"])
