"""Libraries of any size made from the frames of real videos, without reading a file again: all of
a collection, parts of it, videos joined to long mixed files, and photographs that stand for videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.frames import get_video_blocks
from indexer.catalog.vectors.vector_rows import iterate_vectors
from indexer.library import Library
from indexer.search.ranking import window_score
from indexer.search.types import Block

READ_CHUNKS = 64  # of a question, as indexer.search.candidates has it
BACKGROUND = 500  # segments, as indexer.search.searcher has it
PHOTOGRAPH_S = 4.0


@dataclass(frozen=True, slots=True)
class VideoFrames:
    """A video: its chunks, and the vectors (N, D) of its segments."""

    name: str
    blocks: tuple[Block, ...]
    segments: np.ndarray

    @property
    def length_s(self) -> float:
        """Seconds, to the end of its last chunk."""
        return max((block.end_s for block in self.blocks), default=0.0)


@dataclass(frozen=True)
class ArrayLibrary:
    """`files`: the videos. `parts`: where the real videos lie that they are made of, name -> (place
    among the files, seconds that it starts at, its length).
    """

    name: str
    files: tuple[VideoFrames, ...]
    parts: dict[str, tuple[int, float, float]]

    @cached_property
    def background(self) -> np.ndarray:
        """About as many segments of each file, as the catalog samples them (B, D)."""
        each = max(1, BACKGROUND // max(len(self.files), 1))
        sampled = [_spread(file.segments, each) for file in self.files]
        return np.concatenate([one for one in sampled if len(one)])[:BACKGROUND].astype(np.float32)

    @cached_property
    def blocks(self) -> list[Block]:
        """All chunks by number; the video of each is the place of its file."""
        return [
            replace(block, video_id=place, chunk_id=number)
            for number, (place, block) in enumerate(
                (place, block)
                for place, file in enumerate(self.files)
                for block in file.blocks
                if len(block.times_s)
            )
        ]

    def nearest(self, query: np.ndarray, without: str = "") -> list[Block]:
        """The chunks that a search would read, without those of a real video."""
        left = self._left(without) if without else self.blocks
        if len(self.blocks) <= READ_CHUNKS:
            return left
        scores = self._scores(query)
        return sorted(left, key=lambda block: -scores[block.chunk_id])[:READ_CHUNKS]

    def _left(self, without: str) -> list[Block]:
        place, start_s, length_s = self.parts[without]
        gone = Span(start_s, start_s + length_s)
        left = [
            _cut_out(block, gone) if block.video_id == place else block for block in self.blocks
        ]
        return [block for block in left if len(block.times_s)]

    def _scores(self, query: np.ndarray) -> np.ndarray:
        """How well each block answers (N,)."""
        curve = self._matrix @ query
        scores = curve[self._ends - 1]  # of a photograph, which is one frame
        for place, block in enumerate(self.blocks):
            if (frames := len(block.times_s)) > 1:
                end = self._ends[place]
                scores[place] = window_score(curve[end - frames : end])
        return scores

    @cached_property
    def _matrix(self) -> np.ndarray:
        """Frames of all blocks (N, D), float32."""
        return np.concatenate([block.vectors for block in self.blocks]).astype(np.float32)

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum([len(block.times_s) for block in self.blocks])


def read_collection(library: Library, collection: str) -> list[VideoFrames]:
    """The videos of a collection by name, as they are stored for the installed embedder."""
    found = []
    with library.catalog.read() as session:
        listed = library.videos([collection])
        keys = {v.video_id: videos.get_video(session, v.video_id).keys["picture"] for v in listed}
        for key in sorted(set(keys.values())):
            rows = list(iterate_vectors(session, key))
            for video in listed:
                if keys[video.video_id] != key:
                    continue
                blocks = tuple(
                    Block(
                        b.video_id,
                        b.chunk_id,
                        b.span.start_s,
                        b.span.end_s,
                        b.frames.times_s,
                        b.frames.vectors,
                        b.frames.cuts_s,
                    )
                    for b in get_video_blocks(session, video.video_id, key)
                )
                segments = [one.vectors[one.video_ids == video.video_id] for one in rows]
                name = video.paths[0].path.rpartition("/")[2]
                found.append(VideoFrames(name, blocks, np.concatenate(segments)))
    return sorted(found, key=lambda video: video.name)


def of_videos(name: str, files: Sequence[VideoFrames]) -> ArrayLibrary:
    """A library in which every video is a file of its own."""
    parts = {file.name: (place, 0.0, file.length_s) for place, file in enumerate(files)}
    return ArrayLibrary(name, tuple(files), parts)


def of_mixed_files(name: str, files: Sequence[VideoFrames], each: int) -> ArrayLibrary:
    """Files of `each` videos, one after the other."""
    joined, parts = [], {}
    for place, first in enumerate(range(0, len(files), each)):
        at_s, blocks = 0.0, []
        for file in files[first : first + each]:
            parts[file.name] = (place, at_s, file.length_s)
            blocks += [_later(block, at_s) for block in file.blocks]
            at_s += file.length_s
        segments = np.concatenate([file.segments for file in files[first : first + each]])
        joined.append(VideoFrames(f"mixed {place}", tuple(blocks), segments))
    return ArrayLibrary(name, tuple(joined), parts)


def with_photographs(library: ArrayLibrary, photographs: np.ndarray) -> ArrayLibrary:
    """The same library with photographs (R, D), each of which is a video."""
    empty = np.empty(0)
    more = [
        VideoFrames(
            "",
            (Block(0, 0, 0.0, PHOTOGRAPH_S, np.array([PHOTOGRAPH_S / 2]), one[None], empty),),
            one[None],
        )
        for one in photographs
    ]
    name = f"{library.name}, {len(photographs)} photographs"
    return ArrayLibrary(name, (*library.files, *more), library.parts)


def _later(block: Block, seconds: float) -> Block:
    """A block further on in a file; its start is a cut."""
    return replace(
        block,
        start_s=block.start_s + seconds,
        end_s=block.end_s + seconds,
        times_s=block.times_s + seconds,
        cuts_s=np.concatenate([[block.start_s], block.cuts_s]) + seconds,
    )


def _cut_out(block: Block, span: Span) -> Block:
    kept = (block.times_s < span.start_s) | (block.times_s >= span.end_s)
    return replace(block, times_s=block.times_s[kept], vectors=block.vectors[kept])


def _spread(segments: np.ndarray, count: int) -> np.ndarray:
    places = np.linspace(0, len(segments) - 1, min(count, len(segments))).round()
    return segments[places.astype(int)]


def drawn(
    random: np.random.Generator, files: Sequence[VideoFrames], count: int
) -> list[VideoFrames]:
    """`count` of the files in an order by chance."""
    return [files[place] for place in random.permutation(len(files))[:count]]
