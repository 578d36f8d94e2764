"""The library: add, see the state of, retry and remove videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from grounding.spans import format_time
from indexer.admin import uploads
from indexer.admin.videos import Video
from indexer.catalog import audit, watched_folders
from indexer.catalog.collections import CollectionInfo
from indexer.formatting import format_bytes
from indexer.media.formats import VIDEO_SUFFIXES
from indexer.messages import N_
from indexer.vocabulary import AuditAction
from search_ui import components, session_state
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.pages import progress
from search_ui.pages.home import DEMO, title_of
from search_ui.session_state import escape_markdown
from search_ui.url_state import Link, Place

MANY = 500
STATES = {
    "pending": N_("waiting"),
    "ingesting": N_("being read"),
    "ready": N_("ready"),
    "failed": N_("failed"),
}
VIDEOS = ",".join(["video/*", *sorted(VIDEO_SUFFIXES)])


def show(user: User, tr: Translator) -> None:
    """The page of collections and videos."""
    collections = user.visible(app_state().library.collections())
    st.header(tr("Library"), anchor=False)
    if user.can_edit:
        with st.expander(tr("Add videos"), expanded=not collections, icon=":material/add:"):
            _add(user, collections, tr)
    progress.show(user, tr, lately=True)
    if collections:
        _videos(user, collections, tr)
    elif not user.can_edit:
        st.info(tr("Nobody has added a video for you yet."))
    if user.can_edit and user.collection_ids is None:
        _watched_folders_panel(tr)


# --- adding ---


def _add(user: User, collections: Sequence[CollectionInfo], tr: Translator) -> None:
    names = [collection.name for collection in collections]
    free = user.collection_ids is None
    default = _default_collection(names, free, tr)
    options = [*names, default] if default and default not in names else names
    collection = st.selectbox(
        tr("Collection"),
        options,
        index=options.index(default) if default else None,
        accept_new_options=free,
        placeholder=tr("Choose a collection, or write the name of a new one."),
        key="add_collection",
    )
    folder, upload = st.tabs([tr("Folder on this server"), tr("Upload")])
    with folder, st.form("add_folder", border=False):
        path = st.text_input(
            tr("Folder on this server"), placeholder="/media/videos", key="add_path"
        )
        again = st.checkbox(
            tr("Look again every {n} minutes", n=f"{app_state().settings.ui_rescan_minutes:g}"),
            disabled=not free,
        )
        if st.form_submit_button(tr("Add folder"), type="primary"):
            _add_folder(user, path, str(collection or "").strip(), again and free, tr)
    with upload:
        if collection:
            _upload(str(collection), tr)
        else:
            st.info(tr("Choose a collection, or write the name of a new one."))


def _default_collection(names: Sequence[str], may_make: bool, tr: Translator) -> str | None:
    """The first one that is not the demo's, else a new one: nobody's own videos belong there."""
    own = [name for name in names if name != DEMO]
    return own[0] if own else tr("My videos") if may_make else None


def _add_folder(user: User, path: str, collection: str, again: bool, tr: Translator) -> None:
    folder = Path(path.strip()).expanduser()
    if not collection or not app_state().may_add_to(user, collection):
        st.error(tr("Choose a collection, or write the name of a new one."))
    elif not app_state().reach_of(user, collection).holds(folder):
        st.error(tr("This folder may not be added from here."))
    elif not path.strip() or not folder.is_absolute() or not folder.exists():
        st.error(tr("There is no such folder on the server."))
    elif again:
        app_state().give_folder(user, collection, folder)
        with app_state().library.catalog.begin() as session:
            watched_folders.watch_folder(session, collection, str(folder))
            what = {"paths": [str(folder)], "again": 1}
            audit.record(session, AuditAction.ADDED, user.actor(), collection, what)
        st.success(tr("The folder is being read."))
    else:
        reach = app_state().reach_of(user, collection)
        app_state().give_folder(user, collection, folder)
        app_state().jobs.ingest([folder], collection, actor=user.actor(), reach=reach)
        st.rerun()


def _upload(collection: str, tr: Translator) -> None:
    limit_bytes = app_state().settings.ui_upload_max_mb * 1_000_000
    size = format_bytes(limit_bytes)
    labels = {
        "drop": tr("Drop videos here, or choose files (up to {size} each)", size=size),
        "too_large": tr("The file is too large: up to {size} each.", size=size),
    }
    labels |= {"failed": tr("The upload failed."), "done": tr("received")}
    data = {
        "url": f"/upload?collection={quote(collection, safe='')}",
        "accept": VIDEOS,
        "multiple": True,
    }
    components.uploader(
        {**data, "limit_bytes": limit_bytes, "labels": labels}, key="uploader", on_uploaded=_nothing
    )


def _nothing() -> None: ...


# --- what there is ---


def _videos(user: User, collections: Sequence[CollectionInfo], tr: Translator) -> None:
    names = [collection.name for collection in collections]
    chosen = st.pills(
        tr("Collections"),
        names,
        key="library_collection",
        format_func=escape_markdown,
        label_visibility="collapsed",
    )
    shown = [collection for collection in collections if collection.name == chosen] or list(
        collections
    )
    count = sum(collection.videos for collection in shown)
    named = (
        st.text_input(tr("Title or file name contains"), key="library_name", max_chars=200).strip()
        if count > MANY
        else ""
    )
    videos = app_state().library.videos(
        [collection.name for collection in shown], newest=MANY, named=named
    )[::-1]
    summary = tr(
        "{n} videos, {length}",
        n=count,
        length=format_time(sum(collection.duration_s for collection in shown)),
    )
    if len(videos) < count:
        summary += " · " + tr("the newest {n} of them are below", n=len(videos))
    st.caption(summary)
    table = st.dataframe(
        [_row(video, tr) for video in videos],
        column_config={
            "id": None,
            **{column: {"width": 90} for column in (tr("State"), tr("Length"), tr("Size"))},
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"videos_table_{chosen}_{named}_{app_state().jobs.finished}_{count}",
    )
    picked = [videos[row] for row in table["selection"]["rows"] if row < len(videos)]
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(picked) == 1:
            st.button(tr("Watch"), icon=":material/play_arrow:", on_click=_watch, args=(picked[0],))
        if user.can_edit and picked:
            st.button(tr("Try again"), icon=":material/refresh:", on_click=_retry, args=(picked,))
            if st.button(tr("Remove"), icon=":material/delete:"):
                _confirm(
                    tr("Remove from the library?"),
                    _names_of(picked, tr),
                    {"video_ids": [video.video_id for video in picked]},
                    tr,
                )
        if not picked:
            st.caption(tr("Choose videos in the list to watch, retry or remove them."))
        if (
            user.can_edit
            and chosen in names
            and st.button(tr("Remove collection"), icon=":material/delete_forever:")
        ):
            what = tr(
                "The collection {name} with {n} videos", name=escape_markdown(chosen), n=count
            )
            _confirm(tr("Remove from the library?"), what, {"collections": [chosen]}, tr)
    if st.session_state.pop("go_search", False):
        st.switch_page(st.session_state["pages"][0], query_params=st.session_state.pop("go_params"))


def _row(video: Video, tr: Translator) -> dict[str, object]:
    return {
        "id": video.video_id,
        tr("Title"): title_of(video),
        tr("State"): tr(STATES[video.state]),
        tr("Length"): format_time(video.duration_s),
        tr("Collection"): video.collection,
        tr("Size"): format_bytes(video.size_bytes),
        tr("Recorded"): video.recorded_at.date().isoformat() if video.recorded_at else "",
        tr("Problem"): tr(video.error),
        tr("File"): video.paths[0].path if video.paths else "",
    }


def _watch(video: Video) -> None:
    st.session_state["go_search"] = True
    st.session_state["go_params"] = Link(place=Place(video.video_id)).params()


def _retry(videos: Sequence[Video]) -> None:
    for video in videos if session_state.may_edit() else ():
        app_state().jobs.retry(video.video_id, title_of(video), video.collection)


def _names_of(videos: Sequence[Video], tr: Translator) -> str:
    return (
        escape_markdown(title_of(videos[0]))
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
