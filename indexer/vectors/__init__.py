"""Nearest segments and passages to a question: the protocol, and FAISS snapshots of SQL's rows.

What imports FAISS is loaded when first used: a small library is searched without it.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.vectors import build, faiss_rows

__getattr__, __dir__, __all__ = attach(__name__, submodules=["build", "faiss_rows"])
