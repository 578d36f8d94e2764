"""Answers of a language model on disk, so that none is paid for twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from grounding.errors import DataError


@dataclass(frozen=True, slots=True)
class Answer:
    """What a language model answered."""

    text: str
    finished: bool = True
    """False: cut off at `answer_tokens`."""
    tokens: int = 0
    remembered: bool = False


class Answers:
    """Answers on disk by the content of the request. Each is committed as it comes. Raises
    DataError where the file cannot be used. `limit`: of more answers the oldest go; 0: none.
    """

    def __init__(self, path: str | Path, *, limit: int = 0) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._explain_errors():
            self._database = sqlite3.connect(self.path)
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL)"
            )
            if limit:
                with self._database:
                    self._database.execute(
                        "DELETE FROM answers WHERE rowid <= "
                        "(SELECT coalesce(max(rowid), 0) FROM answers) - ?",
                        (limit,),
                    )

    def get(self, key: str) -> Answer | None:
        """None where the request was not answered yet."""
        with self._explain_errors():
            row = self._database.execute(
                "SELECT answer FROM answers WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        raw = json.loads(row[0])
        return Answer(raw["text"], raw["finished"], raw["tokens"], remembered=True)

    def put(self, key: str, answer: Answer) -> None:
        """Keeps an answer, in place of an earlier one."""
        with self._explain_errors(), self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, json.dumps(asdict(answer)))
            )

    @contextmanager
    def _explain_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DataError(
                "{path} cannot be used as a store of answers: {error}; remove it or name another",
                path=self.path,
                error=error,
            ) from error

    def close(self) -> None:
        """The file can be opened again afterwards."""
        self._database.close()
