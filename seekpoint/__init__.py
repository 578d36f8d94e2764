"""Seekpoint for other programs: `Client` asks a server, `Library` is the library itself; both have
the same verbs. Each is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from seekpoint.client import Client
    from seekpoint.library import Library

__getattr__, __dir__, _ = attach(
    __name__, submod_attrs={"client": ["Client"], "library": ["Library"]}
)

__all__ = ["Client", "Library"]
