"""How good answers are, on questions whose true answers are known.

What the library calls of it is loaded when first used: a search must not wait for it.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.evaluation import evaluate, feedback, ground_truth, submissions

__getattr__, __dir__, __all__ = attach(
    __name__,
    submodules=[
        "evaluate",
        "feedback",
        "ground_truth",
        "submissions",
    ],
)
