"""Seekpoint for other programs: `Client` asks a server, `Library` is the library itself; both have
the same verbs.
"""

from indexer.library import Library
from seekpoint.client import Client

__all__ = ["Client", "Library"]
