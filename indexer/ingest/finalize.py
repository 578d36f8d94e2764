"""What follows when the work of a video, or of a whole ingest, is done."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from indexer.artefacts import Artefacts
from indexer.catalog import videos
from indexer.catalog.database.session import Catalog
from indexer.catalog.finalize import finalize_video as finalize_rows
from indexer.catalog.objects.upkeep import sweep_objects
from indexer.catalog.video_paths import KnownPath, set_offline
from indexer.ingest.discover import FoundFile
from indexer.paths import Roots, absolute_path, printable


def finalize_video(catalog: Catalog, artefacts: Artefacts, video_id: int) -> None:
    """Complete stages are served, the video is ready, and what it supersedes goes."""

    def finalize(session: Any) -> tuple[int, ...]:
        return finalize_rows(session, video_id).removed_video_ids

    remove_artefacts(catalog, artefacts, catalog.write(finalize))


def remove_artefacts(catalog: Catalog, artefacts: Artefacts, video_ids: Iterable[int]) -> None:
    """Thumbnails, copies for browsers and objects, of videos that are no more."""
    listed = list(video_ids)
    for video_id in listed:
        artefacts.remove_video(video_id)
    if catalog.frames is not None:
        catalog.frames.delete_videos(listed)


def remove_orphans(catalog: Catalog, artefacts: Artefacts) -> list[int]:
    """Removes the artefacts of videos that are no more, which a process left that died between
    commit and clean-up. Returns the numbers of these videos.
    """
    sweep_objects(catalog)
    # The folders first: one that is made after this belongs to a video that is there.
    found = artefacts.video_ids()
    if not found:
        return []
    with catalog.read() as session:
        orphans = sorted(found - videos.all_ids(session))
    remove_artefacts(catalog, artefacts, orphans)
    return orphans


def mark_offline(
    catalog: Catalog,
    roots: Roots,
    paths: Sequence[str | os.PathLike[str]],
    files: Sequence[FoundFile],
    known: Mapping[tuple[str, str], KnownPath],
    forgotten: Collection[int] = (),
) -> tuple[str, ...]:
    """Known files below the paths that are not there any more: offline, still searchable. Returns
    their paths.
    """
    seen = {roots.split(file.path) for file in files}
    folders = [absolute_path(path) for path in paths]
    gone = []
    for (root, relative_path), entry in known.items():
        if (root, relative_path) in seen or entry.offline or entry.path_id in forgotten:
            continue
        if path := roots.find_vanished(root, relative_path, folders):
            gone.append((entry.path_id, printable(path)))
    with catalog.begin() as session:
        set_offline(session, [path_id for path_id, _ in gone], True)
    return tuple(name for _, name in gone)
