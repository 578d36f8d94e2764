"""Records to a file as JSON lines, so that a run can be killed at any time and go on: rows go to
`FILE.part`, what was committed stands in `FILE.state`, and only a finished run has FILE.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from grounding.errors import DataError
from grounding.records.record import Record


def check_output(output: Path, sources: Iterable[Path]) -> None:
    """Raises DataError where the output is a folder, or writing would overwrite one of the files
    that are read.
    """
    if output.is_dir():
        raise DataError(f"{output} is a folder; name a file for the output")
    for source in sources:
        if output.resolve() == source.resolve() or (
            output.exists() and source.exists() and output.samefile(source)
        ):
            raise DataError(
                f"{output} is read, and would be overwritten; name another file for the output"
            )


def write_records(path: str | Path, records: Iterable[Record]) -> int:
    """Writes all or nothing; returns how many."""
    with RecordWriter(path) as writer:
        for record in records:
            writer.write(record)
        writer.finish()
    return writer.count


class RecordWriter:
    """Writes records, in a `with` block. `job` is what decides the rows (source, seed, ...): with
    the same job an unfinished run goes on, another begins again.

    `state` is that of the last `commit`, or empty. Leaving the block without `finish` keeps what
    was committed. Errors of the disk are OSErrors.
    """

    def __init__(self, path: str | Path, job: Mapping[str, Any] | None = None) -> None:
        self.path = Path(path)
        self.job = json.loads(json.dumps(job or {}, sort_keys=True))
        self.count = 0
        self.state: dict[str, Any] = {}
        self._part = self.path.with_name(self.path.name + ".part")
        self._saved = self.path.with_name(self.path.name + ".state")

    def __enter__(self) -> RecordWriter:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        size = self._restore() if self.job else 0
        self._file = self._part.open("r+b" if size else "wb")
        self._file.truncate(size)
        self._file.seek(size)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._file.closed:
            self._file.close()
            if not self.job:
                # without a job no later run could go on with it
                self._part.unlink()

    def write(self, record: Record) -> None:
        """Appends a record."""
        self.write_row(record.to_json())

    def write_row(self, row: Mapping[str, Any]) -> None:
        """Appends any row of JSON."""
        self._file.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        self.count += 1

    def commit(self, state: Mapping[str, Any]) -> None:
        """Makes what is written up to here, and `state`, survive a kill."""
        self._file.flush()
        os.fsync(self._file.fileno())
        saved = {"job": self.job, "bytes": self._file.tell(), "count": self.count, "state": state}
        replace_text(self._saved, json.dumps(saved))

    def finish(self) -> None:
        """Gives the file its name; nothing can be written after it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self.path)
        self._saved.unlink(missing_ok=True)

    def _restore(self) -> int:
        """Bytes of the unfinished file that count."""
        try:
            saved = json.loads(self._saved.read_text(encoding="utf-8"))
            size = int(saved["bytes"])
            if saved["job"] != self.job or self._part.stat().st_size < size:
                return 0
            self.count, self.state = int(saved["count"]), dict(saved["state"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0
        return size


def replace_text(path: Path, text: str) -> None:
    """Writes beside the file and renames, so that a reader sees the old text or the new one.
    Raises DataError where the disk refuses.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written: {error}") from error
