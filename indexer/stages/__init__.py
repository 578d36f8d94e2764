"""The stages of a chunk behind one small interface; a new one is a class here and a line in
`configured_stages`.
"""

from indexer.stages.base import Source, Stage, embedder_key_of
from indexer.stages.configured import configured_stages, stages_named
from indexer.stages.picture import PictureStage

__all__ = [
    "PictureStage",
    "Source",
    "Stage",
    "configured_stages",
    "embedder_key_of",
    "stages_named",
]
