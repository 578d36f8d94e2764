"""The modalities of the published model, in the order in which their tokens were added. One line
adds another.
"""

from __future__ import annotations

from grounding.lego.model.audio import AudioModality
from grounding.lego.model.image import ImageModality
from grounding.lego.model.modality import Modality
from grounding.lego.model.video import VideoModality

MODALITIES: tuple[type[Modality], ...] = (
    ImageModality,
    VideoModality,
    AudioModality,
)
