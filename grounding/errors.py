"""What can be wrong. Each error is a ValueError whose text names the thing, its value and what to
do.
"""

from __future__ import annotations


class GroundingError(ValueError):
    """Base of the errors of `grounding`."""


class DataError(GroundingError):
    """A file of data or a setting that cannot be used."""


class EvaluationError(GroundingError):
    """Answers and truth that do not belong together, or a program that is missing."""


class TrainingError(GroundingError):
    """A setting, a checkpoint or a machine that a training run cannot go on with."""


class LegoError(GroundingError):
    """Base of the errors about a checkpoint, a prompt or its media."""


class CheckpointError(LegoError):
    """A folder that holds no LEGO checkpoint, or one that does not fit the model completely."""


class MediaError(LegoError):
    """An image, clip or sound of a size or kind that the model cannot read."""


class PromptError(LegoError):
    """A prompt whose placeholders and media do not belong together."""
