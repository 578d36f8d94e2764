"""Short hashes that say whether two embedders give the same vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

BLOCK_BYTES = 65536
BLOCK_COUNT = 16


def file_identity(path: Path) -> bytes:
    """Hash of name, size and 16 evenly spread blocks of 64 KiB: gigabytes of weights are told apart
    within milliseconds.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(f"{path.name}\0{size}\0".encode())
    with path.open("rb") as file:
        for block in range(BLOCK_COUNT):
            file.seek(max(0, size - BLOCK_BYTES) * block // (BLOCK_COUNT - 1))
            digest.update(file.read(BLOCK_BYTES))
    return digest.digest()


def make_key(name: str, version: int, files: Iterable[Path]) -> str:
    """`name-version-hash`, where the hash is that of the model's files in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: (path.name, str(path))):
        digest.update(file_identity(path))
    return f"{name}-{version}-{digest.hexdigest()[:12]}"
