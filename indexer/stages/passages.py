"""The stages that find text: what they have in common is how it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from indexer.catalog import rows
from indexer.catalog.rows import NewPassage
from indexer.catalog.work import WorkItem
from indexer.passages.base import Passage

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class PassageStage:
    """Commits lists of passages."""

    __slots__ = ()

    def commit(self, session: Session, item: WorkItem, owner: str, result: Sequence[Passage], seconds: float) -> bool:
        return rows.commit_passages(session, item.work_id, owner, [_new(passage) for passage in result], seconds)

    def damage(self, result: Sequence[Passage]) -> str:
        del result
        return ""


def _new(passage: Passage) -> NewPassage:
    words = tuple((word.start_s, word.end_s, word.text) for word in passage.words or ())
    return NewPassage(passage.kind, passage.span, passage.text, passage.language, passage.confidence, words)
