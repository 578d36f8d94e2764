"""Puts the tokens of media in place of their placeholders: each placeholder gets its own, in the
order of the prompt.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grounding.errors import PromptError


def placeholder_starts(ids: Tensor, placeholder: tuple[int, int, int], tokens: int) -> list[int]:
    """Positions of the first patch token of each placeholder in one row of ids `(T,)`.

    Raises PromptError where a start token is not followed by exactly `tokens` patches and the end
    token, or a patch stands alone.
    """
    patch, start, end = placeholder
    firsts = [int(i) + 1 for i in (ids == start).nonzero()]
    for first in firsts:
        after = ids[first : first + tokens + 1].tolist()
        if after != [patch] * tokens + [end]:
            count = next((i for i, token in enumerate(after) if token != patch), len(after))
            raise PromptError(
                "the placeholder at token {first} holds {count} patches and not {tokens} "
                "followed by its end token",
                first=first - 1,
                count=count,
                tokens=tokens,
            )
    strays = int((ids == patch).sum()) - tokens * len(firsts)
    if strays:
        raise PromptError(
            "{strays} patch tokens (id {patch}) stand outside a placeholder",
            strays=strays,
            patch=patch,
        )
    return firsts


def splice(embeds: Tensor, places: list[tuple[int, int]], features: list[Tensor]) -> Tensor:
    """A copy of `embeds` `(B, T, H)` with `features[i]` `(n, H)` written from (row, column)
    `places[i]` on; differentiable.
    """
    rows = torch.cat([torch.full((len(f),), row) for (row, _), f in zip(places, features)])
    columns = torch.cat(
        [torch.arange(first, first + len(f)) for (_, first), f in zip(places, features)]
    )
    where = (rows.to(embeds.device), columns.to(embeds.device))
    return embeds.index_put(where, torch.cat(features).to(embeds))
