from indexer.artefacts import Artefacts
from indexer.catalog import videos
from indexer.ingest.finalize import remove_orphans
from tests.support import colour_video, demo_library


def test_an_ingest_removes_what_a_process_that_died_left_of_removed_videos(tmp_path):
    library = demo_library(tmp_path)
    path = colour_video(tmp_path / "media" / "one.mp4", [("red", 3.0)])
    video_id = library.ingest([path]).files[0].video_id
    artefacts = Artefacts(library.settings.artefacts)
    kept = sorted(artefacts.video_folder(video_id).rglob("*.jpg"))
    assert kept
    # Killed after the rows of a video were removed and before its folder was.
    artefacts.write_thumbnail(video_id + 7, 1.0, b"jpeg")
    (artefacts.root / "videos" / "000" / "notes").mkdir(parents=True)
    library.ingest([path])
    assert artefacts.video_ids() == {video_id}
    assert sorted(artefacts.video_folder(video_id).rglob("*.jpg")) == kept
    assert (artefacts.root / "videos" / "000" / "notes").is_dir()


def test_artefacts_of_videos_that_are_there_stay(tmp_path):
    library = demo_library(tmp_path)
    path = colour_video(tmp_path / "media" / "one.mp4", [("red", 3.0)])
    library.ingest([path])
    assert remove_orphans(library.catalog, Artefacts(library.settings.artefacts)) == []
    with library.catalog.read() as session:
        assert videos.all_ids(session) == Artefacts(library.settings.artefacts).video_ids()


def test_a_home_without_artefacts_has_no_orphans(tmp_path):
    library = demo_library(tmp_path)
    assert remove_orphans(library.catalog, Artefacts(library.settings.artefacts)) == []
