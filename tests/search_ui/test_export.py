"""Exports that other programs open, whatever a file is called."""

import csv
import io

from grounding.spans import Span
from indexer.search.types import Evidence, Moment
from search_ui.export import as_csv, as_edl, as_playlist


def moment(
    title: str = "a", path: str = "/v/a.mp4", start_s: float = 1.0, end_s: float = 2.5
) -> Moment:
    return Moment(
        1, path, "c", Span(start_s, end_s), 0.5, (Evidence("speech", 1.0, "=1+1"),), None, title
    )


def test_csv():
    rows = list(
        csv.reader(io.StringIO(as_csv([moment("=cmd()", '/v/"a",b.mp4')]).decode("utf-8-sig")))
    )
    assert rows[1] == [
        "1",
        "'=cmd()",
        '/v/"a",b.mp4',
        "c",
        "1.000",
        "2.500",
        "0.5000",
        "speech: =1+1",
    ]


def test_edl():
    lines = as_edl([moment(), moment(start_s=3600, end_s=3601)]).decode().splitlines()
    assert (
        lines[3] == "001  AX       V     C        00:00:01:00 00:00:02:12 00:00:00:00 00:00:01:12"
    )
    assert (
        lines[6] == "002  AX       V     C        01:00:00:00 01:00:01:00 00:00:01:12 00:00:02:12"
    )


def test_playlist_has_one_line_a_name():
    lines = as_playlist([moment("a\n#EXTINF:1,b", "/v/x\ny.mp4")]).decode().splitlines()
    assert len(lines) == 5
    assert lines[2:4] == ["#EXTVLCOPT:start-time=1.000", "#EXTVLCOPT:stop-time=2.500"]
