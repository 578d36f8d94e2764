"""Our components in the page. Their HTML, CSS and JavaScript are fixed files; everything of
people and videos goes in as data.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from streamlit.components.v2 import component


@cache
def _component(name: str, *parts: str) -> Any:
    """`parts`: scripts, and their styles, that the component's own ones use and stand behind."""
    folder = files("search_ui.components")
    html = (folder / f"{name}.html").read_text()
    styles = [folder / f"{part}.css" for part in (*parts, name)]
    css = "\n".join(style.read_text() for style in styles if style.is_file())
    js = "\n".join((folder / f"{part}.js").read_text() for part in (*parts, name))
    return component(f"seekpoint_{name}", html=html, css=css, js=js)


def frame(data: dict[str, Any], **callbacks: Any) -> Any:
    """Around every page: light or dark, the keys, and Streamlit's own words in the page's language.
    Trigger: `go` {href, at}, a search that was asked for in the browser.
    """
    return _component("frame")(key="frame", data=data, on_go_change=callbacks["on_go"])


def player(data: dict[str, Any], **callbacks: Any) -> Any:
    """Triggers: `next` (a number), `where` {phrase, time_s, at}, `keep` {start_s, end_s, at}."""
    return _component("player", "timeline", "clip_editor")(
        key="player",
        data=data,
        on_next_change=callbacks["on_next"],
        on_where_change=callbacks["on_where"],
        on_keep_change=callbacks["on_keep"],
    )


def panel(data: dict[str, Any], *, key: str) -> Any:
    """Lines of a video in time with the player. It tells the server nothing."""
    return _component("panel")(key=key, data=data)


def cards(data: dict[str, Any], *, key: str, **callbacks: Any) -> Any:
    """Triggers: `open` {href, at} and `like` {like, at}, which say by themselves what was clicked,
    `keep` {key, on, at} and `say` {key, good, at} of a card, and `more`, a time: the last card was
    seen.
    """
    return _component("cards", "page_parts", "card_parts")(
        key=key,
        data=data,
        on_open_change=callbacks["on_open"],
        on_like_change=callbacks.get("on_like", _nothing),
        on_keep_change=callbacks.get("on_keep", _nothing),
        on_say_change=callbacks.get("on_say", _nothing),
        on_more_change=callbacks.get("on_more", _nothing),
    )


def shelf(data: dict[str, Any], **callbacks: Any) -> Any:
    """The videos of the library, which it fetches by itself. Trigger: `act` {what, ids, collection,
    at}, something to do with chosen videos or with a collection.
    """
    shown = _component("shelf", "page_parts", "card_parts")
    return shown(key="shelf", data=data, on_act_change=callbacks["on_act"])


def folders(data: dict[str, Any], **callbacks: Any) -> Any:
    """Folders of the server, which it fetches by itself. Trigger: `add` {path, again, at}."""
    return _component("folders")(key="folders", data=data, on_add_change=callbacks["on_add"])


def chips(data: dict[str, Any], *, key: str, **callbacks: Any) -> Any:
    """Trigger: `go` {href, at}, the link of the chip that was clicked."""
    return _component("chips")(key=key, data=data, on_go_change=callbacks["on_go"])


def toolbar(data: dict[str, Any]) -> Any:
    """How the cards are shown, which each browser remembers; it tells the server nothing."""
    return _component("toolbar")(key="toolbar", data=data, width="stretch")


def tray(data: dict[str, Any], **callbacks: Any) -> Any:
    """A list of moments that plays them one after another. Triggers: `order` {ids, at}, `remove`
    {id, at}.
    """
    return _component("tray", "page_parts")(
        key="tray",
        data=data,
        on_order_change=callbacks["on_order"],
        on_remove_change=callbacks["on_remove"],
    )


def uploader(data: dict[str, Any], *, key: str, **callbacks: Any) -> Any:
    """Trigger: `uploaded` {name, at}, when a file is on the server and is called so there."""
    return _component("uploader")(key=key, data=data, on_uploaded_change=callbacks["on_uploaded"])


def downloads(files: Sequence[dict[str, str]]) -> Any:
    """Buttons that save files {label, name, type, text}. It tells the server nothing."""
    return _component("downloads")(key="downloads", data={"files": list(files)})


def _nothing() -> None: ...
