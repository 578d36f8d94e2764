"""LEGO looks at the best moments again: two shifted windows around each, one question, and the rule
that decides whose span is shown.
"""

from __future__ import annotations

from dataclasses import replace

from grounding.errors import LegoError
from indexer.context import Context
from indexer.errors import ModelError, SeekpointError
from indexer.grounder.lego import load_lego
from indexer.media.files import MediaFiles
from indexer.search.second_opinion.refinement import refine_span, with_opinion
from indexer.search.second_opinion.verify_by_workers import not_verified, verify_by_workers
from indexer.search.types import Answer

VERIFIED_MOMENTS = 3


def verify(context: Context, answer: Answer, count: int = VERIFIED_MOMENTS) -> Answer:
    """The answer with LEGO's opinion beside its first `count` moments; what LEGO cannot judge
    stays, and a note says why.

    Where workers have LEGO and this machine does not, they are asked.
    """
    if context.settings.broker_url and not context.settings.lego_path:
        return verify_by_workers(context, answer, count)
    try:
        load_lego(context.settings)
    except ModelError as error:
        return replace(answer, notes=(*answer.notes, error.full_message))
    moments = list(answer.moments)
    notes = list(answer.notes)
    with MediaFiles(context.settings) as media:
        for place, moment in enumerate(moments[:count]):
            try:
                asked = moment.statement or answer.query
                refined = refine_span(context, media, asked, moment.video_id, moment.span)
            except (SeekpointError, LegoError, RuntimeError) as error:
                # A question that LEGO cannot be asked; no memory left on a GPU.
                notes.append(not_verified(place, error))
            else:
                moments[place] = with_opinion(
                    moment, refined, replaces=context.settings.lego_replaces
                )
    return replace(answer, moments=tuple(moments), notes=tuple(notes))
