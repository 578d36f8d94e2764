"""The stages that find text. What they have in common: each passage gets a vector of its meaning,
and all are stored at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.catalog import rows
from indexer.catalog.leasing.chunk_tasks import WorkItem
from indexer.catalog.rows import NewPassage
from indexer.media.decode.frames import Sampling
from indexer.passages import text_embedding
from indexer.passages.base import Passage

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class PassageStage:
    """A stage has a `model_key` and finds passages; here they are given their vectors and
    committed.
    """

    __slots__ = ()

    @property
    def key(self) -> str:
        """`MEANING/MODEL`: as with pictures, vectors are comparable when what stands before the
        last slash is equal.
        """
        return f"{text_embedding.KEY}/{self.model_key}"

    @property
    def model_key(self) -> str:
        """Identity of the model that finds the text, and of its sampling."""
        raise NotImplementedError

    @property
    def sampling(self) -> Sampling | None:
        return None

    @property
    def reads_sound(self) -> bool:
        return False

    def changed_s(self, path: Path) -> float:
        del path
        return 0.0

    def find(self, item: WorkItem, read: Any) -> list[Passage]:
        raise NotImplementedError

    def compute(self, item: WorkItem, read: Any) -> list[NewPassage]:
        return with_meaning(self.find(item, read))

    def commit(
        self,
        session: Session,
        item: WorkItem,
        owner: str,
        result: Sequence[NewPassage],
        seconds: float,
    ) -> bool:
        return rows.commit_passages(session, item.work_id, owner, result, seconds)

    def damage(self, result: Sequence[NewPassage]) -> str:
        del result
        return ""


def with_meaning(passages: Sequence[Passage]) -> list[NewPassage]:
    """Those whose script no sentence model reads are stored without a vector, and found by their
    words.
    """
    read = [passage.text for passage in passages if text_embedding.reads(passage.text)]
    vectors = iter(text_embedding.embed_meaning(read)) if read else iter(())
    return [
        NewPassage(
            passage.kind,
            passage.span,
            passage.text,
            passage.language,
            passage.confidence,
            tuple((word.start_s, word.end_s, word.text) for word in passage.words or ()),
            **(
                {"vector": next(vectors), "vector_key": text_embedding.KEY}
                if text_embedding.reads(passage.text)
                else {}
            ),
        )
        for passage in passages
    ]
