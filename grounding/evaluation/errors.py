"""What stops an evaluation."""

from __future__ import annotations


class EvaluationError(ValueError):
    """Answers and truth that do not belong together, or a program that is missing. Says what to do."""
