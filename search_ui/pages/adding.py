"""Adding videos: from folders of the server, and from the computer of whoever is there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from indexer.catalog import audit, watched_folders
from indexer.catalog.collections import CollectionInfo
from indexer.formatting import format_bytes
from indexer.media.formats import VIDEO_SUFFIXES
from indexer.messages import N_
from indexer.vocabulary import AuditAction
from search_ui import components
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator
from search_ui.starts import DEMO

VIDEOS = ",".join(["video/*", *sorted(VIDEO_SUFFIXES)])
# Texts of components/folders.js.
FOLDER_LABELS = {
    "list": N_("Folders on this server"),
    "path": N_("Folder on this server"),
    "above": N_("One folder up"),
    "start": N_("All folders"),
    "add": N_("Add folder"),
    "videos": N_("{n} videos here"),
    "none": N_("There are no folders in it."),
    "more": N_("There are more folders: write the path of one."),
    "gone": N_("There is no such folder on the server."),
}


def show(user: User, collections: Sequence[CollectionInfo], tr: Translator) -> None:
    """Where videos come from, and into which collection."""
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
    name = str(collection or "").strip()
    folder, upload = st.tabs([tr("Folder on this server"), tr("Upload")])
    if not app_state().may_add_to(user, name):
        for tab in (folder, upload):
            tab.info(tr("Choose a collection, or write the name of a new one."))
        return
    with folder:
        _folders(user, name, tr)
    with upload:
        _upload(name, tr)


def _folders(user: User, collection: str, tr: Translator) -> None:
    minutes = f"{app_state().settings.ui_rescan_minutes:g}"
    labels = {name: tr.gettext(text) for name, text in FOLDER_LABELS.items()}
    labels["again"] = tr("Look again every {n} minutes", n=minutes)
    data = {
        "collection": collection,
        "may_watch": user.collection_ids is None,
        "labels": labels,
    }
    components.folders(data, on_add=_note_added)
    if asked := st.session_state.pop("folder_asked", None):
        path, again = str(asked["path"]), bool(asked["again"]) and data["may_watch"]
        _add_folder(user, path, collection, again, tr)


def _note_added() -> None:
    st.session_state["folder_asked"] = st.session_state["folders"].get("add")


def _default_collection(names: Sequence[str], may_make: bool, tr: Translator) -> str | None:
    """The first one that is not the demo's, else a new one: nobody's own videos belong there."""
    own = [name for name in names if name != DEMO]
    return own[0] if own else tr("My videos") if may_make else None


def _add_folder(user: User, path: str, collection: str, again: bool, tr: Translator) -> None:
    folder = Path(os.path.expanduser(path.strip()))
    if not collection or not app_state().may_add_to(user, collection):
        st.error(tr("Choose a collection, or write the name of a new one."))
    elif not app_state().reach_of(user, collection).holds(folder):
        st.error(tr("This folder may not be added from here."))
    elif not path.strip() or not folder.is_absolute() or not os.path.exists(folder):
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
