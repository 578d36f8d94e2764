"""Reading in full only where something happens: what is read is what a plain read gives."""

import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from indexer.media.decode.frames import Sampling
from indexer.media.decode.reader import PictureRead, Reader
from tests.indexer.media.still_footage import CUT_S, LENGTH_S, MOVES, write_footage

PLAIN, ADAPTIVE = Sampling(2.0, 48), Sampling(2.0, 48, budget=0.9)
FAST_X264 = {"preset": "veryfast", "crf": "23"}


@pytest.fixture(scope="module")
def footage(tmp_path_factory) -> Path:
    return write_footage(tmp_path_factory.mktemp("still") / "a.mp4", **FAST_X264)


def read(path: Path, sampling: Sampling, *edges_s: float) -> tuple[list[PictureRead], int]:
    """Chunk after chunk with one reader, and how many pictures it decoded."""
    with Reader(path, threads=1) as reader:
        reads = [
            reader.read_each(start_s, end_s, [sampling])[0]
            for start_s, end_s in itertools.pairwise(edges_s)
        ]
        return reads, reader.decoded


def is_in_gap(time_s: float, one: PictureRead) -> bool:
    return any(gap.span.start_s <= time_s < gap.span.end_s for gap in one.gaps)


def test_still_stretches_are_passed_over_and_the_rest_is_that_of_a_plain_read(footage):
    (plain,), decoded = read(footage, PLAIN, 0, LENGTH_S)
    (found,), decoded_less = read(footage, ADAPTIVE, 0, LENGTH_S)
    assert sum(gap.span.length_s for gap in found.gaps) > LENGTH_S / 2
    assert decoded_less < decoded / 2
    assert not any(is_in_gap(time_s, found) for time_s in np.arange(*MOVES, 0.1))
    looked_at = [n for n, t in enumerate(plain.frames.times_s) if not is_in_gap(t, found)]
    same = np.searchsorted(found.frames.times_s, plain.frames.times_s[looked_at])
    assert found.frames.times_s[same].tolist() == plain.frames.times_s[looked_at].tolist()
    assert (found.frames.images[same] == plain.frames.images[looked_at]).all()
    assert found.cuts_s.tolist() == plain.cuts_s.tolist()
    assert CUT_S in found.cuts_s.round(6)
    firsts = [gap.span.start_s for gap in found.gaps]
    assert set(firsts) <= set(found.frames.times_s.tolist()), "each gap has its keyframe"


def test_a_cut_without_a_keyframe_is_found(tmp_path):
    path = write_footage(tmp_path / "b.mp4", **FAST_X264, sc_threshold="0")
    (found,), _ = read(path, ADAPTIVE, 0, LENGTH_S)
    assert found.gaps
    assert CUT_S in found.cuts_s.round(6)


@pytest.mark.parametrize("edge_s", [7.0, 9.3, 15.4, 16.1])
def test_what_is_found_does_not_depend_on_earlier_reads(footage, edge_s):
    together, _ = read(footage, ADAPTIVE, 0, edge_s, LENGTH_S)
    alone = [read(footage, ADAPTIVE, *edges_s)[0][0] for edges_s in ((0, edge_s), (edge_s, 24.0))]
    for one, other in zip(together, alone, strict=True):
        assert one.frames.times_s.tolist() == other.frames.times_s.tolist()
        assert (one.frames.images == other.frames.images).all()
        assert one.cuts_s.tolist() == other.cuts_s.tolist()
        assert one.gaps == other.gaps


def test_no_more_than_the_budget_is_decoded(footage):
    for budget in (0.05, 0.1, 0.3):
        (found,), _ = read(footage, Sampling(2.0, 48, budget=budget), 0, LENGTH_S)
        passed_s = sum(gap.span.length_s for gap in found.gaps)
        assert LENGTH_S - passed_s <= budget * LENGTH_S + 0.1


@pytest.mark.parametrize(("name", "codec"), [("c.avi", "mpeg4"), ("d.mkv", "mjpeg")])
def test_files_whose_keyframes_cannot_stand_alone_are_read_in_full(tmp_path, name, codec):
    path = write_footage(tmp_path / name, codec)
    (found,), _ = read(path, ADAPTIVE, 0, LENGTH_S)
    (plain,), _ = read(path, PLAIN, 0, LENGTH_S)
    assert not found.gaps
    assert found.frames.times_s.tolist() == plain.frames.times_s.tolist()


def test_what_comes_before_the_first_keyframe_is_not_lost(footage, tmp_path):
    path = tmp_path / "e.mkv"
    with av.open(str(footage)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if number and packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
    (plain,), _ = read(path, PLAIN, 0, LENGTH_S)
    (found,), _ = read(path, ADAPTIVE, 0, LENGTH_S)
    wanted = [time_s for time_s in plain.frames.times_s if not is_in_gap(time_s, found)]
    assert wanted[0] == plain.frames.times_s[0]
    assert set(wanted) <= set(found.frames.times_s)


def test_samplings_of_one_read_have_the_same_gaps_and_one_budget(footage):
    with Reader(footage) as reader:
        small, large = reader.read_each(0, 24, [ADAPTIVE, Sampling(1.0, 64, budget=0.9)])
        assert small.gaps == large.gaps
        assert large.frames.images.shape[1] == 64
        with pytest.raises(ValueError, match="one budget"):
            reader.read_each(0, 24, [ADAPTIVE, PLAIN])
