"""Texts of people that are shown where Streamlit reads Markdown."""

from search_ui.session_state import escape_markdown


def test_no_markup_is_left():
    assert (
        escape_markdown("![x](http://evil/) *a* :red[b] $x$ <i>")
        == r"\!\[x\]\(http\:\/\/evil\/\) \*a\* \:red\[b\] \$x\$ \<i\>"
    )
