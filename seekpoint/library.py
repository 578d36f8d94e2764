"""The library of this machine, beside the client of a server."""

from indexer.library import Library

__all__ = ["Library"]
