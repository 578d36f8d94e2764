"""What people keep is counted, also while it is coming, on both databases alike."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from indexer.catalog import Catalog, accounts
from indexer.catalog.people.uploads import (
    drop_upload,
    finish_upload,
    forget_uploads,
    reserve_upload,
    used_bytes,
)
from indexer.errors import StorageError


@pytest.fixture
def vera(catalog: Catalog) -> int:
    with catalog.begin() as s:
        return accounts.add_account(s, "vera", "editor", None, password_hash="x")


def test_parallel_uploads_do_not_pass_the_quota(catalog: Catalog, vera: int):
    def reserve(_: int) -> bool:
        try:
            with catalog.begin() as s:
                reserve_upload(s, vera, 30, 100)
        except StorageError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(reserve, range(20))) == 3
    with catalog.read() as s:
        assert used_bytes(s, vera) == 90


def test_a_file_grows_is_kept_and_goes(catalog: Catalog, vera: int):
    with catalog.begin() as s:
        upload = reserve_upload(s, vera, 40, 100)
        assert reserve_upload(s, vera, 90, 100, upload) == upload
        with pytest.raises(StorageError, match="are allowed"):
            reserve_upload(s, vera, 101, 100, upload)
        finish_upload(s, upload, "a.mp4", 80)
        broken = reserve_upload(s, vera, 20, 100)
        drop_upload(s, broken)
        assert used_bytes(s, vera) == 80
        assert used_bytes(s, None) == 0
        forget_uploads(s, ["a.mp4"])
        assert used_bytes(s, vera) == 0


def test_without_a_quota_there_is_no_limit(catalog: Catalog):
    with catalog.begin() as s:
        assert reserve_upload(s, None, 10**15, 0)
