"""Few rows are multiplied, many are searched by FAISS: both find the same."""

import numpy as np
import pytest

from indexer.catalog.vectors.vector_rows import VectorRows
from indexer.embedders.base import unit
from indexer.vectors import rowset
from indexer.vectors.base import Selection
from indexer.vectors.rowset import MatrixIndex, RowSet, concatenate


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def rows_of(rng: np.random.Generator, count: int) -> VectorRows:
    vectors = unit(rng.standard_normal((count, 16))).astype(np.float16).astype(np.float32)
    ids = np.arange(1, count + 1)
    return VectorRows(ids, ids // 2, ids // 8, ids % 3, vectors)


def test_a_matrix_finds_what_faiss_finds(rng, monkeypatch):
    rows, query = rows_of(rng, 200), unit(rng.standard_normal(16)).astype(np.float32)
    small = RowSet.of(rows)
    monkeypatch.setattr(rowset, "MATRIX_ROWS", 0)
    large = RowSet.of(rows)
    assert isinstance(small.index, MatrixIndex)
    assert not isinstance(large.index, MatrixIndex)
    assert (small.codes == large.codes).all()
    for selection in (Selection(), Selection(collection_ids=(1,)), Selection(video_ids=(2, 3))):
        found = small.search(query, 20, small.mask(selection))
        wanted = large.search(query, 20, large.mask(selection))
        assert found.ids.tolist() == wanted.ids.tolist()
        assert np.allclose(found.scores, wanted.scores, atol=1e-6)


def test_slabs_that_join_keep_their_rows(rng, monkeypatch):
    rows = rows_of(rng, 60)
    first, second = RowSet.of(rows).take(np.arange(40)), RowSet.of(rows).take(np.arange(40, 60))
    monkeypatch.setattr(rowset, "MATRIX_ROWS", 50)
    joined = concatenate([first, second])
    assert not isinstance(joined.index, MatrixIndex)
    assert joined.ids.tolist() == rows.ids.tolist()
    assert (joined.vectors(slice(None)) == rows.vectors).all()
