"""What every modality is: an encoder (frozen in all of LEGO's stages) and an adapter into the
language model's space.

To add a modality, write one class and add it to the tuple in `registry.py`, or to the one handed to
`LegoModel`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from grounding.errors import MediaError
from grounding.lego.model.config import LegoConfig


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The three added tokens that mark a medium in a prompt: `start`, then `patch` once for each of
    its tokens, then `end`.
    """

    patch: str
    start: str
    end: str

    def text(self, tokens: int) -> str:
        """What stands in a prompt for an item of that many tokens."""
        return f"{self.start}{self.patch * tokens}{self.end}"

    @property
    def tokens(self) -> tuple[str, str, str]:
        """Patch, start and end: the order in which they were added."""
        return self.patch, self.start, self.end


@dataclass(frozen=True, slots=True)
class Rename:
    """Published tensor names that begin with `published` are those of ours that begin with
    `own`.
    """

    published: str
    own: str
    inner: tuple[str, str] | None = None
    """A part of the rest of the name that differs as well: (published, own)."""

    def to_own(self, name: str) -> str | None:
        """Our name of a published tensor; None where this rename does not apply."""
        return self._swap(name, self.published, self.own, self.inner)

    def to_published(self, name: str) -> str | None:
        """The published name of one of our tensors; None where this rename does not apply."""
        return self._swap(
            name, self.own, self.published, (self.inner[1], self.inner[0]) if self.inner else None
        )

    @staticmethod
    def _swap(name: str, before: str, after: str, inner: tuple[str, str] | None) -> str | None:
        if not name.startswith(before):
            return None
        rest = name[len(before) :]
        return after + (rest.replace(*inner) if inner else rest)


class Modality(nn.Module, ABC):
    """Subclasses set the class variables, build `encoder` and `adapter`, and say what an item must
    look like.
    """

    name: ClassVar[str]
    marker: ClassVar[str]
    """What stands for an item in a training record and in a prompt template, for example `<video>`.
    """
    placeholder: ClassVar[Placeholder]
    renames: ClassVar[tuple[Rename, ...]] = ()
    """Published tensor names -> names inside this module."""
    unused: ClassVar[tuple[str, ...]] = ()
    """Regular expressions of published tensors that belong to this modality and that no output
    depends on.
    """
    external: ClassVar[tuple[Rename, ...]] = ()
    """Tensors that come from a checkpoint folder of their own."""

    encoder: nn.Module
    adapter: nn.Module

    def __init__(self, config: LegoConfig) -> None:
        super().__init__()
        self.config = config

    @property
    @abstractmethod
    def tokens(self) -> int:
        """Tokens that one item becomes in the prompt."""

    @abstractmethod
    def check(self, item: Tensor) -> None:
        """Raises MediaError unless `item` (without a batch dimension) has a shape that the encoder
        reads.
        """

    def train(self, mode: bool = True) -> Modality:
        """An encoder is frozen in every stage, so its dropout stays off while the rest trains."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, items: Tensor) -> Tensor:
        """`(B, *item)` -> `(B, tokens, hidden_size)`."""
        dtype = next(self.encoder.parameters()).dtype
        return self.adapter(self.encoder(items.to(dtype)))


def check_shape(what: str, item: Tensor, expected: Sequence[int | None]) -> None:
    """`None` in `expected` stands for any size of at least one."""
    fits = item.ndim == len(expected) and all(
        have == want if want is not None else have > 0 for have, want in zip(item.shape, expected)
    )
    if not fits:
        shape = ", ".join("any" if size is None else str(size) for size in expected)
        raise MediaError(
            "{what} has the shape {item_shape}; expected ({shape})",
            what=what,
            item_shape=tuple(item.shape),
            shape=shape,
        )
