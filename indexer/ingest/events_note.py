"""How long a grounder would take for the events that wait to be asked for."""

from __future__ import annotations

from indexer.catalog.leasing.progress import get_progress
from indexer.context import Context
from indexer.errors import ModelError
from indexer.grounder.configured import require_grounder
from indexer.messages import Message
from indexer.stages.events import estimate_time


def events_note(context: Context) -> Message:
    """How long the grounder would take here for what has no events yet; empty where nothing
    waits.
    """
    try:
        require_grounder(context.settings)
    except ModelError as error:
        return error.full_message
    with context.catalog.read() as session:
        progress = get_progress(session)
    return estimate_time(progress, context.settings)
