"""What the library's page shows until Streamlit has started: its first cards, from the first byte.

Their pictures and links are the real ones. The page takes its place (components/shelf.js), and a
list that was narrowed or scrolled before never shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request

from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator, translator_of
from search_ui.routes.shelf import newest_rows

STYLE = Path(__file__).parents[1] / "first_screen.css"
CARDS = 28  # more than are in view of most windows
# As components/shelf.js keeps how the list was left.
SCRIPT = """(() => {
  const first = document.getElementById("first-screen"), leave = () => first.remove();
  try {
    const kept = JSON.parse(sessionStorage.getItem("seekpoint-shelf")) ?? {};
    const { find, collection, state, sort = "added", order, top } = kept;
    if (find || collection || state || top || sort !== "added" || order === "rising") leave();
  } catch {
    leave();
  }
  for (const name of ["seekpoint-drawn", "popstate"]) addEventListener(name, leave);
  const away = ".st-key-nav, .st-key-brand";
  document.addEventListener("click", ({ target }) => target.closest?.(away) && leave(), true);
})()"""


def first_screen(request: Request, icon: str) -> str:
    """HTML to stand in the document of the library's page; "" where there is nothing to show.
    `icon`: the address of the product's picture.
    """
    user, tr = request.state.user, translator_of(request)
    rows, count, length = newest_rows(request, CARDS)
    if not rows:
        return ""
    counted = (
        tr("1 video, {length}", length=length)
        if count == 1
        else tr("{n} videos, {length}", n=count, length=length)
    )
    cards = "".join(_card(row) for row in rows)
    return (
        f"<style>{STYLE.read_text(encoding='utf-8').replace('ICON', icon, 1)}</style>"
        f'<div id="first-screen" aria-busy="true">{_words("name", "Seekpoint")}'
        f'<div class="first-body">{_words("title", tr("Library"))}{_add(user, tr)}'
        f"{_words('bar', counted)}<ul>{cards}</ul></div></div>"
        f"<script>{SCRIPT}</script>"
    )


def _add(user: User, tr: Translator) -> str:
    return _words("add", f"+ {tr('Add videos')}") if user.can_edit else ""


def _words(name: str, text: str) -> str:
    """Drawn by the style: to be seen only, for what can be read out and pressed comes with the
    page.
    """
    return f'<p class="first-{name}" data-words="{escape(text)}" aria-hidden="true"></p>'


def _card(row: Mapping[str, Any]) -> str:
    picture = f'<img src="{escape(row["picture"])}" alt="">' if row["picture"] else ""
    return (
        f'<li><a href="{escape(row["href"])}"><span class="first-picture">{picture}'
        f"<i>{escape(row['length'])}</i></span><b>{escape(row['title'])}</b></a></li>"
    )
