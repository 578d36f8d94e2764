"""Moments that somebody keeps: the tray over several searches, lists with names, and links that
show them to others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from grounding.spans import format_time
from indexer.catalog.people import moment_lists, shared_links
from indexer.catalog.people.moment_lists import ListKind, MomentListRow
from indexer.errors import UsageError
from indexer.formatting import format_span_briefly
from indexer.messages import N_
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.kept_moments import Kept, kept_moments, tray_id
from search_ui.pages.answers import downloads
from search_ui.session_state import escape_markdown
from search_ui.url_state import Link, Place, Search

USUAL_DAYS = 30
# Texts of components/tray.js.
TRAY_LABELS = {
    "list": N_("Moments"),
    "all": N_("Play all"),
    "play": N_("Play"),
    "previous": N_("Previous moment"),
    "next": N_("Next moment"),
    "up": N_("Up"),
    "down": N_("Down"),
    "remove": N_("Take out"),
    "failed": N_("This moment cannot be played now."),
}


def show(user: User, tr: Translator) -> None:
    """The page of kept moments."""
    st.header(tr("Moments"), anchor=False)
    tray = tray_id(user)
    lists = _lists(user)
    chosen = _choose(tray, lists, tr)
    moments = kept_moments(chosen, user)
    if moments:
        _actions(chosen, chosen == tray, moments, user, tr)
        _tray(chosen, moments, user, tr)
    else:
        _say_how(tr)
        if chosen != tray:
            _delete(chosen, user, tr)
    _links(user, tr)


def _say_how(tr: Translator) -> None:
    with st.container(key="nothing_kept", horizontal_alignment="center", gap="small"):
        st.markdown(":material/playlist_add:")
        st.subheader(tr("Nothing is kept here yet"), anchor=False)
        st.write(
            tr(
                "Press the box on a card, or Keep under the player: what you keep over several "
                "searches comes together here, to be played, cut, exported or shared."
            )
        )
        st.page_link(
            st.session_state["pages"][0], label=tr("Find moments"), icon=":material/search:"
        )


def _lists(user: User) -> list[MomentListRow]:
    with app_state().library.catalog.read() as session:
        return moment_lists.list_lists(session, user.account_id, ListKind.NAMED)


def _choose(tray: int, lists: Sequence[MomentListRow], tr: Translator) -> int:
    if not lists:
        return tray
    names = {tray: tr("Kept lately"), **{one.id: one.name for one in lists}}
    if (made := st.session_state.pop("next_list", None)) is not None:
        st.session_state["moment_list"] = made
    if st.session_state.get("moment_list") not in names:
        st.session_state["moment_list"] = tray
    chosen = st.pills(
        tr("Lists"),
        list(names),
        key="moment_list",
        format_func=lambda number: escape_markdown(names[number]),
        label_visibility="collapsed",
    )
    return chosen or tray


# --- what can be done with a list ---


def _actions(
    list_id: int, is_tray: bool, moments: Sequence[Kept], user: User, tr: Translator
) -> None:
    length = format_time(sum(one.row.span.length_s for one in moments))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="list_head"):
        many = tr("{n} moments, {length}", n=len(moments), length=length)
        st.caption(
            many if len(moments) > 1 else tr("1 moment, {length}", length=length), width="stretch"
        )
        if is_tray:
            with st.popover(tr("Keep as a list"), icon=":material/bookmark:", width="content"):
                _name_it(list_id, user, tr)
        _export(list_id, moments, tr)
        if user.can_edit:
            with st.popover(tr("Share"), icon=":material/link:", width="content"):
                _share(list_id, user, tr)
        if is_tray:
            st.button(
                tr("Empty"),
                icon=":material/delete_sweep:",
                type="tertiary",
                on_click=_empty,
                args=(list_id,),
            )
        else:
            _delete(list_id, user, tr)


def _name_it(tray: int, user: User, tr: Translator) -> None:
    with st.form("name_list", border=False):
        name = st.text_input(tr("Name of the list"), max_chars=moment_lists.LONGEST_NAME)
        if not st.form_submit_button(tr("Keep as a list"), type="primary"):
            return
    try:
        with app_state().library.catalog.begin() as session:
            made = moment_lists.copy_list(session, user.account_id, tray, name)
            moment_lists.remove_moments(session, tray)
    except UsageError as error:
        st.error(escape_markdown(tr(error.full_message)))
        return
    st.session_state["next_list"] = made  # a widget that is drawn already cannot be set
    st.rerun()


def _export(list_id: int, moments: Sequence[Kept], tr: Translator) -> None:
    with st.popover(tr("Export"), icon=":material/download:", width="content"):
        components.downloads(downloads([one.as_moment() for one in moments], "moments", tr))
        st.link_button(tr("Clips (ZIP)"), f"/kept/{list_id}/clips.zip", width="stretch")
        st.link_button(tr("One video (MP4)"), f"/kept/{list_id}/video.mp4", width="stretch")
        st.caption(tr("Clips are cut first: that takes about as long as they last."))


def _empty(list_id: int) -> None:
    user = session_state.user()
    if user is not None and list_id == tray_id(user):
        with app_state().library.catalog.begin() as session:
            moment_lists.remove_moments(session, list_id)


def _delete(list_id: int, user: User, tr: Translator) -> None:
    def delete() -> None:
        with app_state().library.catalog.begin() as session:
            moment_lists.delete_list(session, user.account_id, list_id)

    st.button(tr("Delete the list"), icon=":material/delete:", type="tertiary", on_click=delete)


# --- the moments ---


def _tray(list_id: int, moments: Sequence[Kept], user: User, tr: Translator) -> None:
    data = {
        "moments": [_as_data(one) for one in moments],
        "labels": {name: tr(text) for name, text in TRAY_LABELS.items()},
    }

    def on_order() -> None:
        asked = st.session_state["tray"].get("order")
        if asked and _is_own(list_id, user):
            with app_state().library.catalog.begin() as session:
                ids = [int(one) for one in asked["ids"]]
                moment_lists.order_moments(session, list_id, ids)

    def on_remove() -> None:
        asked = st.session_state["tray"].get("remove")
        if asked and _is_own(list_id, user):
            with app_state().library.catalog.begin() as session:
                moment_lists.remove_moments(session, list_id, [int(asked["id"])])

    components.tray(data, on_order=on_order, on_remove=on_remove)


def _is_own(list_id: int, user: User) -> bool:
    with app_state().library.catalog.read() as session:
        return moment_lists.find_list(session, user.account_id, list_id) is not None


def _as_data(one: Kept) -> dict[str, Any]:
    row, video = one.row, one.video
    place = Place(video.id, row.span.start_s, row.span.end_s)
    return {
        "id": row.id,
        "title": one.title,
        "span": format_span_briefly(row.span),
        "start_s": row.span.start_s,
        "end_s": row.span.end_s,
        "src": f"/stream/{video.id}",
        "poster": f"/still/{video.id}/{round(row.span.middle_s * 1000)}",
        "picture": f"/thumbnail/{video.id}/{round(row.span.middle_s * 1000)}",
        "question": row.question,
        "collection": video.collection,
        "href": Link(Search(text=row.question), place).href(),
    }


# --- links ---


def _share(list_id: int, user: User, tr: Translator) -> None:
    st.write(tr("Whoever has the link sees these moments, and nothing else, without an account."))
    with st.form("share_list", border=False):
        name = st.text_input(
            tr("What they see as its title"), value=_name(list_id, user, tr), max_chars=100
        )
        today = datetime.now(_time_zone()).date()
        last_day = st.date_input(
            tr("The last day on which it works"),
            value=today + timedelta(days=USUAL_DAYS),
            min_value=today,
            max_value=today + timedelta(days=int(shared_links.LONGEST_DAYS) - 1),
            key="share_until",
        )
        if st.form_submit_button(tr("Make a link"), type="primary"):
            try:
                days = _days_until_end_of(last_day)
                with app_state().library.catalog.begin() as session:
                    token = shared_links.add_link(session, list_id, name, days, user.actor())
            except UsageError as error:
                st.error(escape_markdown(tr(error.full_message)))
                return
            st.session_state["shared_token"] = token
    if token := st.session_state.get("shared_token"):
        st.code(f"{_origin()}/shared/{token}", language=None, wrap_lines=True)
        st.caption(tr("It is shown only here and now: copy it."))


def _time_zone() -> tzinfo:
    """That of the browser."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError):  # a browser may say anything
        return UTC


def _days_until_end_of(day: date) -> float:
    """From now, as the calendar of whoever looks at it has the day."""
    end = datetime.combine(day + timedelta(days=1), time(), _time_zone())
    return (end - datetime.now(UTC)) / timedelta(days=1)


def _name(list_id: int, user: User, tr: Translator) -> str:
    with app_state().library.catalog.read() as session:
        found = moment_lists.find_list(session, user.account_id, list_id)
    return (found and found.name) or tr("Moments")


def _origin() -> str:
    """Where this page is served, as the browser sees it."""
    headers = st.context.headers
    scheme = headers.get("X-Forwarded-Proto", "").partition(",")[0].strip() or "http"
    origin = headers.get("Origin") or f"{scheme}://{headers.get('Host', '')}"
    return origin.rstrip("/")


def _links(user: User, tr: Translator) -> None:
    with app_state().library.catalog.read() as session:
        links = shared_links.list_links(session, user.account_id)
    if not links:
        return
    st.subheader(tr("Shared links"), anchor=False)
    for link in links:
        last = (link.expires_at - timedelta(seconds=1)).astimezone(_time_zone())
        until = tr("until {day}", day=last.date().isoformat())
        opened = (
            tr("opened last {day}", day=link.opened_at.date().isoformat())
            if link.opened_at
            else tr("not opened yet")
        )
        parts = (link.name, tr("over") if link.is_expired else until, opened)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(" · ".join(parts), width="stretch")
            st.button(
                tr("Stop sharing"),
                key=f"end_link_{link.id}",
                on_click=_end_link,
                args=(link.id, user),
            )


def _end_link(link_id: int, user: User) -> None:
    with app_state().library.catalog.begin() as session:
        shared_links.end_link(session, link_id, user.actor())
    st.session_state.pop("shared_token", None)
