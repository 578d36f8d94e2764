"""The document that holds the page: Streamlit's own, with our style, title and language in it from
the first byte.

What Streamlit brings later it first draws without a style, and everything moves when that comes.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from streamlit.file_util import get_static_dir

from search_ui.app_state import app_state
from search_ui.i18n.translator import Translator, translator_of
from search_ui.routes.first_screen import answers_screen, first_screen
from search_ui.routes.preloads import preload_links
from search_ui.url_state import PAGE_NAMES

STYLE = Path(__file__).parents[1] / "style.css"
ICON = Path(__file__).parents[1] / "icon.svg"


def routes() -> list[BaseRoute]:
    """One route for each address of the page."""
    return [Route(path, index_page) for path in ("/", *(f"/{name}" for name in PAGE_NAMES))]


def index_page(request: Request) -> Response:
    """The HTML document that starts the page, in the language of the browser. Raises CatalogError
    where the page could show nothing.
    """
    app_state().library.catalog.ping()
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Language"}
    before, end, after = _document(translator_of(request)).rpartition("</body>")
    if (answers := answers_screen(request, _icon())) is not None:
        # The browser fetches what the head names while the question is being answered.
        parts = chain([before], answers, [f"{end}{after}"])
        return StreamingResponse(parts, media_type="text/html", headers=headers)
    first = first_screen(request, _icon())
    return HTMLResponse(f"{before}{first}{end}{after}", headers=headers)


@cache
def _document(tr: Translator) -> str:
    document = Path(get_static_dir(), "index.html").read_text(encoding="utf-8")
    document = document.replace('<html lang="en">', f'<html lang="{tr.language}">', 1)
    document = document.replace("<title>Streamlit</title>", "<title>Seekpoint</title>", 1)
    # Streamlit would look for its server below the address of each page first, and find nothing.
    # The colours that somebody chose (components/frame.js) hold before it draws anything.
    script = (
        "<script>window.__streamlit = { BACKEND_BASE_URL: location.origin + '/' };"
        "document.documentElement.dataset.theme = "
        "localStorage.getItem('seekpoint-theme') ?? 'System'</script>"
    )
    document = document.replace("<head>", f"<head>{script}", 1)
    preloads = preload_links(Path(get_static_dir()))
    document = document.replace("</head>", f"{preloads}</head>", 1)
    # Behind the head, where Streamlit's own styles will stand: of two rules alike the later one
    # holds.
    before, end, after = document.rpartition("</body>")
    style = STYLE.read_text(encoding="utf-8").replace("ICON", _icon(), 1)
    return f"{before}<style>{style}</style>{end}{after}"


@cache
def _icon() -> str:
    return f"data:image/svg+xml,{quote(ICON.read_text(encoding='utf-8').strip())}"
