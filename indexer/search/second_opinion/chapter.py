"""The grounder names a part of a video."""

from __future__ import annotations

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.passages import list_passages
from indexer.context import Context
from indexer.grounder.base import read_window
from indexer.grounder.configured import load_grounder
from indexer.media.files import MediaFiles
from indexer.vocabulary import EvidenceKind

WORDS = (EvidenceKind.SPEECH, EvidenceKind.SCREEN)


def name_chapter(context: Context, video_id: int, span: Span) -> str:
    """A title of a few words, from pictures spread over the part and from what is said and written
    in it. Raises ModelError, MediaError, CatalogError.
    """
    grounder = load_grounder(context.settings)
    with context.catalog.read() as session:
        path = context.path_of(videos.get_video(session, video_id))
        passages = list_passages(session, video_id)
    words = [
        passage.text
        for passage in passages
        if passage.kind in WORDS and passage.span.overlap_s(span) > 0
    ]
    with MediaFiles(context.settings) as media:
        window = read_window(media, path, span, grounder.frames)
    return grounder.name_chapter(window, "\n".join(words))
