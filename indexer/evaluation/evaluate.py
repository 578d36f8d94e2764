"""Asks a library the rows of a ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from grounding.spans import ScoredSpan
from indexer.admin.videos import Video, list_videos
from indexer.context import Context
from indexer.errors import UsageError
from indexer.evaluation import scoring
from indexer.evaluation.ground_truth import Row, load_rows
from indexer.evaluation.report import Report
from indexer.evaluation.scoring import RANKED_MOMENTS, Found
from indexer.grounder.configured import require_grounder
from indexer.media.files import MediaFiles
from indexer.search.scope import make_scope
from indexer.search.searcher import Searcher
from indexer.search.second_opinion.refinement import second_opinion


def evaluate_library(
    context: Context,
    searcher: Searcher,
    ground_truth: Path | Sequence[Row],
    collections: Sequence[str],
    only: Iterable[str] | None,
    wrap: Callable[[Sequence[Row]], Iterable[Row]],
    *,
    ground: bool = False,
) -> Report:
    """With `ground`, the grounder looks at the first span of each given video: `lego_*` score its
    own span, `refined_*` the one of the rule.
    """
    if ground:
        require_grounder(context.settings)
    rows = load_rows(ground_truth) if isinstance(ground_truth, Path) else list(ground_truth)
    videos = {_name(video): video for video in list_videos(context, collections) if video.paths}
    missing = sorted({row.video for row in rows if row.video or row.windows} - videos.keys())
    if missing:
        shown = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise UsageError(
            "{missing} videos of the ground truth are not in the collection "
            "{collection!r}: {shown}",
            "ingest them first",
            missing=len(missing),
            collection=", ".join(collections),
            shown=shown,
        )
    base = make_scope(context, list(collections), only=only)

    def search(query: str, without: frozenset[str]) -> scoring.Answer:
        scope = base
        if without:
            # Asked as a selection of the others, so that a masked video takes no place among the
            # candidates.
            others = tuple(v.video_id for name, v in videos.items() if name not in without)
            scope = replace(base, video_ids=others)
        answer = searcher.search(query, scope, top=RANKED_MOMENTS)
        if (
            answer.notes and not answer.moments and not without
        ):  # all of it is there for another model: zeros would mislead
            raise UsageError(
                "nothing in the collection {collection!r} can be searched",
                answer.notes[0],
                collection=", ".join(collections),
            )
        found = tuple(
            Found(Path(moment.path).name, moment.span, moment.score) for moment in answer.moments
        )
        return scoring.Answer(found, answer.confidence)

    def spans_of(query: str, video: str) -> Sequence[ScoredSpan]:
        return searcher.spans_in_video(query, videos[video].video_id)

    durations = {name: video.duration_s for name, video in videos.items()}
    with MediaFiles(context.settings) as media:

        def judge(query: str, video: str, span: ScoredSpan) -> scoring.Judged:
            opinion = second_opinion(context, media, query, videos[video].video_id, span.span)
            refined = opinion.refined
            return scoring.Judged(refined.grounded, refined.span, refined.accepted)

        return scoring.evaluate(
            rows, search, spans_of, judge=judge if ground else None, durations=durations, wrap=wrap
        )


def _name(video: Video) -> str:
    return Path(video.paths[0].path).name if video.paths else ""
