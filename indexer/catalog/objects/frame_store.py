"""Where frame vectors lie that are not in the database: an object for each chunk and key, which is
written before the row that names it is committed and never changed.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from indexer.catalog import objects
from indexer.errors import CatalogError, UsageError

IN_SESSION = "frame_store"  # where the `info` of a session of the catalog has it
FOLDER, SWEPT = "frames", "swept"
AT_ONCE = 16
CACHE_BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`age_s`: seconds since it was written, by the clock of the storage."""

    name: str
    size_bytes: int
    age_s: float


class ObjectStore(Protocol):
    """Raises CatalogBusy where the storage is away, StorageError where it refuses."""

    def put(self, name: str, content: bytes) -> None:
        """Writes an object whole."""
        ...

    def get(self, name: str) -> bytes | None:
        """An object; None where there is none of this name."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Deletes objects; those that are not there are gone."""
        ...

    def list(self, prefix: str) -> Iterator[list[StoredObject]]:
        """All whose names begin so, some at a time."""
        ...


class FrameStore:
    """Frame vectors as objects. Safe to share between threads, and by a forked child. `url`:
    `s3://bucket/folder`; `endpoint`: of a server other than Amazon's.

    Raises UsageError for another URL, and where the client is not installed.
    """

    def __init__(self, url: str, endpoint: str = "", *, cache_bytes: int = CACHE_BYTES) -> None:
        self.url = url
        self._objects = open_store(url, endpoint)
        self._lock = threading.Lock()
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._cache_bytes = cache_bytes

    def write(self, video_id: int, chunk_id: int, content: bytes) -> str:
        """Stores the vectors of a chunk; the name of the object, which nothing else has."""
        name = f"{_folder_of(video_id)}{chunk_id}-{secrets.token_hex(8)}"
        self._objects.put(name, content)
        return name

    def write_all(self, chunks: Sequence[tuple[int, int, bytes]]) -> list[str]:
        """The same of several (video, chunk, vectors), beside each other."""
        with ThreadPoolExecutor(AT_ONCE, "frames") as pool:
            return list(pool.map(lambda one: self.write(*one), chunks))

    def read_all(self, names: Iterable[str]) -> Mapping[str, bytes]:
        """Name -> vectors. Raises CatalogError where one is not there."""
        wanted = list(dict.fromkeys(names))
        found = {name: content for name in wanted if (content := self._cached(name)) is not None}
        lacking = [name for name in wanted if name not in found]
        if len(lacking) == 1:
            fetched = [self._objects.get(lacking[0])]
        elif lacking:
            with ThreadPoolExecutor(min(AT_ONCE, len(lacking)), "frames") as pool:
                fetched = list(pool.map(self._objects.get, lacking))
        else:
            fetched = []
        for name, content in zip(lacking, fetched, strict=True):
            if content is None:
                raise CatalogError(
                    "the frame vectors {name} are not in {url}",
                    "`seekpoint doctor` says of which videos; remove these and ingest them again, "
                    "or bring a copy of the objects back",
                    name=name,
                    url=self.url,
                )
            found[name] = content
            self._keep(name, content)
        return found

    def delete(self, names: Sequence[str]) -> None:
        """Deletes objects that no row names."""
        if names:
            self._objects.delete(names)

    def delete_videos(self, video_ids: Iterable[int]) -> None:
        """Deletes all objects of videos that are no more."""
        for video_id in video_ids:
            for found in self._objects.list(_folder_of(video_id)):
                self.delete([one.name for one in found])

    def list(self) -> Iterator[list[StoredObject]]:
        """All objects, some at a time."""
        return self._objects.list(f"{FOLDER}/")

    def swept_s_ago(self) -> float:
        """Seconds since `note_sweep`, of whichever machine; infinite where there was none."""
        ages = [one.age_s for found in self._objects.list(SWEPT) for one in found]
        return min(ages, default=float("inf"))

    def note_sweep(self) -> None:
        """All objects were compared with the rows."""
        self._objects.put(SWEPT, b"")

    def _cached(self, name: str) -> bytes | None:
        with self._lock:
            if (content := self._cache.get(name)) is not None:
                self._cache.move_to_end(name)
            return content

    def _keep(self, name: str, content: bytes) -> None:
        with self._lock:
            if name not in self._cache:
                self._cache[name] = content
                self._cached_bytes += len(content)
            while self._cached_bytes > self._cache_bytes:
                self._cached_bytes -= len(self._cache.popitem(last=False)[1])


def open_store(url: str, endpoint: str) -> ObjectStore:
    """The storage that a URL names. Raises UsageError."""
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise UsageError(
            "SEEKPOINT_FRAMES_URL={url!r} names no object storage",
            "use s3://bucket/folder, and SEEKPOINT_S3_ENDPOINT for a server other than Amazon's",
            url=url,
        )
    try:
        return objects.s3.S3Store(parts.netloc, parts.path.strip("/"), endpoint)
    except ModuleNotFoundError as error:
        raise UsageError(
            "object storage needs the Python package {name}",
            "pip install 'seekpoint[s3]'",
            name=error.name,
        ) from None


def _folder_of(video_id: int) -> str:
    return f"{FOLDER}/{video_id}/"
