"""All that was indexed, without ids and times of work: equal for equal libraries."""

from __future__ import annotations

from sqlalchemy import select

from indexer.catalog.tables.library import Chunk, ChunkTask, FrameBlockRow, Passage, Segment, Video
from indexer.library import Library

Row = tuple


def contents(library: Library) -> list[Row]:
    """(content hash, stage, key, span of the chunk) of each work that is done, with its frames,
    segments and passages, bit for bit.
    """
    with library.catalog.read() as s:
        tasks = s.execute(
            select(
                ChunkTask.id,
                Video.content_hash,
                ChunkTask.stage,
                ChunkTask.key,
                Chunk.start_s,
                Chunk.end_s,
                ChunkTask.state,
            )
            .join(Chunk, Chunk.id == ChunkTask.chunk_id)
            .join(Video, Video.id == ChunkTask.video_id)
        ).all()
        found = []
        for task_id, *place in tasks:
            frames = s.execute(
                select(
                    FrameBlockRow.times_s,
                    FrameBlockRow.cuts_s,
                    FrameBlockRow.vectors,
                    FrameBlockRow.count,
                    FrameBlockRow.dimension,
                ).where(FrameBlockRow.task_id == task_id)
            ).all()
            segments = s.execute(
                select(Segment.start_s, Segment.end_s, Segment.thumbnail_s, Segment.vector).where(
                    Segment.task_id == task_id
                )
            ).all()
            passages = s.execute(
                select(
                    Passage.kind, Passage.start_s, Passage.end_s, Passage.text, Passage.vector
                ).where(Passage.task_id == task_id)
            ).all()
            found.append(
                (
                    *place,
                    *(
                        tuple(sorted(tuple(row) for row in rows))
                        for rows in (frames, segments, passages)
                    ),
                )
            )
    return sorted(found)
