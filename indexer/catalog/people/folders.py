"""Folders that belong to collections."""

from __future__ import annotations

from pathlib import Path as FilePath

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import insert_or_ignore
from indexer.catalog.tables.library import Collection, CollectionFolder


def add_folder(s: Session, collection_id: int, path: str) -> None:
    """The files of the folder belong to the collection from now on."""
    values = {"collection_id": collection_id, "path": path}
    s.execute(insert_or_ignore(s, CollectionFolder, tuple(values)), values)


def folders_of(s: Session, collection: str) -> tuple[list[FilePath], list[FilePath]]:
    """Folders of the collection, and those that belong to others and not to it as well."""
    rows = s.execute(
        select(CollectionFolder.path, Collection.name).join(
            Collection, Collection.id == CollectionFolder.collection_id
        )
    ).all()
    own = {path for path, name in rows if name == collection}
    # Who has a folder has what is below it, but not what was given to others alone.
    others = {path for path, name in rows if name != collection} - own
    return [FilePath(path) for path in sorted(own)], [FilePath(path) for path in sorted(others)]
