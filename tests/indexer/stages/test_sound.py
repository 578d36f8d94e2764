from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.frames import get_video_frames
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.catalog.passages import list_passages
from indexer.embedders.sound.sound_classes import CLASSES
from indexer.library import Library
from indexer.media import files
from indexer.media.files import MediaFiles
from indexer.stages.base import Source
from indexer.stages.sound import FRAME_S, STEP_S, SoundStage, frames_of
from tests.indexer.passages.sounds import dial_tone, place, siren
from tests.indexer.talks import Part, make_talk
from tests.support import demo_library, demo_settings

PARTS = [Part(20.0, "red"), Part(20.0, "blue")]
SOUND = place(40.0, (6.0, siren(5.0)), (25.0, dial_tone(6.0)))
SIREN, TONE = Span(6.0, 11.0), Span(25.0, 31.0)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "street.mp4"
    make_talk(path, PARTS, sound=SOUND)
    return path


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, video: Path) -> Library:
    library = demo_library(tmp_path_factory.mktemp("home"), sound=True)
    assert not library.ingest([video]).failures
    return library


def served(library: Library) -> videos.VideoRow:
    with library.catalog.read() as session:
        return videos.list_videos(session)[0]


def test_frames_cover_a_video_once_whatever_its_chunks():
    whole_s, whole = frames_of(Span(0.0, 97.3))
    edges = [0.0, 30.1, 61.44, 61.68, 97.3]
    starts = []
    for first, last in pairwise(edges):
        start_s, count = frames_of(Span(first, last))
        starts += [round(start_s + number * STEP_S, 3) for number in range(count)]
        middles = start_s + FRAME_S / 2 + STEP_S * np.arange(count)
        assert (middles >= first).all()
        assert (middles < last).all()
    assert starts == [round(whole_s + number * STEP_S, 3) for number in range(whole)]


def test_what_is_heard_is_stored_with_its_times(library: Library):
    video = served(library)
    with library.catalog.read() as session:
        block = get_video_frames(session, video.id, video.keys["sound"] or "")
        events = list_passages(session, video.id, ["sound"])
    assert block.vectors.shape == (83, CLASSES)
    assert block.times_s[0] == pytest.approx(STEP_S / 2)
    assert np.diff(block.times_s) == pytest.approx(STEP_S)
    found = {event.text: event.span for event in events}
    assert found["siren"].iou(SIREN) > 0.7
    assert found["alarm"].iou(TONE) > 0.7
    assert all(event.confidence and event.confidence >= 0.5 for event in events)


def test_a_second_ingest_finds_nothing_to_do(library: Library, video: Path):
    assert library.ingest([video]).files[0].state == "unchanged"


def test_sound_can_be_added_and_switched_off(tmp_path: Path, video: Path):
    without = demo_library(tmp_path)
    assert not without.ingest([video]).failures
    assert served(without).keys["sound"] is None
    with_sound = demo_library(tmp_path, sound=True)
    assert with_sound.ingest([video]).files[0].state == "indexed"
    assert (served(with_sound).keys["sound"] or "").startswith("yamnet-")
    assert without.ingest([video]).files[0].state == "unchanged"


def test_a_video_without_sound_has_none(tmp_path: Path):
    path = tmp_path / "silent.mp4"
    make_talk(path, [Part(3.0, "red")])
    library = demo_library(tmp_path / "home", sound=True)
    assert not library.ingest([path]).failures
    video = served(library)
    with library.catalog.read() as session:
        assert list_passages(session, video.id) == []
        assert len(get_video_frames(session, video.id, video.keys["sound"] or "").times_s) == 0
    assert library.search("a siren", only=["sound"]).moments == ()


def test_chunks_hear_what_the_whole_hears(tmp_path: Path, video: Path):
    """A boundary amid the siren changes no frame by more than what a decoder's start does."""
    settings = demo_settings(tmp_path, sound=True, dtype="float32")
    stage = SoundStage(settings)
    source = Source(video, 40.0, has_pictures=True, has_sound=True)

    def heard(span: Span) -> np.ndarray:
        with MediaFiles(settings) as media:
            read = stage.read(media, source, span, None)
        item = ClaimedTask(1, 1, 1, 0, span.start_s, span.end_s, "sound", "", 1)
        return stage.compute(item, read).block.vectors.astype(np.float32)

    whole = heard(Span(0, 40))
    parts = np.concatenate([heard(Span(0, 9.1)), heard(Span(9.1, 40))])
    assert parts.shape == whole.shape
    assert np.abs(parts - whole).mean() < 0.01


def test_speech_and_sound_come_from_one_decoding(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
):
    reads = []
    plain = files.read_audio_in_process

    def counted(path, start_s, end_s, *more, **named):
        reads.append((start_s, end_s))
        return plain(path, start_s, end_s, *more, **named)

    monkeypatch.setattr(files, "read_audio_in_process", counted)
    settings = demo_settings(tmp_path)
    with MediaFiles(settings) as media:
        around = media.audio(video, Span(0.0, 20.0))
        inside = media.audio(video, Span(5.0, 12.5))
        assert reads == [(0.0, 20.0)]
        np.testing.assert_array_equal(inside, around[80_000:200_000])
        media.audio(video, Span(15.0, 25.0))
        assert reads[1:] == [(15.0, 25.0)]
