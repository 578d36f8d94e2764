"""Settings of a training stage; the defaults are the published ones (GroundingGPT, arXiv
2401.06071). Names are those of transformers' TrainingArguments where it has one.

Batch size is per process: the published one counts a GPU, and their number was not published.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from grounding.errors import TrainingError

log = logging.getLogger(__name__)

Stage: TypeAlias = Literal[1, 2, 3]
Precision: TypeAlias = Literal["bfloat16", "float32"]
Schedule: TypeAlias = Literal[
    "cosine", "linear", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt"
]
STAGES: tuple[int, ...] = get_args(Stage)
POSITIONAL = ("stage", "base_checkpoint", "output", "sources")
"""What has an argument of its own."""
RENAMED: Mapping[str, str] = {
    "accumulation": "gradient_accumulation_steps",
    "clip_norm": "max_grad_norm",
    "engine": "distributed_config",
    "start": "base_checkpoint",
    "any_start": "any_base_checkpoint",
}
"""Names of settings in files of earlier versions -> their names now."""
_ABOVE_ZERO = 1e-12
_NO_LIMIT = 1e9
_BOUNDS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(
        (
            "batch_size",
            "gradient_accumulation_steps",
            "max_length",
            "log_steps",
            "save_steps",
            "keep_checkpoints",
            "max_steps",
        ),
        (1, _NO_LIMIT),
    ),
    **dict.fromkeys(
        ("learning_rate", "epochs", "max_grad_norm", "lora_alpha"), (_ABOVE_ZERO, _NO_LIMIT)
    ),
    **dict.fromkeys(("weight_decay", "lora_rank", "workers", "seed"), (0, 2**31)),
    "warmup": (0, 1),
    "dropout": (0, 0.99),
}


def _bounds_text(low: float, high: float) -> str:
    if high < _NO_LIMIT or low == 1:
        return f"{low:g} to {high:g}"
    return "a number above 0" if low == _ABOVE_ZERO else f"at least {low:g}"


MAX_WEIGHT = 10_000
"""How often a row may be seen in an epoch; for more, raise the epochs."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of records. `weight` is how often each of its rows is seen in an epoch: .1 is a tenth
    of the rows, 2 all of them twice.
    """

    records: Path
    weight: float = 1.0
    media: Path | None = None
    """The folder that the paths in the records are relative to; without it the folder of the file.
    """

    def __post_init__(self) -> None:
        if not 0 < self.weight <= MAX_WEIGHT:
            raise TrainingError(
                f"the weight of {self.records} is {self.weight}; expected a number above 0 and up "
                f"to {MAX_WEIGHT:,}"
            )

    @property
    def folder(self) -> Path:
        """Where its media lie."""
        return self.media or self.records.parent


@dataclass(frozen=True, slots=True)
class StageSettings:
    """Everything that decides a run. Raises TrainingError for a value out of range."""

    stage: Stage
    base_checkpoint: Path
    """The checkpoint folder to start from: of the stage before, or for stage 1 of an assembled
    model.
    """
    output: Path
    """Becomes a folder: `model` is the checkpoint, beside it logs, the plot of the loss and what is
    needed to resume.
    """
    sources: tuple[Source, ...]
    learning_rate: float = 2e-5
    batch_size: int = 32
    gradient_accumulation_steps: int = 2
    epochs: float = 1.0
    max_steps: int | None = None
    """Optimizer steps; None: as many as the epochs have."""
    schedule: Schedule = "cosine"
    warmup: float = 0.03
    """Share of all steps."""
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    max_length: int = 2048
    """Tokens of a conversation with those of its media; longer ones are skipped and counted."""
    precision: Precision = "bfloat16"
    """bfloat16: frozen parts are stored and all is computed in it, trained parts are kept in
    float32.
    """
    gradient_checkpointing: bool = True
    lora_rank: int = 0
    """0: the whole language model is trained (stages 2 and 3)."""
    lora_alpha: float = 32.0
    dropout: float = 0.1
    """Of the Q-Formers that are trained."""
    group_by_length: bool = True
    workers: int = 4
    seed: int = 0
    log_steps: int = 10
    save_steps: int = 500
    keep_checkpoints: int = 2
    features: Path | None = None
    """A folder in which what the frozen encoders made of each file is kept, so that it is made
    once; None: made each time.
    """
    distributed_config: Path | None = None
    """A file of DeepSpeed's settings, or of FSDP's under the name `fsdp`, for several GPUs;
    examples in `configs/`.
    """
    device: Literal["auto", "cpu"] = "auto"
    any_base_checkpoint: bool = False
    """Start from whatever checkpoint, also one of another stage or of unknown origin."""

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise TrainingError(f"there is no stage {self.stage!r}; there are 1, 2 and 3")
        if self.stage == 1 and self.lora_rank:
            raise TrainingError(
                f"lora_rank is {self.lora_rank}, but stage 1 does not train the language model"
            )
        if not self.sources:
            raise TrainingError("no data: name at least one file of records")
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise TrainingError(f"{name} is {value}; expected {_bounds_text(low, high)}")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; paths are text."""
        return json.loads(json.dumps(asdict(self), default=str))


PUBLISHED: Mapping[int, Mapping[str, Any]] = {
    1: {"learning_rate": 1e-3, "batch_size": 64, "gradient_accumulation_steps": 1},
    2: {"learning_rate": 2e-5, "batch_size": 32, "gradient_accumulation_steps": 2},
    3: {"learning_rate": 2e-5, "batch_size": 32, "gradient_accumulation_steps": 2},
}


def stage_settings(
    stage: Stage,
    base_checkpoint: Path,
    output: Path,
    sources: tuple[Source, ...],
    /,
    **changes: Any,
) -> StageSettings:
    """The published settings of a stage with changes. Names of earlier versions count, with a
    warning. Raises TrainingError for an unknown name, a name that is set twice, or a value of
    another type.
    """
    changes = with_new_names(changes)
    known = [f.name for f in fields(StageSettings) if f.name not in POSITIONAL]
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise TrainingError(
            f"there is no setting {', '.join(unknown)}; there are {', '.join(known)}"
        )
    kinds = get_type_hints(StageSettings)
    read = {name: _of_kind(name, value, kinds[name]) for name, value in changes.items()}
    return StageSettings(
        stage=stage,
        base_checkpoint=base_checkpoint,
        output=output,
        sources=sources,
        **{**PUBLISHED.get(stage, {}), **read},
    )


def with_new_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings under the names of this version; each old name is a warning in the log.
    Raises TrainingError where a setting stands under both of its names.
    """
    current: dict[str, Any] = {}
    for name, value in settings.items():
        new = RENAMED.get(name, name)
        if new != name:
            log.warning("the setting %s is called %s now", name, new)
        if new in current or (new != name and new in settings):
            raise TrainingError(f"{new} is set twice, once as {name}; leave one out")
        current[new] = value
    return current


def _of_kind(name: str, value: Any, kind: Any) -> Any:
    try:
        return TypeAdapter(kind, config=ConfigDict(allow_inf_nan=False)).validate_python(value)
    except ValidationError as error:
        raise TrainingError(f"{name} is {value!r}: {error.errors()[0]['msg'].lower()}") from error


def read_changes(file: Path) -> dict[str, Any]:
    """Settings from a JSON object, which differ from the published ones."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(raw, dict):
        raise TrainingError(f"{file} holds a {type(raw).__name__} and not an object of settings")
    return raw
