"""Uploaded files without a row are found; those with one, or in a job, are not blamed."""

import os
import shutil
import time

from indexer.admin.uploads import delete_old_parts, delete_uploads, has_uploads
from indexer.catalog import collections
from indexer.catalog.leasing import page_jobs
from indexer.catalog.people.uploads import finish_upload, reserve_upload, used_bytes
from indexer.vocabulary import PageJobKind
from tests.support import colour_video, demo_library


def test_files_without_a_row(tmp_path):
    library = demo_library(tmp_path / "home")
    assert library.stray_uploads() == []
    uploads = tmp_path / "home" / "uploads"
    known = colour_video(uploads / "known.mp4", [("red", 1)])
    library.ingest([known], "c")
    waiting, stray = uploads / "waiting.mp4", uploads / "a_stray%.mp4"
    for path in (waiting, stray, uploads / ".upload-part.mp4"):
        shutil.copy(known, path)
    with library.catalog.begin() as session:
        collection_id = collections.ensure_collection(session, "c")
        details = {"paths": [str(waiting)]}
        page_jobs.add_page_job(session, PageJobKind.INGEST, collection_id, "waiting", details)
    assert library.stray_uploads() == [stray]
    check = next(check for check in library.doctor() if check.name == "uploads")
    assert (check.ok, "a_stray%.mp4" in check.found, bool(check.mend)) == (False, True, True)
    library.ingest([stray], "c")
    assert library.stray_uploads() == []


def test_uploaded_files_are_deleted_and_others_are_not(tmp_path):
    library = demo_library(tmp_path / "home")
    uploaded = colour_video(tmp_path / "home" / "uploads" / "a.mp4", [("red", 1)])
    elsewhere = colour_video(tmp_path / "videos" / "a.mp4", [("green", 1)])
    library.ingest([uploaded, elsewhere], "c")
    first, second = [video.video_id for video in library.videos()]
    with library.catalog.begin() as session:
        finish_upload(session, reserve_upload(session, None, 1, 0), "a.mp4", 5)
        assert used_bytes(session, None) == 5
    assert library.status().disk_bytes["uploads"] == uploaded.stat().st_size
    assert has_uploads(library.context, [first, second])
    assert not has_uploads(library.context, [second])
    delete_uploads(library.context, [first, second])
    assert (uploaded.exists(), elsewhere.exists()) == (False, True)
    with library.catalog.read() as session:
        assert used_bytes(session, None) == 0


def test_parts_of_uploads_that_a_crash_broke_off_go(tmp_path):
    library = demo_library(tmp_path / "home")
    uploads = tmp_path / "home" / "uploads"
    assert delete_old_parts(library.context, 60.0) == 0
    uploads.mkdir(parents=True)
    old, new, video = (uploads / name for name in (".upload-a.mp4", ".upload-b.mp4", "c.mp4"))
    for path in (old, new, video):
        path.write_bytes(b"part")
        if path != new:
            os.utime(path, (time.time() - 3600, time.time() - 3600))
    assert delete_old_parts(library.context, 60.0) == 1
    assert sorted(uploads.iterdir()) == [new, video]
