import os
import socket
from pathlib import Path

import pytest

from indexer.ingest.discover import FoundFile, Unusable, content_hash, find_files
from indexer.paths import printable


def names(found):
    return [item.path.name if isinstance(item, FoundFile) else item.error.message for item in found]


def test_a_folder_gives_the_videos_below_it_in_a_stable_order(tmp_path):
    for name in ("b.mp4", "a.MKV", "notes.txt", ".hidden.mp4", "deep/er/c.webm"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert names(find_files([tmp_path])) == ["a.MKV", "b.mp4", "c.webm"]


def test_a_named_file_is_tried_whatever_its_suffix_and_only_once(tmp_path):
    path = tmp_path / "video.dat"
    path.write_bytes(b"abc")
    found = list(find_files([path, str(path), tmp_path / "." / "video.dat"]))
    assert found == [FoundFile(path, 3, path.stat().st_mtime_ns)]


def test_a_loop_of_links_ends(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "v.mp4").write_bytes(b"x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self.mp4").symlink_to(tmp_path / "self.mp4")
    found = names(find_files([tmp_path]))
    assert found.count("v.mp4") == 1
    assert any("self.mp4" in name and "symbolic links" in name for name in found)


@pytest.mark.parametrize("kind", ["missing", "fifo", "socket", "empty", "not utf-8"])
def test_what_cannot_be_taken_is_named_with_a_hint(tmp_path, kind):
    path = tmp_path / "thing.mp4"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind == "empty":
        path = tmp_path / "empty"
        path.mkdir()
    elif kind == "not utf-8":
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
        path.write_bytes(b"x")
    (bad,) = find_files([path])
    assert isinstance(bad, Unusable)
    assert printable(path) in bad.error.message
    assert bad.error.hint
    bad.path.encode("utf-8")


def test_names_with_quotes_newlines_and_shell_characters_are_files_like_any_other(tmp_path):
    odd = [
        'it\'s "quoted".mp4',
        "two\nlines.mp4",
        "$(touch x); rm -rf *.mp4",
        "-o.mp4",
        "%s %d.mp4",
    ]
    for name in odd:
        (tmp_path / name).write_bytes(b"x")
    assert sorted(names(find_files([tmp_path]))) == sorted(odd)
    assert "\n" not in printable(tmp_path / odd[1])


def test_content_hash_is_the_sha256_of_the_bytes(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert content_hash(path) == expected
