"""`python -m grounding.training.tiny.demo FOLDER`: a tiny LEGO learns to ground events, things and
sounds that it has not seen.

Data is drawn, the language model reads text, the encoders learn what is where; then the three
stages run, and after each the model is asked about held-out combinations. What is done is kept: a
demo that was stopped goes on. Nothing is downloaded.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from grounding.lego.checkpoint.save import save_model
from grounding.lego.grounder import Grounder, load_grounder
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.preprocess.image import ImageTransform
from grounding.lego.preprocess.tokenizer import LegoTokenizer
from grounding.records.writer import replace_text
from grounding.synthetic.draw import SIDE
from grounding.synthetic.make import Amounts, make_data
from grounding.training.settings import Source, Stage, StageSettings, stage_settings
from grounding.training.stage import load_step, run_stage
from grounding.training.tiny.encoders import train_encoder
from grounding.training.tiny.evaluate import best_constant, evaluate
from grounding.training.tiny.language import make_tokenizer, train_language
from grounding.training.tiny.report import as_text, plot_curves
from grounding.training.tiny.sizes import initialise, tiny_config

SEED = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything, for an hour of two idle cores. Steps are optimizer steps; `rates` are
    peak learning rates.
    """

    amounts: Amounts = field(default_factory=Amounts)
    language_steps: tuple[int, int, int] = (2900, 1200, 500)
    encoder_steps: Mapping[str, int] = field(
        default_factory=lambda: {"video": 4000, "image": 2600, "sound": 150}
    )
    stage_steps: tuple[int, int, int] = (900, 2800, 600)
    rates: tuple[float, float, float] = (2e-3, 2e-3, 7e-4)
    batch: int = 32
    looks: int = 4
    """How often stage 2 is looked at on the way."""
    asked_on_the_way: int = 96


def run(folder: Path, plan: Plan | None = None) -> dict[str, Any]:
    """Returns the report, which also stands in `report.json`, with `report.md` and `curve.png`
    beside it.
    """
    plan = plan or Plan()
    folder.mkdir(parents=True, exist_ok=True)
    steps = Steps(folder)
    _before(folder, plan, steps)
    steps.do("start", lambda: assemble(folder))
    constant = best_constant(folder / "data")
    start = folder / "start"
    for stage in (1, 2, 3):
        settings = stage_plan(folder, plan, stage, start)
        steps.do(
            f"stage{stage}", lambda settings=settings: {"folder": str(_run_or_reuse(settings))}
        )
        start = folder / f"stage{stage}" / "model"
        steps.do(
            f"asked{stage}",
            lambda start=start: evaluate(_grounder(start), folder / "data").to_json(),
        )
        if stage == 2:
            steps.do("way", lambda settings=settings: _on_the_way(settings, folder / "data", plan))
    steps.do(
        "shuffled",
        lambda start=start: evaluate(_grounder(start), folder / "data", shuffled=True).to_json(),
    )
    report = {
        "constant": {
            "span": str(constant.span),
            "training": constant.training,
            "test": constant.test,
        },
        "steps": steps.done,
    }
    replace_text(folder / "report.json", json.dumps(report, indent=2))
    replace_text(folder / "report.md", as_text(report))
    plot_curves(folder, report, folder / "curve.png")
    return report


def _run_or_reuse(settings: StageSettings) -> Path:
    """`run_stage`, or what it had published when the demo was stopped."""
    made = settings.output / "model"
    return made if made.exists() else run_stage(settings)


class Steps:
    """Which steps are done, what came of them, and the seconds they took: of the clock, and of
    processors in this and child processes.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "steps.json"
        self.done: dict[str, Any] = (
            json.loads(self._file.read_text(encoding="utf-8")) if self._file.exists() else {}
        )

    def do(self, name: str, work: Callable[[], Any]) -> None:
        """Does the step unless it is done, and notes its result, which must be JSON."""
        if name in self.done:
            return
        clock, processor = time.monotonic(), _processor_s()
        result = work()
        self.done[name] = {
            "clock_s": round(time.monotonic() - clock, 1),
            "processor_s": round(_processor_s() - processor, 1),
            "result": result,
        }
        replace_text(self._file, json.dumps(self.done, indent=2))
        print(
            name,
            {**self.done[name], "result": ""} if name.startswith("stage") else self.done[name],
            flush=True,
        )


def _processor_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _before(folder: Path, plan: Plan, steps: Steps) -> None:
    """The language model, the encoders and the data, in two processes of one thread each; what is
    trained already stays.
    """
    if not (folder / "tokenizer").exists():
        make_tokenizer(folder / "tokenizer", SEED)
    jobs = [
        ("language", plan.language_steps),
        ("video", plan.encoder_steps["video"]),
        ("image", plan.encoder_steps["image"]),
    ]
    jobs.append(("sound", plan.encoder_steps["sound"]))

    def work() -> dict[str, Any]:
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            futures = {name: pool.submit(train_part, folder, name, count) for name, count in jobs}
            drawn = pool.submit(make_data, folder / "data", plan.amounts, SEED)
            drawn.result()
            return {name: future.result() for name, future in futures.items()}

    steps.do("before", work)


def train_part(folder: Path, name: str, steps: int | tuple[int, int, int]) -> dict[str, Any]:
    """The language model or one encoder -> `parts/NAME.pt`; what it reached."""
    file = folder / "parts" / f"{name}.pt"
    reached = file.with_suffix(".json")
    if file.exists():
        return json.loads(reached.read_text(encoding="utf-8"))
    torch.set_num_threads(1)
    file.parent.mkdir(exist_ok=True)
    clock, processor = time.monotonic(), time.process_time()
    tokenizer = LegoTokenizer(folder / "tokenizer")
    model = fresh_model(tokenizer)
    part = model.language if name == "language" else model.modality(name).encoder
    taught = (
        train_language(model, tokenizer, steps=steps)
        if isinstance(steps, tuple)
        else train_encoder(model, name, steps=steps)
    )
    measured = list(taught)[-20:]
    last = {
        key: round(sum(step[key] for step in measured) / len(measured), 4) for key in measured[0]
    }
    last |= {
        "clock_s": round(time.monotonic() - clock, 1),
        "processor_s": round(time.process_time() - processor, 1),
    }
    replace_text(reached, json.dumps(last))
    torch.save(part.state_dict(), file.with_suffix(".tmp"))
    file.with_suffix(".tmp").replace(file)  # last: what has its name is whole
    return last


def fresh_model(tokenizer: LegoTokenizer) -> LegoModel:
    """An untrained tiny LEGO."""
    torch.manual_seed(SEED)  # what transformers draws itself, too
    model = LegoModel(
        tiny_config(len(tokenizer), first_new_id=tokenizer.placeholder_ids()["image"][0])
    )
    initialise(model, SEED)
    return model


def assemble(folder: Path) -> None:
    """`start`: the parts in one checkpoint folder, with adapters that know nothing."""
    shutil.rmtree(
        folder / "start", ignore_errors=True
    )  # of a demo that was stopped in the middle of this
    tokenizer = LegoTokenizer(folder / "tokenizer")
    model = fresh_model(tokenizer)
    for name in ("language", *model.modalities):
        part = model.language if name == "language" else model.modality(name).encoder
        part.load_state_dict(torch.load(folder / "parts" / f"{name}.pt", weights_only=True))
    save_model(model, folder / "start", tokenizer=tokenizer, image_transform=ImageTransform(SIDE))


def stage_plan(folder: Path, plan: Plan, stage: Stage, start: Path) -> StageSettings:
    """Each stage sees its own records, and from the second on a tenth of those of the stages
    before.
    """
    sources = tuple(
        Source(folder / "data" / f"stage{own}.jsonl", 1.0 if own == stage else 0.1)
        for own in range(1, stage + 1)
    )
    steps = plan.stage_steps[stage - 1]
    return stage_settings(
        stage,
        start,
        folder / f"stage{stage}",
        sources,
        learning_rate=plan.rates[stage - 1],
        batch_size=plan.batch,
        gradient_accumulation_steps=1,
        epochs=1000.0,
        max_steps=steps,
        precision="float32",
        gradient_checkpointing=False,
        dropout=0.0,
        workers=0,
        seed=SEED,
        save_steps=max(steps // plan.looks, 1),
        keep_checkpoints=plan.looks,
        features=folder / "features",
        device="cpu",
    )


def _grounder(folder: Path) -> Grounder:
    return load_grounder(folder, dtype="float32", max_new_tokens=40)


def _on_the_way(settings: StageSettings, data: Path, plan: Plan) -> dict[str, Any]:
    """The scores of the checkpoints that stage 2 left."""
    found = {}
    for checkpoint in sorted(
        settings.output.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])
    ):
        grounder = _grounder(settings.output / "model")
        grounder.model.load_state_dict(load_step(settings, checkpoint).state_dict())
        scores = evaluate(grounder, data, limit=plan.asked_on_the_way).to_json()
        found[checkpoint.name.split("-")[1]] = {
            key: value for key, value in scores.items() if key != "descriptions"
        }
    return found


if __name__ == "__main__":
    import logging
    import sys

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    print(as_text(run(Path(sys.argv[1] if len(sys.argv) > 1 else "train-demo"))))
