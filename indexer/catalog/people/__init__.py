"""What people keep and may see. Each module is loaded when first used: a search needs none."""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.catalog.people import (
        alerts,
        feedback,
        folders,
        moment_lists,
        owner,
        saved_searches,
        sessions,
        shared_links,
        sign_in_attempts,
        tokens,
        uploads,
    )

__getattr__, __dir__, __all__ = attach(
    __name__,
    submodules=[
        "alerts",
        "feedback",
        "folders",
        "moment_lists",
        "owner",
        "saved_searches",
        "sessions",
        "shared_links",
        "sign_in_attempts",
        "tokens",
        "uploads",
    ],
)
