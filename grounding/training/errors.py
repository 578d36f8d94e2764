"""What can be wrong with a training run. Says which, the value, and what to do."""

from __future__ import annotations


class TrainingError(ValueError):
    """A setting, a checkpoint or a machine that a run cannot go on with."""
