from pathlib import Path

import pytest

from indexer.errors import MediaError, UsageError
from indexer.paths import Roots, printable
from indexer.settings import Settings


def test_a_path_is_stored_under_its_longest_root_and_found_again():
    roots = Roots.of(
        Settings(roots={"archive": Path("/mnt/archive"), "films": Path("/mnt/archive/films")})
    )
    assert roots.split(Path("/mnt/archive/films/a b.mp4")) == ("films", "a b.mp4")
    assert roots.split(Path("/mnt/archive/x/y.mp4")) == ("archive", "x/y.mp4")
    assert roots.split(Path("/home/me/z.mp4")) == ("local", "home/me/z.mp4")
    for path in (Path("/mnt/archive/films/a b.mp4"), Path("/home/me/z.mp4")):
        assert roots.join(*roots.split(path)) == path


def test_two_machines_see_one_file_under_different_mounts():
    here, there = (
        Roots.of(Settings(roots={"archive": Path("/mnt/a")})),
        Roots.of(Settings(roots={"archive": Path("/net/b")})),
    )
    assert there.join(*here.split(Path("/mnt/a/x.mp4"))) == Path("/net/b/x.mp4")


def test_an_unknown_root_is_an_error_that_says_how_to_map_it():
    with pytest.raises(MediaError, match="SEEKPOINT_ROOTS"):
        Roots.of(Settings()).join("archive", "x.mp4")


def test_the_name_local_is_reserved():
    with pytest.raises(UsageError, match="local"):
        Roots.of(Settings(roots={"local": Path("/x")}))


def test_a_path_is_shown_as_one_line_of_valid_text():
    assert printable("a\nb\x1b[1m.mp4") == "a\\nb\\x1b[1m.mp4"
    assert printable("caf\udce9.mp4") == "caf\\udce9.mp4"
    assert printable("café 影片.mp4") == "café 影片.mp4"
