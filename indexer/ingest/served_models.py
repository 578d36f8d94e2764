"""Which models a library is served with, and who would plan with another: what is planned with
another embedder than the others search with is never found by them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing.processes import LiveProcess, list_live
from indexer.catalog.vectors.served_keys import list_picture_keys
from indexer.catalog.videos import VideoRow
from indexer.errors import ModelError
from indexer.messages import Message
from indexer.stages.base import Stage, embedder_key_of
from indexer.vocabulary import StageName


@dataclass(frozen=True, slots=True)
class ServedModel:
    """`key`: of the model and how it samples; `videos`: how many are served with it."""

    stage: str
    key: str
    videos: int


def count_served(videos: Iterable[VideoRow]) -> tuple[ServedModel, ...]:
    """The models of each stage, those of most videos first."""
    counts = Counter(
        (str(stage), key) for video in videos for stage, key in video.keys.items() if key
    )
    found = [ServedModel(stage, key, count) for (stage, key), count in counts.items()]
    order = {str(stage): number for number, stage in enumerate(StageName)}
    return tuple(sorted(found, key=lambda one: (order.get(one.stage, 99), -one.videos, one.key)))


def served_embedder(s: Session) -> str | None:
    """The embedder of most videos; None: nothing is served yet."""
    keys = list_picture_keys(s)
    return embedder_key_of(keys[0]) if keys else None


def list_others(s: Session) -> list[LiveProcess]:
    """Processes that live and plan with another embedder than most videos are served with."""
    served = served_embedder(s)
    if served is None:
        return []
    return [process for process in list_live(s) if _embedder(process) not in (None, served)]


def _embedder(process: LiveProcess) -> str | None:
    key = process.models.get(StageName.PICTURE)
    return None if key is None else embedder_key_of(key)


def others_note(s: Session) -> Message | None:
    """What whoever adds files is told of processes that plan with another embedder."""
    others = list_others(s)
    if not others:
        return None
    values = {
        "processes": ", ".join(process.owner for process in others),
        "embedder": served_embedder(s) or "",
    }
    return Message(
        "{processes} would plan with another embedder than {embedder}, which the library is served "
        "with: give all machines the same SEEKPOINT_EMBEDDER and SEEKPOINT_EMBEDDER_PATH",
        values,
    )


def require_served_embedder(catalog: Catalog, stages: Sequence[Stage]) -> None:
    """Raises ModelError where these stages would plan with another embedder than most videos are
    served with.
    """
    own = next((embedder_key_of(one.key) for one in stages if one.name == StageName.PICTURE), None)
    with catalog.read() as session:
        served = served_embedder(session)
    if own is None or served in (None, own):
        return
    raise ModelError(
        "the library is served with the embedder {served}, and this process has {own}: what it "
        "planned would not be found by the others",
        "set SEEKPOINT_EMBEDDER and SEEKPOINT_EMBEDDER_PATH as the others; or, to compute "
        "everything anew with {own}, say `seekpoint ingest --change-model` (workers: "
        "SEEKPOINT_CHANGE_MODEL=1)",
        served=served,
        own=own,
    )
