"""What is done with a saved search: it tells another program of new footage, or is forgotten."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from indexer.catalog.people import alerts, saved_searches
from indexer.catalog.people.alerts import AlertRow
from indexer.catalog.people.saved_searches import SavedSearch
from indexer.errors import UsageError
from indexer.queue.webhooks import LONGEST_URL
from search_ui.alerts import require_webhook, set_webhook
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.session_state import escape_markdown
from search_ui.url_state import parse_link


def manage(searches: Sequence[SavedSearch], user: User, tr: Translator) -> None:
    """A button that opens what can be done with each of the searches."""
    with st.popover(tr("Manage"), icon=":material/tune:", type="tertiary", width="content"):
        with app_state().library.catalog.read() as session:
            known = alerts.list_alerts(session, [search.id for search in searches])
        st.caption(
            tr("A saved search shows here what is new. It can tell another program too: a webhook.")
        )
        for search in searches:
            _one(search, known.get(search.id), user, tr)


def _one(search: SavedSearch, alert: AlertRow | None, user: User, tr: Translator) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(search.title[:60], width="stretch")
            st.button(
                tr("Forget"),
                key=f"forget_{search.id}",
                icon=":material/delete:",
                type="tertiary",
                on_click=_forget,
                args=(search, user),
            )
        with st.form(f"webhook_of_{search.id}", border=False):
            url = st.text_input(
                tr("Tell this address of new footage"),
                value=alert.url if alert else "",
                key=f"webhook_{search.id}",
                placeholder="https://example.com/hook",
                max_chars=LONGEST_URL,
            )
            if st.form_submit_button(tr("Change") if alert else tr("Tell")):
                _set(search, url.strip(), user, tr)
        if alert is not None:
            _state(alert, tr)
        if secret := st.session_state.get("webhook_secret", {}).get(search.id):
            st.code(secret, language=None, wrap_lines=True)
            st.caption(
                tr("This secret signs its messages. It is shown only here and now: copy it.")
            )


def _state(alert: AlertRow, tr: Translator) -> None:
    state = tr("{n} messages wait, {failed} failed", n=alert.waiting, failed=alert.failed)
    st.caption(state)
    if alert.error is not None:
        st.caption(escape_markdown(tr(alert.error)))


def _set(search: SavedSearch, url: str, user: User, tr: Translator) -> None:
    """An empty address: it tells nobody from now on."""
    asked = parse_link(search.link).search
    names = [name for name in asked.collections if name in app_state().visible_names(user)]
    made = st.session_state.setdefault("webhook_secret", {})
    made.pop(search.id, None)
    try:
        if url:
            require_webhook(url)
        with app_state().library.catalog.begin() as session:
            own = saved_searches.list_searches(session, user.account_id, saved=True)
            if search.id not in {one.id for one in own}:
                return
            if not url:
                alerts.delete_alert(session, search.id)
            else:
                made[search.id] = set_webhook(session, search.id, asked, names, url)
    except UsageError as error:
        st.error(escape_markdown(tr(error.full_message)))
        return
    st.rerun()


def _forget(search: SavedSearch, user: User) -> None:
    with app_state().library.catalog.begin() as session:
        saved_searches.delete_search(session, user.account_id, search.id)
