"""Runs one stage: a checkpoint folder and files of records become a checkpoint folder that
inference loads unchanged.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import TrainingArguments, set_seed

from grounding.errors import TrainingError
from grounding.lego.checkpoint.load import find_clip_folder, load_model
from grounding.lego.checkpoint.save import save_model
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.model.memory import out_of_memory_as
from grounding.lego.preprocess.image import ImageTransform
from grounding.lego.preprocess.tokenizer import load_tokenizer
from grounding.records.skips import Tally
from grounding.records.writer import replace_text
from grounding.training.checkpoints import WEIGHTS, checkpoint_step, last_whole
from grounding.training.examples import Reader
from grounding.training.features import Features
from grounding.training.plot import plot_losses
from grounding.training.rows import Rows
from grounding.training.settings import StageSettings
from grounding.training.trainable import Trained
from grounding.training.trainer import LegoTrainer

log = logging.getLogger(__name__)

STAGE_FILE = "training.json"
"""In a checkpoint folder: which stage made it, from what, with which settings."""
LAST = "last"
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def run_stage(settings: StageSettings) -> Path:
    """Trains, or goes on where a run with the same settings was stopped. Returns the folder of the
    checkpoint.

    Raises TrainingError for a start of another stage, an output of another run, no usable rows, or
    too little memory.
    """
    done = settings.output / "model"
    if done.exists():
        raise TrainingError(f"{done} exists already; choose another output or remove it")
    check_start(settings)
    distributed = _distributed_arguments(settings.distributed_config)
    settings.output.mkdir(parents=True, exist_ok=True)
    with out_of_memory_as(_out_of_memory(settings)):
        _run(settings, distributed)
    return done


def _run(settings: StageSettings, distributed: Mapping[str, Any]) -> None:
    model = load_model(settings.base_checkpoint, dtype=DTYPES[settings.precision])
    clip = find_clip_folder(settings.base_checkpoint, None)
    transform = (
        ImageTransform.read(clip) if clip and "image" in model.modalities else ImageTransform()
    )
    tokenizer = load_tokenizer(settings.base_checkpoint, model)
    tally = Tally()
    reader = Reader(
        {name: model.modality(name) for name in model.modalities},
        tokenizer,
        transform,
        settings.max_length,
    )
    features = Features(settings.features, model, reader) if settings.features else None
    if features:
        features.fill_for(settings.sources)
    rows = Rows(settings.sources, reader, features, tally, settings.seed)
    log.info("%d rows an epoch, %d skipped", len(rows), tally.total())
    set_seed(settings.seed)  # LoRA begins at random
    trained = Trained(model, settings)
    if settings.gradient_checkpointing:
        model.language.activation_checkpointing_enable({"use_reentrant": False})
    trainer = LegoTrainer(trained, rows, settings, training_arguments(settings, distributed), tally)
    _train(trainer, settings)
    replace_text(settings.output / "skipped.json", json.dumps(tally.to_json(), indent=2))
    # DeepSpeed and FSDP, which share the weights, gather them here
    trainer.save_model(str(settings.output / LAST))
    if trainer.is_world_process_zero():
        _publish(load_step(settings, settings.output / LAST), tokenizer, transform, settings)
        shutil.rmtree(settings.output / LAST)
        _plot(settings.output)


def _plot(folder: Path) -> None:
    """A picture that cannot be drawn is a warning: the run is as good without."""
    try:
        plot_losses(folder / "log.jsonl", folder / "loss.png")
    # a full disk; what matplotlib makes of odd fonts and names
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        log.warning("the losses cannot be drawn: %s; they stand in %s", error, folder / "log.jsonl")


def load_step(settings: StageSettings, checkpoint: Path) -> LegoModel:
    """The model as it was at a step: the start of the run with what `checkpoint-N` holds of it."""
    trained = Trained(
        load_model(settings.base_checkpoint, dtype=DTYPES[settings.precision]), settings
    )
    stored = load_file(checkpoint / WEIGHTS)
    trained.model.load_state_dict(
        {name.removeprefix("lego."): tensor for name, tensor in stored.items()}, strict=False
    )
    return trained.finish()


def check_start(settings: StageSettings) -> None:
    """Stage 1 starts from an untrained model, 2 from stage 1, 3 from stage 2."""
    made = stage_of(settings.base_checkpoint)
    if settings.any_base_checkpoint or made == settings.stage - 1:
        return
    if not settings.base_checkpoint.exists():
        raise TrainingError(
            f"{settings.base_checkpoint}, the checkpoint to start from, does not exist"
        )
    found = "no stage of this program" if made is None else f"stage {made}"
    if settings.stage > 1 or made is not None:
        raise TrainingError(
            f"stage {settings.stage} starts from a checkpoint of stage {settings.stage - 1}, but "
            f"{settings.base_checkpoint} was made by {found}; to start from it all the same, set "
            "any_base_checkpoint"
        )


def stage_of(folder: Path) -> int | None:
    """The stage that made a checkpoint folder; None where no stage of this program did."""
    try:
        return int(json.loads((folder / STAGE_FILE).read_text(encoding="utf-8"))["stage"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{folder / STAGE_FILE} does not say which stage made the checkpoint: {error!r}"
        ) from error


def training_arguments(
    settings: StageSettings, distributed: Mapping[str, Any]
) -> TrainingArguments:
    """What transformers' Trainer calls these settings; `distributed` goes to it as it is."""
    return TrainingArguments(
        output_dir=str(settings.output),
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,  # below 1: a share of all steps
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        optim="adamw_torch",
        bf16=settings.precision == "bfloat16",
        use_cpu=settings.device == "cpu",
        dataloader_num_workers=settings.workers,
        seed=settings.seed,
        logging_steps=settings.log_steps,
        logging_nan_inf_filter=False,
        save_steps=settings.save_steps,
        save_total_limit=settings.keep_checkpoints,
        remove_unused_columns=False,
        label_names=["labels"],
        ddp_find_unused_parameters=True,  # a batch need not hold every modality
        disable_tqdm=True,
        report_to="none",
        **distributed,
    )


def _distributed_arguments(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"distributed_config {file} cannot be read: {error}") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("fsdp", {}), dict):
        raise TrainingError(
            f"distributed_config {file} is not an object; expected DeepSpeed's settings or "
            '{"fsdp": {...}}'
        )
    if "fsdp" in raw:
        if "WORLD_SIZE" not in os.environ:
            raise TrainingError(
                f"{file} shares the model among processes; start them with torchrun "
                "(docs/guides/train.md)"
            )
        return {"fsdp": True, "fsdp_config": raw["fsdp"]}
    if importlib.util.find_spec("deepspeed") is None:
        raise TrainingError(
            f"{file} needs DeepSpeed, which is not installed: pip install deepspeed"
        )
    return {"deepspeed": str(file)}


def _train(trainer: LegoTrainer, settings: StageSettings) -> None:
    last = last_whole(settings, trainer.names)
    if last is not None:
        log.info("going on from %s", last)
        at_the_end = settings.max_steps and checkpoint_step(last) >= settings.max_steps
        if settings.distributed_config is None and at_the_end:
            # nothing is left but to publish; the Trainer would take a step more
            trainer.load_step(last)
            return
    trainer.train(resume_from_checkpoint=None if last is None else str(last))


def _out_of_memory(settings: StageSettings) -> TrainingError:
    return TrainingError(
        f"out of memory with a batch of {settings.batch_size} and up to {settings.max_length} "
        "tokens: halve batch_size and double gradient_accumulation_steps (the result is the same), "
        "set gradient_checkpointing, use LoRA, or share the model over several GPUs"
    )


def _publish(
    model: LegoModel, tokenizer, transform: ImageTransform, settings: StageSettings
) -> None:
    """All or nothing: a folder that is called `model` is complete."""
    part = settings.output / "model.part"
    shutil.rmtree(part, ignore_errors=True)
    model.to(DTYPES[settings.precision])
    save_model(model, part, tokenizer=tokenizer, image_transform=transform)
    replace_text(
        part / STAGE_FILE,
        json.dumps({"stage": settings.stage, "settings": settings.to_json()}, indent=2),
    )
    part.rename(settings.output / "model")
