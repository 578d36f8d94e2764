"""transformers' Trainer around a LEGO model: the loss on answers, checkpoints of what is trained,
counted skips, losses to a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Sampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from grounding.errors import TrainingError
from grounding.lego.model.lego_model import Encoded, LegoModel, Media
from grounding.lego.preprocess.prompts import IGNORED
from grounding.records.skips import Skip, Tally
from grounding.records.writer import replace_text
from grounding.training.checkpoints import RUN_FINGERPRINT, WEIGHTS, run_fingerprint
from grounding.training.rows import EpochSampler, Rows, collate
from grounding.training.settings import StageSettings
from grounding.training.trainable import Trained

SKIPS = "skips.json"
"""Beside the weights of a checkpoint: which rows were left out until then."""


class LossModule(nn.Module):
    """The mean cross-entropy of the answers; only where an answer stands are logits made."""

    def __init__(self, model: LegoModel, encoded: bool) -> None:
        super().__init__()
        self.lego = model
        self.encoded = encoded
        """Media come as what the encoders made of them."""

    def forward(
        self,
        input_ids: Tensor,
        labels: Tensor,
        attention_mask: Tensor,
        media: Sequence[Mapping[str, Tensor]],
        items: Tensor | int | None = None,
    ) -> Tensor:
        """`(B, T)` each -> the summed loss over `items` tokens, or over those of this batch."""
        row_media = (
            self._adapt(media)
            if self.encoded
            else [{name: [item] for name, item in row.items()} for row in media]
        )
        logits, wanted = answer_logits(self.lego, input_ids, labels, attention_mask, row_media)
        total = functional.cross_entropy(logits.float(), wanted, reduction="sum")
        return total / (len(wanted) if items is None else items)

    def _adapt(self, media: Sequence[Mapping[str, Tensor]]) -> list[dict[str, list[Encoded]]]:
        """Kept features of each modality through its adapter, those of one shape together."""
        adapted: list[dict[str, list[Encoded]]] = [{} for _ in media]
        groups: dict[tuple[str, torch.Size], list[int]] = {}
        for row, own in enumerate(media):
            for name, features in own.items():
                groups.setdefault((name, features.shape), []).append(row)
        for (name, _), rows in groups.items():
            adapter = self.lego.modality(name).adapter
            dtype = next(adapter.parameters()).dtype
            tokens = adapter(
                torch.stack([media[row][name] for row in rows]).to(self.lego.device, dtype)
            )
            for row, own in zip(rows, tokens):
                adapted[row][name] = [Encoded(name, own)]
        return adapted


def answer_logits(
    model: LegoModel,
    input_ids: Tensor,
    labels: Tensor,
    attention_mask: Tensor,
    media: Sequence[Media],
) -> tuple[Tensor, Tensor]:
    """`(B, T)` each -> logits `(n, vocabulary)` and ids `(n,)` of the n tokens of answers alone."""
    embeds = model.embed(input_ids, media)
    hidden = model.language.model(
        inputs_embeds=embeds, attention_mask=attention_mask, use_cache=False
    ).last_hidden_state
    targets = labels[:, 1:]
    counted = targets != IGNORED
    return model.language.lm_head(hidden[:, :-1][counted]), targets[counted]


class LegoTrainer(Trainer):
    """Checkpoints hold the trained parameters alone: the others are those of the model that the run
    started from.
    """

    def __init__(
        self,
        trained: Trained,
        rows: Rows,
        settings: StageSettings,
        arguments: TrainingArguments,
        tally: Tally,
    ) -> None:
        self._settings = settings
        self._tally = tally
        self._rows = rows
        self._skipped: set[Skip] = set()
        self._loss_module = learner = LossModule(
            trained.model, encoded=settings.features is not None
        )
        self.names = [f"lego.{name}" for name in trained.names()]
        super().__init__(
            learner, arguments, collate, rows, callbacks=[WriteLog(settings.output, tally)]
        )
        # so that the loss counts tokens over all accumulated batches
        self.model_accepts_loss_kwargs = True

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        settings = self._settings
        return EpochSampler(
            self._rows.lengths,
            settings.batch_size * settings.gradient_accumulation_steps,
            settings.seed,
            settings.group_by_length,
        )

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """What the Trainer calls for each batch: the loss, over the tokens of all accumulated
        batches.
        """
        self._leave_out(inputs.pop("skips", ()))
        loss = model(**inputs, items=num_items_in_batch)
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            # the tokens are those of all processes, whose gradients are averaged
            loss = loss * self.accelerator.num_processes
        return (loss, {"loss": loss}) if return_outputs else loss

    def _leave_out(self, skips: Iterable[Skip]) -> None:
        """A row is counted once, however often its turn comes."""
        for skip in skips:
            if skip not in self._skipped:
                self._skipped.add(skip)
                self._tally(skip)

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        folder = Path(output_dir or str(self.args.output_dir))
        folder.mkdir(parents=True, exist_ok=True)
        state = self._loss_module.state_dict() if state_dict is None else state_dict
        save_file(
            {name: state[name].detach().contiguous().cpu() for name in self.names},
            folder / WEIGHTS,
            metadata={"format": "pt"},
        )
        replace_text(
            folder / SKIPS, json.dumps([asdict(skip) for skip in sorted(self._skipped, key=str)])
        )
        replace_text(
            folder / RUN_FINGERPRINT, json.dumps(run_fingerprint(self._settings, self.names))
        )

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        target = model or self._loss_module
        skips = Path(resume_from_checkpoint) / SKIPS
        if skips.exists():
            self._leave_out(Skip(**raw) for raw in json.loads(skips.read_text(encoding="utf-8")))
        if self.is_fsdp_enabled:
            return super()._load_from_checkpoint(resume_from_checkpoint, model)
        try:
            stored = load_file(Path(resume_from_checkpoint) / WEIGHTS)
        except (OSError, SafetensorError) as error:
            raise TrainingError(
                f"{resume_from_checkpoint} cannot be read: {error}; remove it to go on from the "
                "one "
                "before"
            ) from error
        unfit = sorted(set(stored) ^ set(self.names))
        if unfit:
            raise TrainingError(
                f"{resume_from_checkpoint} does not hold what this run trains: "
                f"{', '.join(unfit[:4])}, {len(unfit)} in all"
            )
        target.load_state_dict(stored, strict=False)
        return None

    def load_step(self, checkpoint: Path) -> None:
        """What is trained becomes what it was at that step."""
        self._load_from_checkpoint(str(checkpoint))


class WriteLog(TrainerCallback):
    """Each logged loss as a line of `log.jsonl`, and what was skipped so far in `skipped.json`."""

    def __init__(self, folder: Path, tally: Tally) -> None:
        self._folder = folder
        self._file = folder / "log.jsonl"
        self._tally = tally

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        """A line that was cut off when a run was killed ends, so that the next is whole."""
        if (
            state.is_world_process_zero
            and self._file.exists()
            and not self._file.read_bytes().endswith(b"\n")
        ):
            with self._file.open("ab") as file:
                file.write(b"\n")

    def on_log(self, args, state, control, logs=None, **kwargs) -> None:
        """Called by the Trainer every `log_steps`."""
        if state.is_world_process_zero and logs:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **logs}) + "\n")
            replace_text(self._folder / "skipped.json", json.dumps(self._tally.to_json(), indent=2))
