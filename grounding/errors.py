"""What can be wrong. Each error is a ValueError whose text names the thing, its value and what to
do.
"""

from __future__ import annotations

from typing import Any


class GroundingError(ValueError):
    """Base of the errors of `grounding`.

    `template` is the text in English with a named field (`str.format`) for each of `values`, so
    that whoever shows the error can look the template up in another language. Without values it is
    plain text.
    """

    def __init__(self, template: str, /, **values: Any) -> None:
        self.template = template
        self.values = {name: _plain(value) for name, value in values.items()}
        super().__init__(template.format(**self.values) if values else template)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.template, self.values, self.__dict__)


def _plain(value: Any) -> str | int | float:
    """Numbers as they are and anything else as its text, so that an error can be sent on."""
    return value if isinstance(value, int | float) else str(value)


def _again(
    kind: type[GroundingError], template: str, values: dict[str, Any], own: dict[str, Any]
) -> GroundingError:
    """The error as it was in another process, whatever its class takes to be made."""
    error = kind.__new__(kind)
    GroundingError.__init__(error, template, **values)
    error.__dict__.update(own)
    return error


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
