"""Vision-language models that read windows of a video: LEGO, any behind an endpoint, or Qwen3-VL
kinds from a folder.

Models are loaded when first used: what they need is heavy, or an extra.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.grounder import endpoint, qwen, qwen_model

__getattr__, __dir__, __all__ = attach(__name__, submodules=["endpoint", "qwen", "qwen_model"])
