"""What every data set is: a name, the files that it comes in, the tasks that its rows become, and a
reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grounding.datasets.annotations import Annotation
from grounding.errors import DataError
from grounding.records.record import OnSkip

Reader = Callable[[Sequence[Path], OnSkip], Iterator[Annotation]]


@dataclass(frozen=True, slots=True)
class DataSet:
    """One public set."""

    name: str
    stage: str
    """LEGO's stages of training that use it, or `test`."""
    sources: tuple[str, ...]
    """The files to name, in this order, as they are called where the set is published."""
    tasks: tuple[str, ...]
    """What its rows become; a row becomes one of those that fit it."""
    read: Reader
    media: str
    """What has to lie below the folder of its media."""
    several: bool = False
    """Any number of files of the one kind may be named."""
    split: str = ""
    """Which part is converted unless another is asked for; empty: the files hold one part only."""

    def check_sources(self, sources: Sequence[Path]) -> None:
        """Raises DataError unless the files are there, as many as the set comes in."""
        wanted = ", ".join(self.sources)
        if len(sources) != len(self.sources) and not (self.several and sources):
            raise DataError(
                f"{self.name} is read from {len(self.sources)} files ({wanted}), but "
                f"{len(sources)} "
                "were named"
            )
        for path in sources:
            if not path.exists():
                raise DataError(f"{path} does not exist; {self.name} is read from {wanted}")
