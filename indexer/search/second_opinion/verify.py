"""A grounder looks at the best moments again: two shifted windows around each, one question, and
the rule that decides whose span is shown.
"""

from __future__ import annotations

from dataclasses import replace

from indexer.context import Context
from indexer.errors import ModelError, SeekpointError, UsageError
from indexer.grounder.configured import load_grounder
from indexer.media.files import MediaFiles
from indexer.search.second_opinion.refinement import second_opinion, with_opinion
from indexer.search.second_opinion.verify_by_workers import not_verified, verify_by_workers
from indexer.search.types import Answer

VERIFIED_MOMENTS = 3


def verify(context: Context, answer: Answer, count: int = VERIFIED_MOMENTS) -> Answer:
    """The answer with the grounder's opinion beside its first `count` moments; what it cannot
    judge stays, and a note says why.

    Where workers have a grounder and this machine does not, they are asked.
    """
    if context.settings.broker_url and not context.settings.grounder_kind:
        return verify_by_workers(context, answer, count)
    try:
        name = load_grounder(context.settings).name
    except (ModelError, UsageError) as error:
        return replace(answer, notes=(*answer.notes, error.full_message))
    moments = list(answer.moments)
    notes = list(answer.notes)
    with MediaFiles(context.settings) as media:
        for place, moment in enumerate(moments[:count]):
            try:
                asked = moment.statement or answer.query
                opinion = second_opinion(context, media, asked, moment.video_id, moment.span)
            except SeekpointError as error:
                notes.append(not_verified(name, place, error))
            else:
                moments[place] = with_opinion(
                    moment, opinion, replaces=context.settings.grounder_replaces
                )
    return replace(answer, moments=tuple(moments), notes=tuple(notes))
