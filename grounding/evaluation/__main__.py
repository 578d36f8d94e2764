"""python -m grounding.evaluation: TASK ANSWERS RECORDS | run CHECKPOINT RECORDS... -o ANSWERS |
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

from grounding.data.errors import DataError
from grounding.data.options import (
    add_endpoint_options,
    endpoint_settings,
    positive,
    run_command,
    store_path,
)
from grounding.data.writer import check_output
from grounding.evaluation.cases import Case, pair_up
from grounding.evaluation.errors import EvaluationError
from grounding.evaluation.scores import Scores

TASKS: Mapping[str, str] = {
    "rec": "boxes of phrases: accuracy at IoU .5 (RefCOCO, RefCOCO+, RefCOCOg)",
    "temporal": "spans of queries: R@1 at IoU .3, .5, .7, mIoU, mAP where there are several windows (Charades-STA, QVHighlights)",
    "events": "all events of a video: SODA_c and CIDEr, with Java METEOR too (ActivityNet Captions)",
    "sound": "where a sound comes from: cIoU and AUC (VGG-SS)",
    "caption": "descriptions: CIDEr, with Java METEOR too (Clotho)",
    "pope": "is there a ... in the image: accuracy, precision, recall, F1, yes ratio (POPE)",
    "qa": "open questions about videos, judged by a language model (MSVD-QA, MSRVTT-QA, TGIF-QA, ActivityNet-QA)",
}


def protocol(task: str) -> Callable[[Sequence[Case]], Scores]:
    from grounding.evaluation.captions import score_captions
    from grounding.evaluation.dense_captions import score_events
    from grounding.evaluation.moments import score_moments
    from grounding.evaluation.referring import score_boxes
    from grounding.evaluation.sound_sources import score_sound_sources
    from grounding.evaluation.yes_no import score_yes_no

    protocols: dict[str, Callable[[Sequence[Case]], Scores]] = {
        "rec": score_boxes,
        "temporal": score_moments,
        "events": score_events,
        "sound": score_sound_sources,
        "caption": score_captions,
        "pope": score_yes_no,
    }
    return protocols[task]


def score(given: argparse.Namespace) -> int:
    if given.json:
        check_output(given.json, (given.answers, given.records))
    cases, skipped = pair_up(given.answers, given.records)
    scores = _judged(given, cases) if given.task == "qa" else protocol(given.task)(cases)
    print("\n".join(scores.lines()))
    for reason, count in skipped.counts.items():
        print(f"{count:,} lines skipped: {reason}", file=sys.stderr)
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(
            json.dumps({"benchmark": given.name, **scores.to_json()}, indent=1) + "\n",
            encoding="utf-8",
        )
    return 0


def _judged(given: argparse.Namespace, cases: Sequence[Case]) -> Scores:
    from grounding.data.answer_store import Answers
    from grounding.data.endpoint import Endpoint
    from grounding.evaluation.judged import score_judged

    settings = endpoint_settings(given, temperature=0.0)
    store = Answers(store_path(given, given.answers))

    async def run() -> Scores:
        async with Endpoint(settings, store) as endpoint:
            return await score_judged(cases, endpoint)

    try:
        return asyncio.run(run())
    finally:
        store.close()


def run(given: argparse.Namespace) -> int:
    from grounding.data.__main__ import progress
    from grounding.evaluation.predict import predict
    from grounding.lego import load_grounder

    grounder = load_grounder(
        given.checkpoint,
        device=given.device,
        dtype=given.dtype,
        clip_folder=given.clip,
        max_new_tokens=given.max_new_tokens,
    )
    ran = predict(
        grounder,
        given.records,
        given.output,
        given.root,
        question=(lambda record: record.question) if given.wording == "record" else None,
        batch=given.batch,
        limit=given.limit,
        iter_wrapper=partial(progress, "questions"),
    )
    print("\n".join(ran.lines()))
    for kept in ran.skipped.samples.values():
        print(*(f"  {line}" for line in kept), sep="\n", file=sys.stderr)
    return int(bool(ran.skipped.total()))


def table(given: argparse.Namespace) -> int:
    from grounding.evaluation.table import make_table, read_result

    print(make_table([read_result(path) for path in given.result]))
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grounding.evaluation",
        description="LEGO on benchmarks (docs/guides/measure.md).",
    )
    verbs = parser.add_subparsers(required=True, metavar="TASK or VERB")
    for task, about in TASKS.items():
        add = verbs.add_parser(task, help=about)
        add.add_argument(
            "answers", type=Path, help='JSON lines {"id": ..., "answer": ...}, which `run` writes'
        )
        add.add_argument(
            "records",
            type=Path,
            help="the benchmark, which `python -m grounding.data convert` writes",
        )
        add.add_argument(
            "--name",
            default="",
            help='how the benchmark is called in the table, for example "RefCOCO val"',
        )
        add.add_argument("--json", type=Path, help="write the scores for `table`")
        add.set_defaults(run=score, task=task)
        if task == "qa":
            add_endpoint_options(add)
    _add_run(
        verbs.add_parser(
            "run",
            help="a checkpoint answers the questions of records; a run that was stopped goes on",
        )
    )
    add = verbs.add_parser("table", help="one table of all results beside the published numbers")
    add.add_argument("result", nargs="+", type=Path, help="what `--json` wrote")
    add.set_defaults(run=table)
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
    add.set_defaults(run=run)


def main(arguments: Sequence[str] | None = None) -> int:
    from grounding.lego.errors import LegoError

    return run_command(build_parser(), arguments, DataError, EvaluationError, LegoError)


if __name__ == "__main__":
    sys.exit(main())
