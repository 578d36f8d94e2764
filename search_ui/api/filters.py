"""Which videos are meant, as parameters of an address."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field

from indexer.catalog.video_queries import Filters

# Days that every database can count with.
FIRST_DAY, LAST_DAY = date(1, 1, 2), date(9998, 12, 31)

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)] | None
Length = Annotated[float | None, Query(ge=0, le=1e9, allow_inf_nan=False)]


async def read_filters(
    recorded_from: Day = None,
    recorded_to: Day = None,
    shortest_s: Length = None,
    longest_s: Length = None,
    name: Annotated[
        str, Query(max_length=200, description="A piece of the title or the file's name")
    ] = "",
) -> Filters:
    """Days are in UTC, both included; a video without a date fits neither."""
    return Filters(recorded_from, recorded_to, shortest_s or 0.0, longest_s, name)


VideoFilters = Annotated[Filters, Depends(read_filters)]
