"""What can be wrong with a checkpoint, a prompt or its media. All are ValueErrors that name the
thing and the value.
"""

from __future__ import annotations


class LegoError(ValueError):
    """Base of the errors of this package."""


class CheckpointError(LegoError):
    """A folder that holds no LEGO checkpoint, or one that does not fit the model completely."""


class MediaError(LegoError):
    """An image, clip or sound of a size or kind that the model cannot read."""


class PromptError(LegoError):
    """A prompt whose placeholders and media do not belong together."""
