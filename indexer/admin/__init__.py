"""Looking after a library: what it holds, what is wrong, what may go.

What the library calls of it is loaded when first used: a search must not wait for it.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.admin import (
        backup,
        doctor,
        export,
        local_actor,
        models,
        playback,
        removal,
        status,
        stills,
        uploads,
    )

__getattr__, __dir__, __all__ = attach(
    __name__,
    submodules=[
        "backup",
        "doctor",
        "export",
        "local_actor",
        "models",
        "playback",
        "removal",
        "status",
        "stills",
        "uploads",
    ],
)
