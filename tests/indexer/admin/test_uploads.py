"""Uploaded files without a row are found; those with one, or in a job, are not blamed."""

import shutil

from indexer.catalog import collections
from indexer.catalog.leasing import page_jobs
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
