"""The library: add, see the state of, retry and remove videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from grounding.spans import format_time
from indexer.admin.videos import Video
from indexer.catalog import watched_folders
from indexer.catalog.collections import CollectionInfo
from indexer.media.formats import VIDEO_SUFFIXES
from search_ui import components, state
from search_ui.app_state import site
from search_ui.pages import progress
from search_ui.pages.home import title_of
from search_ui.routes.upload import size_text
from search_ui.strings import Texts
from search_ui.url_state import Link, Place
from search_ui.user import Viewer

MANY = 500
VIDEOS = ",".join(["video/*", *sorted(VIDEO_SUFFIXES)])


def show(viewer: Viewer, texts: Texts) -> None:
    collections = viewer.visible(site().library.collections())
    st.header(texts("page.library"), anchor=False)
    if viewer.can_edit:
        with st.expander(texts("add"), expanded=not collections, icon=":material/add:"):
            _add(viewer, collections, texts)
    progress.show(viewer, texts, lately=True)
    if collections:
        _videos(viewer, collections, texts)
    elif not viewer.can_edit:
        st.info(texts("empty.viewer"))
    if viewer.can_edit and viewer.collection_ids is None:
        _watched(texts)


# --- adding ---


def _add(viewer: Viewer, collections: Sequence[CollectionInfo], texts: Texts) -> None:
    names = [collection.name for collection in collections]
    free = viewer.collection_ids is None
    index = 0 if names else None
    collection = st.selectbox(
        texts("add.collection"),
        names,
        index=index,
        accept_new_options=free,
        placeholder=texts("collection.missing"),
        key="add_collection",
    )
    folder, upload = st.tabs([texts("add.folder"), texts("add.upload")])
    with folder, st.form("add_folder", border=False):
        path = st.text_input(texts("add.folder"), placeholder="/media/videos", key="add_path")
        again = st.checkbox(
            texts("add.watch", n=f"{site().settings.ui_rescan_minutes:g}"), disabled=not free
        )
        if st.form_submit_button(texts("add.folder_button"), type="primary"):
            _add_folder(viewer, path, str(collection or "").strip(), again and free, texts)
    with upload:
        if collection:
            _upload(str(collection), texts)
        else:
            st.info(texts("collection.missing"))


def _add_folder(viewer: Viewer, path: str, collection: str, again: bool, texts: Texts) -> None:
    folder = Path(path.strip()).expanduser()
    if not collection or not site().may_add_to(viewer, collection):
        st.error(texts("collection.missing"))
    elif not site().may_add_folder(folder):
        st.error(texts("folder.closed"))
    elif not path.strip() or not folder.is_absolute() or not folder.exists():
        st.error(texts("folder.missing"))
    elif again:
        with site().library.catalog.begin() as session:
            watched_folders.watch_folder(session, collection, str(folder))
        st.success(texts("folder.added"))
    else:
        site().jobs.ingest([folder], collection)
        st.rerun()


def _upload(collection: str, texts: Texts) -> None:
    limit_bytes = site().settings.ui_upload_max_mb * 1_000_000
    size = size_text(limit_bytes)
    labels = {
        "drop": texts("add.drop", size=size),
        "too_large": texts("upload.too_large", size=size),
    }
    labels |= {name: texts(f"upload.{name}") for name in ("failed", "done")}
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


def _videos(viewer: Viewer, collections: Sequence[CollectionInfo], texts: Texts) -> None:
    names = [collection.name for collection in collections]
    chosen = st.pills(
        texts("filter.collections"),
        names,
        key="library_collection",
        format_func=state.plain,
        label_visibility="collapsed",
    )
    shown = [collection for collection in collections if collection.name == chosen] or list(
        collections
    )
    count = sum(collection.videos for collection in shown)
    named = (
        st.text_input(texts("filter.name"), key="library_name", max_chars=200).strip()
        if count > MANY
        else ""
    )
    videos = site().library.videos(
        [collection.name for collection in shown], newest=MANY, named=named
    )[::-1]
    said = texts(
        "videos.count",
        n=count,
        length=format_time(sum(collection.duration_s for collection in shown)),
    )
    st.caption(
        said if len(videos) == count else f"{said} · {texts('videos.newest', n=len(videos))}"
    )
    table = st.dataframe(
        [_row(video, texts) for video in videos],
        column_config={
            "id": None,
            **{texts(f"video.{name}"): {"width": 90} for name in ("state", "length", "size")},
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"videos_table_{chosen}_{named}_{site().jobs.finished}_{count}",
    )
    picked = [videos[row] for row in table["selection"]["rows"] if row < len(videos)]
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(picked) == 1:
            st.button(
                texts("watch"), icon=":material/play_arrow:", on_click=_watch, args=(picked[0],)
            )
        if viewer.can_edit and picked:
            st.button(texts("retry"), icon=":material/refresh:", on_click=_retry, args=(picked,))
            if st.button(texts("remove"), icon=":material/delete:"):
                _confirm(
                    texts("remove.title"),
                    _named(picked, texts),
                    {"video_ids": [video.video_id for video in picked]},
                    texts,
                )
        if not picked:
            st.caption(texts("pick"))
        if (
            viewer.can_edit
            and chosen in names
            and st.button(texts("remove.collection"), icon=":material/delete_forever:")
        ):
            what = texts("remove.all_of", name=state.plain(chosen), n=count)
            _confirm(texts("remove.title"), what, {"collections": [chosen]}, texts)
    if st.session_state.pop("go_search", False):
        st.switch_page(st.session_state["pages"][0], query_params=st.session_state.pop("go_params"))


def _row(video: Video, texts: Texts) -> dict[str, object]:
    return {
        "id": video.video_id,
        texts("video.title"): title_of(video),
        texts("video.state"): texts(f"state.{video.state}"),
        texts("video.length"): format_time(video.duration_s),
        texts("add.collection"): video.collection,
        texts("video.size"): _size(video.size_bytes),
        texts("video.recorded"): video.recorded_at.date().isoformat() if video.recorded_at else "",
        texts("video.problem"): texts.said(str(video.error)),
        texts("video.path"): video.paths[0].path if video.paths else "",
    }


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:,.0f} kB"


def _watch(video: Video) -> None:
    st.session_state["go_search"] = True
    st.session_state["go_params"] = Link(place=Place(video.video_id)).params()


def _retry(videos: Sequence[Video]) -> None:
    for video in videos if state.may_edit() else ():
        site().jobs.retry(video.video_id, title_of(video), video.collection)


def _named(videos: Sequence[Video], texts: Texts) -> str:
    return (
        state.plain(title_of(videos[0]))
        if len(videos) == 1
        else texts("remove.many", n=len(videos))
    )


def _confirm(title: str, what: str, target: dict, texts: Texts) -> None:
    @st.dialog(title)
    def ask() -> None:
        st.write(texts("remove.text", what=what))
        with st.container(horizontal=True):
            if st.button(texts("remove.yes"), type="primary"):
                if state.may_edit():
                    with st.spinner(texts("job.running")):
                        site().library.remove(**target)
                st.rerun()
            if st.button(texts("cancel")):
                st.rerun()

    ask()


def _watched(texts: Texts) -> None:
    with site().library.catalog.read() as session:
        folders = watched_folders.list_watched_folders(session)
    if not folders:
        return
    st.subheader(texts("watched"), anchor=False)
    for folder in folders:
        with st.container(horizontal=True, vertical_alignment="center"):
            seen = (
                folder.scanned_at.strftime("%Y-%m-%d %H:%M")
                if folder.scanned_at
                else texts("watched.never")
            )
            st.text(
                f"{folder.path} → {folder.collection} · {seen}{' · ' + texts.said(str(folder.error)) if folder.error else ''}",
                width="stretch",
            )
            st.button(
                texts("watched.stop"),
                key=f"unwatch_{folder.id}",
                on_click=_unwatch,
                args=(folder.id,),
            )


def _unwatch(folder_id: int) -> None:
    if not state.may_edit():
        return
    with site().library.catalog.begin() as session:
        watched_folders.unwatch_folder(session, folder_id)
