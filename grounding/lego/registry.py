"""The modalities of the published model, in the order in which their tokens were added. One line
adds another.
"""

from __future__ import annotations

from grounding.lego.audio import AudioModality
from grounding.lego.image import ImageModality
from grounding.lego.modality import Modality
from grounding.lego.video import VideoModality

MODALITIES: tuple[type[Modality], ...] = (
    ImageModality,
    VideoModality,
    AudioModality,
)
