"""Small pages and forms that need no Streamlit: signing in, and one's own account."""

from __future__ import annotations

from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from search_ui.i18n.translator import Translator

STYLE = Path(__file__).parents[1] / "sign_in.css"
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
<style>{STYLE.read_text(encoding="utf-8")}</style><script>{THEME}</script>
</head>
<body><main><h1>Seekpoint</h1>{body}</main></body>
</html>"""
    return HTMLResponse(document, status, headers={"Cache-Control": "no-store"})


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
