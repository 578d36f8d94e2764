"""What people said of answers, as ground truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from grounding.spans import Span
from indexer.admin.videos import videos_of
from indexer.catalog import collections as collection_queries
from indexer.catalog.people.feedback import FeedbackRow, list_feedback
from indexer.context import Context
from indexer.errors import UsageError
from indexer.evaluation.ground_truth import Row

KIND = "feedback"


def feedback_rows(context: Context, collections: Sequence[str]) -> list[Row]:
    """A row for each question and video with a span of which more people said that it shows what
    was asked than that it does not. A span that is only known to be wrong says nothing about where
    the right one is, so it is no row. Raises UsageError where there is no row.
    """
    with context.catalog.read() as session:
        ids = collection_queries.find_collections(session, list(collections))
        votes = list_feedback(session, ids)
    windows = _good_spans(votes)
    videos = videos_of(context, list({video_id for _, video_id in windows}))
    names = {video.video_id: Path(video.paths[0].path).name for video in videos if video.paths}
    rows = [
        Row(names[video_id], question, tuple(sorted(spans)), kind=KIND)
        for (question, video_id), spans in windows.items()
        if video_id in names
    ]
    if not rows:
        raise UsageError(
            "nobody has said yet which answers in {collections} are right",
            "thumbs up on the page or through the API say so",
            collections=", ".join(collections),
        )
    return rows


def _good_spans(feedback: Sequence[FeedbackRow]) -> dict[tuple[str, int], list[Span]]:
    votes: dict[tuple[str, int, Span], int] = defaultdict(int)
    for one in feedback:
        votes[one.question, one.video_id, one.span] += 1 if one.good else -1
    windows: dict[tuple[str, int], list[Span]] = defaultdict(list)
    for (question, video_id, span), balance in votes.items():
        if balance > 0:
            windows[question, video_id].append(span)
    return windows
