"""python -m grounding.benchmarks: TASK ANSWERS RECORDS | run CHECKPOINT RECORDS... -o ANSWERS |
table RESULT...
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from grounding.benchmarks.captions import score_captions
from grounding.benchmarks.cases import Case, pair_up
from grounding.benchmarks.dense_captions import score_events
from grounding.benchmarks.judged import score_judged
from grounding.benchmarks.predict import predict
from grounding.benchmarks.referring import score_boxes
from grounding.benchmarks.scores import Scores
from grounding.benchmarks.sound_sources import score_sound_sources
from grounding.benchmarks.table import make_table, read_result
from grounding.benchmarks.temporal_grounding import score_moments
from grounding.benchmarks.yes_no import score_yes_no
from grounding.command_line import positive, print_samples, progress, run_command
from grounding.language_model.answer_store import Answers
from grounding.language_model.endpoint import Endpoint
from grounding.language_model.endpoint_options import (
    add_endpoint_options,
    endpoint_settings,
    store_path,
)
from grounding.lego import load_grounder
from grounding.records.writer import check_output


class Task(NamedTuple):
    """A benchmark's kind: what its help says, and the function that scores its cases."""

    about: str
    score: Callable[[Sequence[Case]], Scores]


TASKS: Mapping[str, Task] = {
    "rec": Task("boxes of phrases: accuracy at IoU .5 (RefCOCO, RefCOCO+, RefCOCOg)", score_boxes),
    "temporal": Task(
        "spans of queries: R@1 at IoU .3, .5, .7, mIoU, mAP where there are several windows "
        "(Charades-STA, QVHighlights)",
        score_moments,
    ),
    "events": Task(
        "all events of a video: SODA_c and CIDEr, with Java METEOR too (ActivityNet Captions)",
        score_events,
    ),
    "sound": Task("where a sound comes from: cIoU and AUC (VGG-SS)", score_sound_sources),
    "caption": Task("descriptions: CIDEr, with Java METEOR too (Clotho)", score_captions),
    "pope": Task(
        "is there a ... in the image: accuracy, precision, recall, F1, yes ratio (POPE)",
        score_yes_no,
    ),
}
JUDGED = "qa"
JUDGED_ABOUT = (
    "open questions about videos, judged by a language model "
    "(MSVD-QA, MSRVTT-QA, TGIF-QA, ActivityNet-QA)"
)


def _score(options: argparse.Namespace) -> int:
    if options.json:
        check_output(options.json, (options.answers, options.records))
    cases, skipped = pair_up(options.answers, options.records)
    scores = _judge(options, cases) if options.task == JUDGED else TASKS[options.task].score(cases)
    print("\n".join(scores.lines()))
    for reason, count in skipped.counts.items():
        print(f"{count:,} lines skipped: {reason}", file=sys.stderr)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(
            json.dumps({"benchmark": options.name, **scores.to_json()}, indent=1) + "\n",
            encoding="utf-8",
        )
    return 0


def _judge(options: argparse.Namespace, cases: Sequence[Case]) -> Scores:
    settings = endpoint_settings(options, temperature=0.0)
    store = Answers(store_path(options, options.answers))

    async def ask() -> Scores:
        async with Endpoint(settings, store) as endpoint:
            return await score_judged(cases, endpoint)

    try:
        return asyncio.run(ask())
    finally:
        store.close()


def _run(options: argparse.Namespace) -> int:
    grounder = load_grounder(
        options.checkpoint,
        device=options.device,
        dtype=options.dtype,
        clip_folder=options.clip,
        max_new_tokens=options.max_new_tokens,
    )
    report = predict(
        grounder,
        options.records,
        options.output,
        options.root,
        question=(lambda record: record.question) if options.wording == "record" else None,
        batch=options.batch,
        limit=options.limit,
        iter_wrapper=partial(progress, "questions"),
    )
    print("\n".join(report.lines()))
    print_samples(report.skipped)
    return int(bool(report.skipped.total()))


def _table(options: argparse.Namespace) -> int:
    print(make_table([read_result(path) for path in options.result]))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    parser = argparse.ArgumentParser(
        prog="python -m grounding.benchmarks",
        description="LEGO on benchmarks (docs/guides/measure.md).",
    )
    verbs = parser.add_subparsers(required=True, metavar="TASK or VERB")
    abouts = {name: task.about for name, task in TASKS.items()} | {JUDGED: JUDGED_ABOUT}
    for task, about in abouts.items():
        add = verbs.add_parser(task, help=about)
        add.add_argument(
            "answers", type=Path, help='JSON lines {"id": ..., "answer": ...}, which `run` writes'
        )
        add.add_argument(
            "records",
            type=Path,
            help="the benchmark, which `python -m grounding.datasets convert` writes",
        )
        add.add_argument(
            "--name",
            default="",
            help='how the benchmark is called in the table, for example "RefCOCO val"',
        )
        add.add_argument("--json", type=Path, help="write the scores for `table`")
        add.set_defaults(run=_score, task=task)
        if task == JUDGED:
            add_endpoint_options(add)
    _add_run(
        verbs.add_parser(
            "run",
            help="a checkpoint answers the questions of records; a run that was stopped goes on",
        )
    )
    add = verbs.add_parser("table", help="one table of all results beside the published numbers")
    add.add_argument("result", nargs="+", type=Path, help="what `--json` wrote")
    add.set_defaults(run=_table)
    return parser


def _add_run(add: argparse.ArgumentParser) -> None:
    add.add_argument("checkpoint", type=Path)
    add.add_argument("records", nargs="+", type=Path)
    add.add_argument("-o", "--output", type=Path, required=True, help="answers, JSON lines")
    add.add_argument(
        "--root", type=Path, default=Path(), help="folder of the media (default: the current one)"
    )
    add.add_argument("--device", default="cpu")
    add.add_argument("--dtype", default="bfloat16", help="bfloat16, float16, float32, int8, int4")
    add.add_argument(
        "--clip",
        type=Path,
        help="folder of CLIP's weights, if it is not beside or inside the checkpoint",
    )
    add.add_argument("--max-new-tokens", type=positive, default=128)
    add.add_argument(
        "--batch",
        type=positive,
        default=8,
        help="questions about the same media at once (default 8)",
    )
    add.add_argument("--limit", type=positive, help="only the first records")
    add.add_argument(
        "--wording",
        choices=("fixed", "record"),
        default="fixed",
        help="one wording for each task, or each record's own",
    )
    add.set_defaults(run=_run)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit status."""
    return run_command(build_parser(), arguments)


if __name__ == "__main__":
    sys.exit(main())
