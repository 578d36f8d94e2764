"""The library: add, see the state of, retry and remove videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from indexer.admin import uploads
from indexer.admin.videos import Video
from indexer.catalog import watched_folders
from indexer.catalog.collections import CollectionInfo
from indexer.messages import N_
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.pages import adding, progress
from search_ui.routes.shelf import version_of
from search_ui.session_state import escape_markdown

# Of a video, as routes/shelf.py says them.
STATES = {
    "pending": N_("waiting"),
    "ingesting": N_("being read"),
    "ready": N_("ready"),
    "partly": N_("partly read"),
    "failed": N_("failed"),
    "offline": N_("offline"),
}
NARROWED = {
    "all": N_("All states"),
    "work": N_("being read"),
    "problem": N_("with problems"),
}
ORDERS = {
    "added": N_("When added"),
    "recorded": N_("When recorded"),
    "title": N_("Title"),
    "length": N_("Length"),
    "size": N_("Size"),
}
# Other texts of components/shelf.js.
SHELF_LABELS = {
    "list": N_("Videos"),
    "find": N_("Find by title or file name"),
    "collection": N_("Collection"),
    "everywhere": N_("All collections"),
    "state": N_("State"),
    "sort": N_("Order"),
    "falling": N_("Newest, last or largest first"),
    "rising": N_("Oldest, first or smallest first"),
    "all": N_("Choose all"),
    "choose": N_("Choose"),
    "chosen": N_("{n} chosen"),
    "count": N_("{n} videos, {length}"),
    "one": N_("1 video, {length}"),
    "actions": N_("What to do with the chosen videos"),
    "months": N_("By date"),
    "watch": N_("Watch"),
    "retry": N_("Try again"),
    "remove": N_("Remove"),
    "drop": N_("Remove collection"),
    "none": N_("Choose none"),
    "nothing": N_("No video is like that."),
    "everything": N_("Show all videos"),
}


def show(user: User, tr: Translator) -> None:
    """The page of collections and videos."""
    collections = user.visible(app_state().library.collections())
    st.header(tr("Library"), anchor=False)
    if user.can_edit:
        panel = st.expander(
            tr("Add videos"),
            expanded=not collections,
            icon=":material/add:",
            on_change="rerun",
            key="adding",
        )
        if panel.open:  # a page that only shows what there is loads less
            with panel:
                adding.show(user, collections, tr)
    progress.show(user, tr, lately=True)
    if collections:
        _videos(user, collections, tr)
    elif not user.can_edit:
        st.info(tr("Nobody has added a video for you yet."))
    if user.can_edit and user.collection_ids is None:
        _watched_folders_panel(tr)


# --- what there is ---


def _videos(user: User, collections: Sequence[CollectionInfo], tr: Translator) -> None:
    labels: dict[str, Any] = {name: tr.gettext(text) for name, text in SHELF_LABELS.items()}
    labels |= {
        name: {key: tr(text) for key, text in texts.items()}
        for name, texts in (("is", STATES), ("states", NARROWED), ("orders", ORDERS))
    }
    data = {
        "collections": [collection.name for collection in collections],
        "can_edit": user.can_edit,
        "labels": labels,
        "language": tr.language,
        # Of another number the list is fetched again.
        "version": version_of(sum(one.videos for one in collections)),
    }
    components.shelf(data, on_act=_note_act)
    if act := st.session_state.pop("shelf_act", None):
        _act(act, collections, tr)


def _note_act() -> None:
    """A dialog can be opened where the page is drawn, not where a click is noted."""
    st.session_state["shelf_act"] = st.session_state["shelf"].get("act")


def _act(act: Mapping[str, Any], collections: Sequence[CollectionInfo], tr: Translator) -> None:
    if not session_state.may_edit():
        return
    names = {collection.name: collection for collection in collections}
    if act["what"] == "drop" and (dropped := names.get(str(act["collection"]))):
        what = tr(
            "The collection {name} with {n} videos",
            name=escape_markdown(dropped.name),
            n=dropped.videos,
        )
        _confirm(tr("Remove from the library?"), what, {"collections": [dropped.name]}, tr)
    ids = [int(one) for one in act["ids"]]
    videos = [one for one in app_state().library.videos_of(ids) if one.collection in names]
    if videos and act["what"] == "retry":
        _retry(videos)
        st.rerun()
    if videos and act["what"] == "remove":
        target = {"video_ids": [video.video_id for video in videos]}
        _confirm(tr("Remove from the library?"), _names_of(videos, tr), target, tr)


def _retry(videos: Sequence[Video]) -> None:
    for video in videos:
        app_state().jobs.retry(video.video_id, video.shown_title, video.collection)


def _names_of(videos: Sequence[Video], tr: Translator) -> str:
    return (
        escape_markdown(videos[0].shown_title)
        if len(videos) == 1
        else tr("{n} videos", n=len(videos))
    )


def _confirm(title: str, what: str, target: dict, tr: Translator) -> None:
    @st.dialog(title)
    def ask() -> None:
        st.write(
            tr(
                "{what} will not be searchable any more. The files themselves stay where they are.",
                what=what,
            )
        )
        ids = target.get("video_ids", [])
        library = app_state().library
        uploaded = bool(ids) and uploads.has_uploads(library.context, ids)
        delete = uploaded and st.checkbox(tr("Delete the uploaded files too"))
        with st.container(horizontal=True):
            if st.button(tr("Yes, remove"), type="primary"):
                user = session_state.user()
                if user is not None and user.can_edit:
                    with st.spinner(tr("running")):
                        if delete:
                            uploads.delete_uploads(library.context, ids)
                        library.remove(**target, actor=user.actor())
                st.rerun()
            if st.button(tr("Cancel")):
                st.rerun()

    ask()


def _watched_folders_panel(tr: Translator) -> None:
    with app_state().library.catalog.read() as session:
        folders = watched_folders.list_watched_folders(session)
    if not folders:
        return
    st.subheader(tr("Watched folders"), anchor=False)
    for folder in folders:
        with st.container(horizontal=True, vertical_alignment="center"):
            seen = (
                folder.scanned_at.strftime("%Y-%m-%d %H:%M")
                if folder.scanned_at
                else tr("not looked at yet")
            )
            parts = (f"{folder.path} → {folder.collection}", seen, tr(folder.error or ""))
            st.text(
                " · ".join(filter(None, parts)),
                width="stretch",
            )
            st.button(
                tr("Stop watching"),
                key=f"unwatch_{folder.id}",
                on_click=_unwatch,
                args=(folder.id,),
            )


def _unwatch(folder_id: int) -> None:
    if not session_state.may_edit():
        return
    with app_state().library.catalog.begin() as session:
        watched_folders.unwatch_folder(session, folder_id)
