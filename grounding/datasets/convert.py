"""A public set in its own format becomes records, one row after the other. What is written depends
on the files and the seed alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from grounding.datasets.annotations import Annotation
from grounding.datasets.dataset import DataSet
from grounding.datasets.questions import QuestionBank, pick
from grounding.datasets.sources import ODD
from grounding.datasets.tasks import Media, make_record, tasks_for
from grounding.errors import DataError
from grounding.records.media_files import SUFFIXES, find_file, safe_name
from grounding.records.record import Record
from grounding.records.skips import Skip, SkipRow, Tally
from grounding.records.writer import RecordWriter, check_output

COMMIT_EVERY = 1000
"""Rows."""
T = TypeVar("T")


def identity(rows: Iterable[T]) -> Iterable[T]:
    """The rows as they are: the default where a caller may show progress."""
    return rows


@dataclass(frozen=True, slots=True)
class Options:
    """How a set is converted."""

    media: Path | None
    """Folder of the set's files; None: files are not looked for, and rows that need one for its
    size or length are skipped.
    """
    root: Path | None = None
    """Paths in records are relative to it; None: to `media`."""
    seed: int = 0
    split: str | None = None
    """None: the set's own choice."""
    tasks: tuple[str, ...] = ()
    """Empty: all that the set offers."""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the rows."""

    read: int
    written: int
    skipped: Tally

    def lines(self) -> list[str]:
        """For the terminal."""
        total = f"{self.written:,} records from {self.read:,} annotations"
        return [
            total,
            *(
                f"{count:8,} skipped: {reason}"
                for reason, count in self.skipped.counts.most_common()
            ),
        ]


def convert(
    data_set: DataSet,
    sources: Sequence[Path],
    output: Path,
    options: Options,
    *,
    bank: QuestionBank | None = None,
    iter_wrapper: Callable[[Iterable[Annotation]], Iterable[Annotation]] = identity,
) -> Report:
    """Writes `output` (JSON lines). A run that was killed goes on behind the last row that it
    committed; bad rows are counted. Raises DataError for files, folders and tasks that do not
    belong to the set.
    """
    data_set.check_sources(sources)
    check_output(output, sources)
    _check_folders(options)
    bank = bank or QuestionBank.load()
    tasks = _select_tasks(data_set, options.tasks)
    with RecordWriter(output, _job(data_set, sources, options, bank)) as writer:
        done = int(writer.state.get("read", 0))
        tally = Tally.from_json(writer.state["skipped"]) if writer.state else Tally()
        silent = Tally()  # what the committed part skipped is counted already

        def on_skip(skip: Skip) -> None:
            (silent if read < done else tally)(skip)

        read = 0
        seen: set[bytes] = set()
        for annotation in iter_wrapper(
            _in_split(data_set.read(sources, on_skip), options.split or data_set.split)
        ):
            known = _is_known(annotation, seen)
            if read >= done:
                _write(
                    annotation,
                    known,
                    writer,
                    on_skip,
                    lambda row: _record(row, data_set, tasks, options, bank),
                )
            read += 1
            if read > done and read % COMMIT_EVERY == 0:
                writer.commit({"read": read, "skipped": tally.to_json()})
            if options.limit is not None and writer.count >= options.limit:
                break
        writer.finish()
    return Report(read, writer.count, tally)


def _write(
    annotation: Annotation,
    known: bool,
    writer: RecordWriter,
    on_skip: Callable[[Skip], None],
    make: Callable[[Annotation], Record],
) -> None:
    try:
        if known:
            raise SkipRow("duplicate")
        writer.write(make(annotation))
    except SkipRow as skip:
        on_skip(skip.at(annotation.key))
    except ODD as error:
        if isinstance(error, DataError):
            raise
        on_skip(Skip("row of another form", annotation.key, f"{type(error).__name__}: {error}"))


def _record(
    annotation: Annotation,
    data_set: DataSet,
    tasks: Sequence[str],
    options: Options,
    bank: QuestionBank,
) -> Record:
    name = f"{data_set.name}/{annotation.key}"
    fitting = [task for task in tasks if task == "dialogue" or task in tasks_for(annotation.fact)]
    if not fitting:
        raise SkipRow("task not asked for", type(annotation.fact).__name__)
    named, paths = _files(annotation, options)
    task = pick(fitting, options.seed, name, "task")
    return make_record(
        annotation, task, bank, options.seed, named=named, media=Media(paths), name=name
    )


def _files(annotation: Annotation, options: Options) -> tuple[dict[str, str], dict[str, Path]]:
    """Media -> the path that the record gives, and the file if it was looked for."""
    if options.media is None:
        return {kind: _likeliest(kind, names) for kind, names in annotation.media.items()}, {}
    paths = {
        kind: find_file(options.media, kind, names) for kind, names in annotation.media.items()
    }
    place = _below(options.media, options.root or options.media)
    return {
        kind: (place / path.relative_to(options.media)).as_posix() for kind, path in paths.items()
    }, paths


def _below(media: Path, root: Path) -> Path:
    """`media` relative to `root`, as both are written: what lies below them may be links to
    anywhere. Raises DataError.
    """
    for read in (_absolute, Path.resolve):
        if read(media).is_relative_to(read(root)):
            return read(media).relative_to(read(root))
    raise DataError(
        f"{media} does not lie below {root}, to which the records' paths are to be relative"
    )


def _absolute(path: Path) -> Path:
    """Without `..`, and without following links."""
    return Path(os.path.abspath(path))


def _likeliest(kind: str, names: Sequence[str]) -> str:
    name = safe_name(names[0])
    return name if Path(name).suffix.lower() in SUFFIXES[kind] else name + SUFFIXES[kind][0]


def _in_split(annotations: Iterator[Annotation], split: str) -> Iterator[Annotation]:
    return (annotation for annotation in annotations if not split or annotation.split == split)


def _is_known(annotation: Annotation, seen: set[bytes]) -> bool:
    """Eight bytes a row: the same words about the same medium."""
    text = repr((sorted(annotation.media.items()), annotation.fact))
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    if digest in seen:
        return True
    seen.add(digest)
    return False


def _check_folders(options: Options) -> None:
    if options.media is None:
        return
    if not options.media.is_dir():
        raise DataError(f"{options.media} is not a folder; name the one that holds the set's files")
    _below(options.media, options.root or options.media)


def _select_tasks(data_set: DataSet, wanted: Sequence[str]) -> tuple[str, ...]:
    unknown = set(wanted) - set(data_set.tasks)
    if unknown:
        raise DataError(
            f"{data_set.name} has no task {', '.join(sorted(unknown))}; it has "
            f"{', '.join(data_set.tasks)}"
        )
    return tuple(task for task in data_set.tasks if not wanted or task in wanted)


def _job(
    data_set: DataSet, sources: Sequence[Path], options: Options, bank: QuestionBank
) -> Mapping[str, Any]:
    """What decides the output: a run that differs in any of it begins again."""
    files = [
        [str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns] for path in sources
    ]
    chosen = [
        options.seed,
        options.split,
        list(options.tasks),
        options.limit,
        str(options.media),
        str(options.root),
    ]
    return {"set": data_set.name, "sources": files, "options": chosen, "bank": bank.digest()}
