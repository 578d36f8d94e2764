"""What Streamlit itself writes in its elements, by its English words: `{}` stands for a value.

The browser (components/frame.js) puts the translations in their places.
"""

from __future__ import annotations

from indexer.messages import N_
from search_ui.i18n.translator import ENGLISH, Translator

STREAMLIT_WORDS = (
    N_("Skip to main content"),
    N_("App pages"),
    N_("Expand sidebar"),
    N_("Collapse sidebar"),
    N_("Open"),
    N_("Close"),
    N_("Dismiss"),
    N_("Clear"),
    N_("Clear all"),
    N_("Clear value"),
    N_("Clear entry"),
    N_("Clear date"),
    N_("Select all"),
    N_("Selected values"),
    N_("Multiselect options"),
    N_("Selectbox options"),
    N_("Remove {}"),
    N_("Add: {}"),
    N_("No results"),
    N_("{} option available."),
    N_("{} options available."),
    N_("Help for {}"),
    N_("Press Enter to apply"),
    N_("Press Enter to submit form"),
    N_("Choose date"),
    N_("Choose date, {}"),
    N_("Today, {}"),
    N_("{} selected"),
    N_("Previous month"),
    N_("Next month"),
    N_("Month"),
    N_("Year"),
    N_("Use arrow keys to navigate dates. Enter to select. Escape to close."),
    N_("year, {}"),
    N_("month, {}"),
    N_("day, {}"),
    N_("yyyy"),
    N_("mm"),
    N_("dd"),
    N_("Increment"),
    N_("Decrement"),
    N_("Number is above the allowed range."),
    N_("Number is below the allowed range."),
    N_("Show/hide columns"),
    N_("Download as CSV"),
    N_("Search"),
    N_("Fullscreen"),
    N_("Close fullscreen"),
    N_("Clear selection"),
    N_("Sort ascending"),
    N_("Sort descending"),
    N_("Autosize"),
    N_("Pin column"),
    N_("Unpin column"),
    N_("Hide column"),
    N_("Copy column name"),
    N_("Format"),
    N_("Statistics"),
    N_("Loading..."),
    N_("Connection error"),
)


def streamlit_words(tr: Translator) -> list[tuple[str, str]]:
    """English words of Streamlit and their translations; none where they are right already."""
    return [] if tr.language == ENGLISH else [(text, tr.gettext(text)) for text in STREAMLIT_WORDS]
