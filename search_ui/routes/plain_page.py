"""Small pages and forms that need no Streamlit: signing in, and one's own account."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from streamlit.file_util import get_static_dir

from search_ui.i18n.translator import Translator, translator_of

STYLE = Path(__file__).parents[1] / "sign_in.css"
ICON = Path(__file__).parents[1] / "icon.svg"
LARGEST_FORM_BYTES = 10_000
# The choice that somebody made on a page of Streamlit's (components/frame.js) holds here too.
THEME = (
    "document.documentElement.dataset.theme = localStorage.getItem('seekpoint-theme') ?? 'System'"
)


def plain_page(tr: Translator, title: str, body: str, status: int = 200) -> Response:
    """The document around `body`, which is HTML."""
    document = f"""<!doctype html>
<html lang="{tr.language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Seekpoint: {escape(title)}</title><link rel="icon" href="/favicon.png">
<style>{_style()}</style><script>{THEME}</script>
</head>
<body><main><h1><a href="/">Seekpoint</a></h1>{body}</main></body>
</html>"""
    return HTMLResponse(document, status, headers={"Cache-Control": "no-store"})


def missing_page(request: Request) -> Response:
    """What a person sees at an address where there is nothing, and the way to the first page."""
    tr = translator_of(request)
    body = (
        f"<p>{escape(tr('There is no page at this address.'))}</p>"
        f'<a class="button" href="/">{escape(tr("To the first page"))}</a>'
    )
    return plain_page(
        tr, tr("Page not found"), f"<h2>{escape(tr('Page not found'))}</h2>{body}", 404
    )


@cache
def _style() -> str:
    icon = f"data:image/svg+xml,{quote(ICON.read_text(encoding='utf-8').strip())}"
    return STYLE.read_text(encoding="utf-8").replace("ICON", icon, 1) + _letters()


def _letters() -> str:
    """The letters of all other pages, from where they have them too."""
    folder = Path(get_static_dir())
    faces = (folder / "static" / "media").glob("SourceSansVF-Upright.*.woff2")
    return "".join(
        f"@font-face {{ font-family: 'Source Sans'; font-weight: 200 900; font-display: swap;"
        f" src: url('/{face.relative_to(folder).as_posix()}') format('woff2') }}"
        for face in faces
    )


async def small_form(request: Request) -> dict[str, str] | None:
    """The texts of a form; None for one that is too large, or does not say how large it is."""
    try:
        size = int(request.headers.get("content-length") or LARGEST_FORM_BYTES + 1)
    except ValueError:
        return None
    if size > LARGEST_FORM_BYTES:
        return None
    form = await request.form(max_files=0, max_fields=5)
    return {name: value for name, value in form.items() if isinstance(value, str)}
