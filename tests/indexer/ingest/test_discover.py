import os
import socket
from pathlib import Path

import pytest

from indexer.errors import MediaError
from indexer.ingest.discover import FoundFile, Unusable, content_hash, find_files
from indexer.paths import Reach, printable


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


def test_links_are_followed_as_far_as_allowed(tmp_path):
    for name in ("own/a.mp4", "own/theirs/b.mp4", "outside/c.mp4", "outside/d.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "own" / "link.mp4").symlink_to(tmp_path / "outside" / "c.mp4")
    (tmp_path / "own" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "own" / "to theirs").symlink_to(tmp_path / "own" / "theirs")
    reach = Reach.of([tmp_path / "own"], [tmp_path / "own" / "theirs"])
    found = list(find_files([tmp_path / "own"], reach))
    assert [one.path.name for one in found if isinstance(one, FoundFile)] == ["a.mp4"]
    refused = sorted(Path(one.path).name for one in found if isinstance(one, Unusable))
    assert refused == ["folder", "link.mp4", "to theirs"]
    (bad,) = find_files([tmp_path / "outside" / "d.mp4"], reach)
    assert isinstance(bad, Unusable)


def test_a_file_is_opened_where_it_truly_is(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    (tmp_path / "own" / "link").symlink_to(tmp_path / "b")
    reach = Reach.of([tmp_path / "own"])
    descriptor = reach.open(tmp_path / "own" / "a")
    assert os.read(descriptor, 9) == b"a"
    os.close(descriptor)
    for name in ("link", "../b", "."):
        with pytest.raises(MediaError):
            reach.open(tmp_path / "own" / name)
