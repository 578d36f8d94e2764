"""Collections: named sets of videos."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import (
    count_changed,
    insert_or_ignore,
    is_sqlite,
    now_s,
)
from indexer.catalog.database.text_normalize import normalize
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import Collection, Video
from indexer.errors import CatalogError, UsageError
from indexer.vocabulary import VideoState

JOINERS = "\u200c\u200d"
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """`videos`, `duration_s` and `size_bytes` count all videos; `ready` and `failed` those in that
    state.
    """

    id: int
    name: str
    created_at: datetime
    videos: int
    ready: int
    failed: int
    duration_s: float
    size_bytes: int


def ensure_collection(s: Session, name: str) -> int:
    """Id of the collection `name`, made when there is none."""
    name = name.strip()
    if sanitize_text(name) == name:  # one of an older version may have any other name
        found = s.scalar(select(Collection.id).where(Collection.name == name))
        if found is not None:
            return found
    name = collection_name(name)
    s.execute(insert_or_ignore(s, Collection, ("name",)), {"name": name, "created_at": utc_now()})
    return s.scalars(select(Collection.id).where(Collection.name == name)).one()


def collection_name(name: str) -> str:
    """The name as it is kept: one line in one form of Unicode (NFC), so that what looks the same
    is the same. Raises UsageError.
    """
    plain = normalize("NFC", name).strip()
    if not plain:
        raise UsageError("a collection needs a name", "choose one with --collection NAME")
    if len(plain) > LONGEST_NAME or not _is_one_line(plain):
        raise UsageError(
            "{name!r} cannot be the name of a collection",
            "choose one line of text in UTF-8, of up to {longest} characters",
            name=plain[: LONGEST_NAME + 1],
            longest=LONGEST_NAME,
        )
    return plain


def _is_one_line(text: str) -> bool:
    """Spaces of any script, and the joiners that scripts and emoji need, are part of a name."""
    return all(c.isprintable() or c in JOINERS or unicodedata.category(c) == "Zs" for c in text)


def find_collections(s: Session, names: Sequence[str]) -> list[int]:
    """Ids in the order of `names`. Raises CatalogError for an unknown name."""
    known = {name: id for id, name in s.execute(select(Collection.id, Collection.name))}
    names = [name if name in known else normalize("NFC", name) for name in names]
    for name in names:
        if name not in known:
            raise CatalogError(
                "there is no collection {name!r}",
                "choose from {names}" if known else "`seekpoint ingest` makes the first",
                name=name,
                names=", ".join(sorted(known)),
            )
    return [known[name] for name in names]


def list_collection_names(s: Session) -> list[tuple[int, str]]:
    """(id, name) of all collections by name; counts nothing, so it costs the same however many
    videos there are.
    """
    return [
        (id, name)
        for id, name in s.execute(select(Collection.id, Collection.name).order_by(Collection.name))
    ]


def list_collections(s: Session) -> list[CollectionInfo]:
    """All collections by name, empty ones too."""
    statement = (
        select(
            Collection.id,
            Collection.name,
            Collection.created_at,
            func.count(Video.id),
            func.count(case((Video.state == VideoState.READY, 1))),
            func.count(case((Video.state == VideoState.FAILED, 1))),
            func.coalesce(func.sum(Video.duration_s), 0.0),
            func.coalesce(func.sum(Video.size_bytes), 0),
        )
        .outerjoin(Video, Video.collection_id == Collection.id)
        .group_by(Collection.id)
        .order_by(Collection.name)
    )
    return [CollectionInfo(*row[:7], int(row[7])) for row in s.execute(statement)]


def set_language(s: Session, collection_id: int, language: str) -> None:
    """Notes what is mostly spoken in the collection (ISO 639-1); empty: it is not known.

    Raises UsageError for what is no code of a language.
    """
    code = language.strip().lower()
    if code and not re.fullmatch("[a-z]{2,3}", code):
        raise UsageError(
            "{language!r} is not a code of a language",
            "give two letters, such as en, de or zh",
            language=language,
        )
    s.execute(
        update(Collection).where(Collection.id == collection_id).values(language=code or None)
    )


def remove_collection(s: Session, collection_id: int) -> tuple[int, ...]:
    """Deletes the collection and all that was made from its videos; the ids of those videos, whose
    artefacts can go after the commit.
    """
    removed = tuple(s.scalars(select(Video.id).where(Video.collection_id == collection_id)))
    s.execute(delete(Collection).where(Collection.id == collection_id))
    return removed


def touch_last_claimed(s: Session, collection_id: int) -> None:
    """Notes that work of the collection was taken now. Who finds its row locked leaves it: another
    has just noted the same.
    """
    row = select(Collection.id).where(Collection.id == collection_id)
    if not is_sqlite(s):
        row = row.with_for_update(skip_locked=True)
    now = update(Collection).where(Collection.id == row.scalar_subquery())
    count_changed(s, now.values(last_claimed_s=now_s(s)))
