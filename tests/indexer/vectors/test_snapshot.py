"""A snapshot is whole or not used: damage, other embedders, crashes and full disks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import faiss
import numpy as np
import pytest

from indexer.catalog import Catalog, videos
from indexer.catalog.finalize import finalize_video
from indexer.catalog.segments import commit_picture, get_segments
from indexer.catalog.vectors.vector_rows import iterate_vectors
from indexer.errors import SnapshotError, StorageError
from indexer.settings import Settings
from indexer.vectors.base import Selection
from indexer.vectors.build import list_count
from indexer.vectors.faiss_index import FaissIndex, remove_snapshots_except
from indexer.vectors.faiss_rows import index_of
from indexer.vectors.rowset import RowSet
from indexer.vectors.snapshot import CURRENT, key_folder, open_snapshot, read_pointer
from tests.indexer.catalog import support
from tests.indexer.vectors.contract import assert_exact, best_of, query_of, truth

FILES = ["exact.faiss", "rows.npy", "chunks.npy", "manifest.json", "ivf.faiss", "../CURRENT"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def ivf_settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", flat_max_rows=100)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def filled(
    catalog: Catalog, rng: np.random.Generator, videos_count: int = 3, segments: int = 100
) -> list[int]:
    ids = [support.add_video(catalog, f"{n}.mp4", chunks=1) for n in range(videos_count)]
    for video_id in ids:
        support.do_all(catalog, video_id, rng, segments=segments)
    return ids


def current_folder(settings: Settings, key: str = "k1") -> Path:
    parent = key_folder(settings.snapshots, key)
    return parent / (read_pointer(parent) or "").partition(" ")[0]


def test_the_exact_file_is_what_faiss_would_write(
    sqlite_catalog: Catalog, settings: Settings, rng: np.random.Generator, tmp_path: Path
):
    filled(sqlite_catalog, rng)
    FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings).publish()
    with sqlite_catalog.read() as s:
        (lot,) = iterate_vectors(s, "k1")
    written = index_of(RowSet.of(lot).codes, support.DIMENSION)
    faiss.write_index(written, str(tmp_path / "reference.faiss"))
    assert (current_folder(settings) / "exact.faiss").read_bytes() == (
        tmp_path / "reference.faiss"
    ).read_bytes()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0.0, 0.4, 0.97])
def test_a_flipped_byte_is_found_and_the_snapshot_built_again(
    sqlite_catalog: Catalog,
    ivf_settings: Settings,
    rng: np.random.Generator,
    name: str,
    place: float,
):
    filled(sqlite_catalog, rng)
    FaissIndex(sqlite_catalog, "k1", support.DIMENSION, ivf_settings).publish()
    folder = current_folder(ivf_settings)
    path = folder / name
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0x10
    path.write_bytes(content)
    parent = folder.parent
    with pytest.raises(SnapshotError, match="cannot be used"):
        open_snapshot(parent, read_pointer(parent) or "", "k1", support.DIMENSION)
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, ivf_settings)
    query = query_of(rng)
    assert_exact(index.search(query, 5), truth(sqlite_catalog, query, 5))
    assert current_folder(ivf_settings) != folder
    assert not folder.exists(), "what is damaged is not kept"
    assert index.memory_bytes == 0, "it answers from the new snapshot"


@pytest.mark.parametrize(
    "damage", ["cut", "missing file", "missing folder", "empty pointer", "pointer elsewhere"]
)
def test_missing_pieces_are_built_again(
    sqlite_catalog: Catalog, settings: Settings, rng: np.random.Generator, damage: str
):
    filled(sqlite_catalog, rng)
    FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings).publish()
    folder = current_folder(settings)
    if damage == "cut":
        os.truncate(folder / "exact.faiss", 1000)
    elif damage == "missing file":
        (folder / "rows.npy").unlink()
    elif damage == "missing folder":
        shutil.rmtree(folder)
    else:
        (folder.parent / CURRENT).write_text(
            "" if damage == "empty pointer" else "../../elsewhere 00"
        )
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings)
    query = query_of(rng)
    assert_exact(index.search(query, 5), truth(sqlite_catalog, query, 5))
    assert (current_folder(settings) / "exact.faiss").exists()


def test_a_snapshot_of_another_embedder_is_refused(
    sqlite_catalog: Catalog, settings: Settings, rng: np.random.Generator
):
    filled(sqlite_catalog, rng)
    FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings).publish()
    mine = key_folder(settings.snapshots, "k1")
    other = key_folder(settings.snapshots, "k2")
    shutil.copytree(mine, other)
    with pytest.raises(SnapshotError, match="'k1', wanted 16 of 'k2'"):
        open_snapshot(other, read_pointer(other) or "", "k2", support.DIMENSION)
    with pytest.raises(SnapshotError, match="wanted 32"):
        open_snapshot(mine, read_pointer(mine) or "", "k1", 32)
    assert (
        len(FaissIndex(sqlite_catalog, "k2", support.DIMENSION, settings).search(query_of(rng), 5))
        == 0
    )


def test_keys_that_look_alike_have_folders_of_their_own(settings: Settings):
    keys = ["lite/2 hz", "lite-2-hz", "lite:2:hz", "LITE/2 HZ", "../../etc", "x" * 300, "x" * 301]
    folders = {key_folder(settings.snapshots, key) for key in keys}
    assert len(folders) == len(keys)
    assert all(folder.parent == settings.snapshots and len(folder.name) < 100 for folder in folders)


def test_a_reader_goes_on_with_the_old_snapshot_until_it_has_checked_the_new_one(
    sqlite_catalog: Catalog, settings: Settings, rng: np.random.Generator
):
    filled(sqlite_catalog, rng)
    reader = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings)
    reader.publish()
    old = current_folder(settings)
    support.add_ready(sqlite_catalog, ["new.mp4"], rng)
    writer = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings)
    writer.publish(keep_previous=False)
    assert not old.exists()
    deadline = time.monotonic() + 20
    while len(hits := reader.search(query_of(rng), 500)) < 308 or reader.memory_bytes:
        assert len(hits) >= 300, "the old one answers meanwhile"
        assert time.monotonic() < deadline, "the new one must be taken up by itself"
        time.sleep(0.02)
    query = query_of(rng)
    assert_exact(reader.search(query, 10), truth(sqlite_catalog, query, 10))


def test_a_commit_is_searchable_within_two_seconds(
    catalog: Catalog, settings: Settings, rng: np.random.Generator
):
    index = FaissIndex(catalog, "k1", support.DIMENSION, settings)
    query = query_of(rng)
    index.search(query, 5)
    support.add_ready(catalog, ["a.mp4"], rng)
    committed = time.monotonic()
    while not len(index.search(query, 5)):
        assert time.monotonic() - committed < 2
        time.sleep(0.02)


PUBLISH = """
import sys
from indexer.catalog import Catalog
from indexer.settings import Settings
from indexer.vectors.faiss_index import FaissIndex
settings = Settings(home=sys.argv[1], flat_max_rows=100)
catalog = Catalog(sys.argv[2])
{before}
index = FaissIndex(catalog, "k1", 16, settings)
print("ready", flush=True)
{then}
"""


def child(
    settings: Settings, catalog: Catalog, *, before: str = "", then: str
) -> subprocess.Popen[str]:
    program = PUBLISH.format(before=textwrap.dedent(before), then=textwrap.dedent(then))
    url = catalog.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", program, str(settings.home_path), url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_writer_that_is_killed_leaves_the_old_snapshot_and_no_rubbish(
    sqlite_catalog: Catalog, ivf_settings: Settings, rng: np.random.Generator
):
    filled(sqlite_catalog, rng)
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, ivf_settings)
    index.publish()
    parent = current_folder(ivf_settings).parent
    pointer = read_pointer(parent)
    for delay_s in (0.0, 0.02, 0.06):
        process = child(ivf_settings, sqlite_catalog, then="while True: index.publish()")
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        reader = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, ivf_settings)
        query = query_of(rng)
        assert_exact(reader.search(query, 5), truth(sqlite_catalog, query, 5))
    index.publish(keep_previous=False)
    assert read_pointer(parent) != pointer
    assert [entry.name for entry in parent.iterdir() if entry.is_dir()] == [
        current_folder(ivf_settings).name
    ]


def test_a_full_disk_says_so_and_keeps_what_was(
    sqlite_catalog: Catalog, ivf_settings: Settings, rng: np.random.Generator
):
    filled(sqlite_catalog, rng)
    FaissIndex(sqlite_catalog, "k1", support.DIMENSION, ivf_settings).publish()
    before = current_folder(ivf_settings)
    for limit in (5_000, 9_720):
        process = child(
            ivf_settings,
            sqlite_catalog,
            before=(
                f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
            ),
            then="""
                from indexer.errors import StorageError
                try:
                    index._store.publish()
                except StorageError as error:
                    print("storage error:", error)
            """,
        )
        out, err = process.communicate(timeout=60)
        assert "storage error: no space left" in out, (limit, err[-2000:])
        assert [entry for entry in before.parent.iterdir() if entry.is_dir()] == [before]
    reader = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, ivf_settings)
    query = query_of(rng)
    assert_exact(reader.search(query, 5), truth(sqlite_catalog, query, 5))


def test_a_folder_that_cannot_be_made_is_a_storage_error(
    sqlite_catalog: Catalog, tmp_path: Path, rng: np.random.Generator
):
    filled(sqlite_catalog, rng, videos_count=1)
    (tmp_path / "file").write_text("")
    index = FaissIndex(
        sqlite_catalog, "k1", support.DIMENSION, Settings(home=tmp_path / "file" / "home")
    )
    with pytest.raises(StorageError, match="could not be written"):
        index.publish()
    assert len(index.search(query_of(rng), 500)) == 100, "the vectors are searched from memory"


def test_a_damaged_snapshot_on_a_full_disk_is_answered_from_memory(
    sqlite_catalog: Catalog,
    settings: Settings,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
):
    filled(sqlite_catalog, rng)
    FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings).publish()
    os.truncate(current_folder(settings) / "exact.faiss", 10)
    then = """
        import numpy as np
        print("hits", len(index.search(np.ones(16, np.float32), 500)), index.memory_bytes > 0)
    """
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    out, err = child(settings, sqlite_catalog, before=limit, then=then).communicate(timeout=60)
    assert "hits 300 True" in out, err[-2000:]


def test_one_snapshot_before_is_kept_or_not(
    sqlite_catalog: Catalog, settings: Settings, rng: np.random.Generator
):
    filled(sqlite_catalog, rng)
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings)
    names = []
    for _ in range(3):
        index.publish()
        names.append(current_folder(settings).name)
    parent = current_folder(settings).parent
    assert sorted(entry.name for entry in parent.iterdir() if entry.is_dir()) == sorted(names[1:])
    index.publish(keep_previous=False)
    assert [entry.name for entry in parent.iterdir() if entry.is_dir()] == [
        current_folder(settings).name
    ]


def test_snapshots_of_keys_that_are_gone_are_removed(
    sqlite_catalog: Catalog, settings: Settings, rng: np.random.Generator
):
    (video_id,) = filled(sqlite_catalog, rng, videos_count=1)
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings)
    index.publish()
    remove_snapshots_except(settings, ["k1"])
    assert current_folder(settings).exists()
    with sqlite_catalog.begin() as s:
        videos.remove_video(s, video_id)
    assert index.publish().kind == "empty"
    assert len(index.search(query_of(rng), 5)) == 0
    remove_snapshots_except(settings, [])
    assert list(settings.snapshots.iterdir()) == []


def test_a_snapshot_is_due_when_the_tail_or_what_is_dead_grew(
    sqlite_catalog: Catalog, settings: Settings, rng: np.random.Generator
):
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings, tail_rows=250)
    filled(sqlite_catalog, rng, videos_count=2)
    assert not index.publish_due()
    more = filled(sqlite_catalog, rng, videos_count=5)
    assert index.publish_due()
    index.publish()
    assert not index.publish_due()
    with sqlite_catalog.begin() as s:
        for video_id in more[:3]:
            videos.remove_video(s, video_id)
    assert index.publish_due()


def test_a_large_tail_is_published_on_first_use(
    sqlite_catalog: Catalog, settings: Settings, rng: np.random.Generator
):
    filled(sqlite_catalog, rng)
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, settings, tail_rows=250)
    query = query_of(rng)
    assert_exact(index.search(query, 10), truth(sqlite_catalog, query, 10))
    assert index.memory_bytes == 0
    assert current_folder(settings).exists()


def clustered(catalog: Catalog, rng: np.random.Generator) -> list[int]:
    """20 videos of 300 segments, each near a few centres, as scenes are."""
    centres = support.unit_vectors(rng, 40)
    ids = []
    for number in range(20):
        video_id = support.add_video(
            catalog, f"{number}.mp4", chunks=1, collection=f"c{number % 2}"
        )
        with catalog.begin() as s:
            from indexer.catalog.leasing import chunk_tasks

            item = chunk_tasks.claim_task(s, support.OWNER, 60, ["picture"], video_id=video_id)
            assert item is not None
            near = centres[rng.choice(40, 4)][rng.integers(0, 4, 300)] + 0.2 * support.unit_vectors(
                rng, 300
            )
            vectors = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
            commit_picture(
                s,
                item.task_id,
                support.OWNER,
                support.block(rng, item),
                support.new_segments(item, vectors),
                1.0,
            )
            finalize_video(s, video_id)
        ids.append(video_id)
    return ids


def recall_of(
    index: FaissIndex,
    catalog: Catalog,
    rng: np.random.Generator,
    selection: Selection = Selection(),  # noqa: B008
) -> float:
    shares = []
    with catalog.read() as s:
        lots = list(iterate_vectors(s, "k1"))
    for _ in range(30):
        query = query_of(rng)
        expected = {id for id, _ in best_of(lots, query, 10, selection)}
        shares.append(len(expected & set(index.search(query, 10, selection).ids.tolist())) / 10)
    return float(np.mean(shares))


def test_inverted_lists_hold_their_recall_also_in_selections(
    sqlite_catalog: Catalog, ivf_settings: Settings, rng: np.random.Generator
):
    ids = clustered(sqlite_catalog, rng)
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, ivf_settings, exact_rows=500)
    published = index.publish()
    assert (published.kind, published.rows) == ("ivf", 6000)
    manifest = json.loads((current_folder(ivf_settings) / "manifest.json").read_text())
    assert manifest["nlist"] == list_count(6000) == 128
    assert manifest["nprobe"] < 128, "otherwise the lists gain nothing"
    assert recall_of(index, sqlite_catalog, rng) >= 0.95
    one = Selection(video_ids=(ids[3],))
    assert recall_of(index, sqlite_catalog, rng, one) == 1.0, "a small selection is exact"
    assert recall_of(index, sqlite_catalog, rng, Selection(video_ids=tuple(ids[:3]))) >= 0.95
    assert recall_of(index, sqlite_catalog, rng, Selection(video_ids=tuple(ids[1::2]))) >= 0.95
    report = index.self_check()
    assert report.ok, report.text


def test_inverted_lists_mask_what_is_gone(
    sqlite_catalog: Catalog, ivf_settings: Settings, rng: np.random.Generator
):
    ids = clustered(sqlite_catalog, rng)
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, ivf_settings, exact_rows=500)
    index.publish()
    with sqlite_catalog.begin() as s:
        for video_id in ids[::2]:
            videos.remove_video(s, video_id)
    index.refresh(force=True)
    assert recall_of(index, sqlite_catalog, rng) >= 0.95
    with sqlite_catalog.read() as s:
        found = {row.video_id for row in get_segments(s, index.search(query_of(rng), 6000).ids)}
    assert found == set(ids[1::2])


def test_the_self_check_notices_a_bad_index(
    sqlite_catalog: Catalog, ivf_settings: Settings, rng: np.random.Generator
):
    """Lists probed far too little, as a manifest from elsewhere might say."""
    clustered(sqlite_catalog, rng)
    index = FaissIndex(sqlite_catalog, "k1", support.DIMENSION, ivf_settings, exact_rows=500)
    index.publish()
    folder = current_folder(ivf_settings)
    manifest = json.loads((folder / "manifest.json").read_text())
    content = json.dumps(manifest | {"nprobe": 1}, indent=1, sort_keys=True).encode()
    (folder / "manifest.json").write_bytes(content)
    import hashlib

    (folder.parent / CURRENT).write_text(f"{folder.name} {hashlib.sha256(content).hexdigest()}\n")
    report = FaissIndex(
        sqlite_catalog, "k1", support.DIMENSION, ivf_settings, exact_rows=500
    ).self_check()
    assert not report.ok
    assert report.everything < 0.95
    assert report.one_percent == 1.0


def test_list_count_grows_with_the_root():
    assert [list_count(n) for n in (1, 250_000, 1_000_000, 4_000_000)] == [2, 1024, 2048, 4096]


def test_a_forked_child_searches_on_its_own(
    sqlite_catalog: Catalog, settings: Settings, rng: np.random.Generator
):
    """Workers fork after the parent made the index, before it was used."""
    support.add_ready(sqlite_catalog, ["a.mp4"], rng)
    then = """
        import os, numpy as np
        with catalog.read() as s:
            pass
        pid = os.fork()
        if pid == 0:
            os._exit(len(index.search(np.ones(16, np.float32), 500)))
        print("hits", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    out, err = child(settings, sqlite_catalog, then=then).communicate(timeout=60)
    assert "hits 8" in out, err[-2000:]


def test_importing_the_protocol_loads_no_faiss():
    program = (
        "import sys, indexer.vectors.base, indexer.catalog.vectors.vector_rows, "
        "indexer.catalog.fulltext; sys.exit('faiss' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
