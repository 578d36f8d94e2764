"""A library of ten million segments: how long its snapshot takes to build, and how long a whole
answer takes.

    python -m benchmarks.large [--rows 10000000] [--frames-hz 0.8]             all of it, in a
                                                                              temporary folder
    python -m benchmarks.large --folder DIR --step {fill,publish,ask}          one step, kept in DIR

The catalog is a SQLite file, the snapshot is mapped, the embedder is `lite`; where rows.py puts the
segments is said there. Questions are those of absent_questions.json, each asked once, so what an
answer reads of the catalog was not read before. recall@10 is against comparing with every row.

Ten million segments with .8 frames a second take 34 GB of disk and four of memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.large.rows import Shape, fill
from benchmarks.support.measure import memory_gb, seconds
from indexer.context import Context
from indexer.search.searcher import Searcher
from indexer.search.types import Scope
from indexer.settings import Settings
from indexer.vectors.base import Selection
from indexer.vectors.faiss_index import FaissIndex
from indexer.vectors.neighbours import NEIGHBOURS, recall
from indexer.vectors.recall import nearest_rows

QUESTIONS = Path(__file__).parents[1] / "absent_questions.json"
STEPS = ("fill", "publish", "ask")
CANDIDATES = 400
CHECKED_QUESTIONS = 20


def main() -> None:
    """A Markdown table for each step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--step", choices=STEPS, nargs="+", default=STEPS, help="default: all")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--frames-hz", type=float, default=0.8)
    parser.add_argument("--questions", type=int, default=40, help="at most 100")
    parser.add_argument("--folder", type=Path, help="is kept; default: a temporary one")
    options = parser.parse_args()
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        _run(options.folder, options)
        return
    with tempfile.TemporaryDirectory() as folder:
        _run(Path(folder), options)


def _run(folder: Path, options: argparse.Namespace) -> None:
    context = Context(Settings(home=folder))
    key = f"{context.embedder.key}/large"
    for step in options.step:
        print(f"\n## {step}\n\n| what | measured |\n|---|---|", flush=True)
        if step == "fill":
            fill_catalog(context, Shape(options.rows, key, options.frames_hz))
        elif step == "publish":
            publish(context, key)
        else:
            ask(context, key, load_questions()[: options.questions])


def fill_catalog(context: Context, shape: Shape) -> None:
    """Tables and rows."""
    path = context.catalog.sqlite_path
    assert path is not None
    context.catalog.close()
    started = time.perf_counter()
    fill(path, shape)
    say("segments", f"{shape.rows:,}")
    say("writing the rows", f"{time.perf_counter() - started:.0f} s")
    say("catalog", f"{path.stat().st_size / 1e9:.1f} GB")


def publish(context: Context, key: str) -> None:
    """Builds the snapshot."""
    started = time.process_time()
    index = FaissIndex(context.catalog, key, context.embedder.dimension, context.settings)
    done = index.publish(keep_previous=False)
    say("rows", f"{done.rows:,} ({done.kind})")
    say("building the snapshot", f"{done.seconds:.0f} s")
    say("of CPU", f"{time.process_time() - started:.0f} s")
    say("snapshot", f"{done.size_bytes / 1e9:.1f} GB")
    say("peak of memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


def ask(context: Context, key: str, captions: list[str]) -> None:
    """Whole answers in words, the index alone, and its recall."""
    questions = [f"when is there {text}?" for text in captions]
    embedder = context.embedder
    embedder.embed_texts(["a picture"])
    before = memory_gb("RssAnon")
    index = context.index_for(key)
    say("opening, checksums included", f"{seconds(index.refresh):.1f} s")
    searcher = Searcher(context)
    say("first answer", f"{seconds(lambda: searcher.search(questions[0], Scope())):.2f} s")
    whole = [seconds(lambda q=q: searcher.search(q, Scope())) for q in questions[1:]]
    say("whole answer, each question asked once", spread_ms(whole))
    started = time.process_time()
    again = [seconds(lambda q=q: searcher.search(q, Scope())) for q in questions[1:]]
    say("whole answer, asked again", spread_ms(again))
    cpu_ms = (time.process_time() - started) / len(again) * 1000
    say("of CPU, on average", f"{cpu_ms:.0f} ms")
    embed = [seconds(lambda q=q: embedder.embed_texts([q])) for q in questions]
    say("of it the question's vector", spread_ms(embed))
    vectors = embedder.embed_texts(questions)
    alone = [seconds(lambda v=v: index.search(v, CANDIDATES)) for v in vectors]
    say("of it the index", spread_ms(alone))
    rare = Selection(collection_ids=(2,))
    of_one = [seconds(lambda v=v: index.search(v, CANDIDATES, rare)) for v in vectors]
    say("the index, in 1 % of the rows", spread_ms(of_one))
    say("memory, mapped files left out", f"{memory_gb('RssAnon') - before:.2f} GB")
    check(index, vectors[:CHECKED_QUESTIONS])


def check(index, vectors: np.ndarray) -> None:
    """recall@10 of questions in words, and of the index's own sample."""
    view = index._view
    assert view is not None
    assert view.snapshot is not None
    manifest = view.snapshot.manifest
    say("lists, of which are read", f"{manifest.nlist:,}, {manifest.nprobe}")
    best, _ = nearest_rows(view.snapshot.rows, vectors)
    for_400 = recall(lambda vector: index.search(vector, CANDIDATES), vectors, best)
    for_10 = recall(lambda vector: index.search(vector, NEIGHBOURS), vectors, best)
    say("recall@10 of questions in words, of 400 / of 10 hits", f"{for_400:.3f} / {for_10:.3f}")
    report = index.self_check(CHECKED_QUESTIONS)
    say("recall@10 between segments: all", f"{report.everything:.3f}")
    say(
        "in videos of 1 % / 15 % of the rows",
        f"{report.one_percent:.3f} / {report.large_selection:.3f}",
    )


def load_questions() -> list[str]:
    """A hundred captions."""
    content = json.loads(QUESTIONS.read_text("utf-8"))
    return list(dict.fromkeys(content["fit"] + content["held_out"]))


# --- measuring ---


def say(what: str, measured: str) -> None:
    """A row of the table."""
    print(f"| {what} | {measured} |", flush=True)


def spread_ms(times: list[float]) -> str:
    """Median and 95th percentile."""
    median, slow = np.percentile(times, (50, 95)) * 1000
    return f"{median:.0f} ms ({slow:.0f})"


if __name__ == "__main__":
    main()
