"""Objects behind the API of S3. Keys and region come from where Amazon's client finds them
(environment, `~/.aws`, the machine's role).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
)

from indexer.catalog.objects.frame_store import AT_ONCE, StoredObject
from indexer.errors import CatalogBusy, StorageError

DELETED_AT_ONCE = 1000  # the most that the API takes
CONNECT_TIMEOUT_S, READ_TIMEOUT_S, ATTEMPTS = 5, 30, 3


class S3Store:
    """Objects of a bucket below a folder; the names leave the folder out."""

    def __init__(self, bucket: str, folder: str, endpoint: str) -> None:
        self._bucket = bucket
        self._prefix = f"{folder}/" if folder else ""
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._made: Any = None
        self._pid = 0

    def put(self, name: str, content: bytes) -> None:
        """Writes an object whole."""
        with self._errors():
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content)

    def get(self, name: str) -> bytes | None:
        """An object; None where there is none of this name."""
        with self._errors():
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            except ClientError as error:
                if _code(error) == "NoSuchKey":
                    return None
                raise
            return found["Body"].read()

    def delete(self, names: Sequence[str]) -> None:
        """Deletes objects; those that are not there are gone."""
        for first in range(0, len(names), DELETED_AT_ONCE):
            lot = names[first : first + DELETED_AT_ONCE]
            keys = [{"Key": self._prefix + name} for name in lot]
            with self._errors():
                done = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True}
                )
            for failed in done.get("Errors", ()):
                raise self._refusal(failed.get("Message") or failed.get("Code", ""))

    def list(self, prefix: str) -> Iterator[list[StoredObject]]:
        """All whose names begin so, some at a time."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._errors():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                now = datetime.now(UTC)
                yield [
                    StoredObject(
                        one["Key"].removeprefix(self._prefix),
                        one["Size"],
                        (now - one["LastModified"]).total_seconds(),
                    )
                    for one in page.get("Contents", ())
                ]

    @property
    def _client(self) -> Any:
        """Of this process: connections do not outlive a fork."""
        with self._lock:
            if self._made is None or self._pid != os.getpid():
                config = Config(
                    max_pool_connections=AT_ONCE,
                    connect_timeout=CONNECT_TIMEOUT_S,
                    read_timeout=READ_TIMEOUT_S,
                    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                )
                # A session of its own: the module's is not safe to share between threads.
                self._made = Session().client(
                    "s3", endpoint_url=self._endpoint or None, config=config
                )
                self._pid = os.getpid()
            return self._made

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                raise self._absence(error) from error
            raise self._refusal(str(error)) from error
        except (ConnectionError, HTTPClientError) as error:
            raise self._absence(error) from error
        except BotoCoreError as error:
            raise self._refusal(str(error)) from error

    def _absence(self, error: Exception) -> CatalogBusy:
        return CatalogBusy(
            "the object storage of bucket {bucket} is unreachable ({reason})",
            "check that it runs, and SEEKPOINT_FRAMES_URL and SEEKPOINT_S3_ENDPOINT",
            bucket=self._bucket,
            reason=str(error),
        )

    def _refusal(self, reason: str) -> StorageError:
        return StorageError(
            "the object storage of bucket {bucket} refused: {reason}",
            "check SEEKPOINT_FRAMES_URL, and the keys and rights of the client of S3 "
            "(AWS_ACCESS_KEY_ID and its like)",
            bucket=self._bucket,
            reason=reason,
        )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
