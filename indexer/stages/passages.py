"""The stages that find text. What they have in common: each passage gets a vector of its meaning,
and all are stored at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.catalog.passages import NewPassage, commit_passages
from indexer.media.decode.frames import Sampling
from indexer.messages import NOTHING, Message
from indexer.passages.base import Passage
from indexer.passages.text_space import TextSpace, text_space
from indexer.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class PassageStage:
    """A stage has a `model_key` and finds passages; here they are given their vectors and
    committed.
    """

    __slots__ = ()
    settings: Settings

    @property
    def key(self) -> str:
        """`MEANING/MODEL`: as with pictures, vectors are comparable when what stands before the
        last slash is equal.
        """
        return f"{text_space(self.settings).key}/{self.model_key}"

    @property
    def better_key(self) -> str | None:
        """None: there is one way to do it."""
        return None

    @property
    def model_key(self) -> str:
        """Identity of the model that finds the text, and of its sampling."""
        raise NotImplementedError

    @property
    def sampling(self) -> Sampling | None:
        """None: most read for themselves."""
        return None

    @property
    def reads_sound(self) -> bool:
        """False: most take no sound."""
        return False

    def changed_s(self, path: Path) -> float:
        """0: most depend on the video alone."""
        del path
        return 0.0

    def find(self, item: ClaimedTask, read: Any) -> list[Passage]:
        """The passages of a chunk, from what was read of it."""
        raise NotImplementedError

    def compute(self, item: ClaimedTask, read: Any) -> list[NewPassage]:
        """The passages with their vectors."""
        return with_meaning(self.find(item, read), text_space(self.settings))

    def commit(
        self,
        session: Session,
        item: ClaimedTask,
        owner: str,
        result: Sequence[NewPassage],
        seconds: float,
    ) -> bool:
        """Stores them."""
        return commit_passages(session, item.task_id, owner, result, seconds)

    def damage(self, result: Sequence[NewPassage]) -> Message:
        """Empty: nothing is noted."""
        del result
        return NOTHING


def with_meaning(passages: Sequence[Passage], space: TextSpace) -> list[NewPassage]:
    """Those whose script no sentence model reads are stored without a vector, and found by their
    words.
    """
    read = [passage.text for passage in passages if space.reads(passage.text)]
    vectors = iter(space.embed_passages(read)) if read else iter(())
    return [
        NewPassage(
            passage.kind,
            passage.span,
            passage.text,
            passage.language,
            passage.confidence,
            tuple((word.start_s, word.end_s, word.text) for word in passage.words or ()),
            **(
                {"vector": next(vectors), "vector_key": space.key}
                if space.reads(passage.text)
                else {}
            ),
        )
        for passage in passages
    ]
