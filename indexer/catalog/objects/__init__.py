"""Frame vectors outside the database, in object storage.

The client of S3 is loaded when first used: it is slow to start, and an extra.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.catalog.objects import s3

__getattr__, __dir__, __all__ = attach(__name__, submodules=["s3"])
