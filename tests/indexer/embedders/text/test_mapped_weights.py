import json

import numpy as np
import pytest

from indexer.embedders.text.mapped_weights import UnpackedWeights, map_weights
from indexer.embedders.text.sentences import minilm_folder
from indexer.errors import ModelError

WEIGHTS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "eps": np.array(0.5)}


def test_mapped_weights_are_those_of_the_file():
    from safetensors.numpy import load_file

    path = minilm_folder() / "model.safetensors"
    mapped, read = map_weights(path), load_file(path)
    assert mapped.keys() == read.keys()
    assert all(np.array_equal(mapped[name], read[name]) for name in mapped)


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"not weights at all"])
def test_a_file_that_is_not_whole_is_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read"):
        map_weights(path)


def test_weights_in_an_unknown_number_format_are_refused(tmp_path):
    header = json.dumps({"a": {"dtype": "F8", "shape": [1], "data_offsets": [0, 1]}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0")
    with pytest.raises(ModelError, match="F8"):
        map_weights(path)


def test_weights_are_unpacked_once(tmp_path, monkeypatch):
    monkeypatch.setattr(UnpackedWeights, "folder", tmp_path / "cache")
    packed = tmp_path / "weights.npz"
    packed.write_bytes(b"packed")
    calls = []

    def unpack():
        calls.append(1)
        return WEIGHTS

    for _ in range(2):
        found = UnpackedWeights.of(packed, unpack)
        assert {name: array.tolist() for name, array in found.items()} == {
            name: array.tolist() for name, array in WEIGHTS.items()
        }
    assert len(calls) == 1


def test_a_torn_file_is_unpacked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(UnpackedWeights, "folder", tmp_path / "cache")
    packed = tmp_path / "weights.npz"
    packed.write_bytes(b"packed")
    UnpackedWeights.of(packed, lambda: WEIGHTS)
    [kept] = (tmp_path / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:20])
    UnpackedWeights.of(packed, lambda: WEIGHTS)
    assert map_weights(kept).keys() == WEIGHTS.keys()


def test_where_nothing_can_be_kept_the_weights_are_unpacked_every_time(tmp_path, monkeypatch):
    packed = tmp_path / "weights.npz"
    packed.write_bytes(b"packed")
    monkeypatch.setattr(UnpackedWeights, "folder", packed / "below a file")
    assert UnpackedWeights.of(packed, lambda: WEIGHTS).keys() == WEIGHTS.keys()
