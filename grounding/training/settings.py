"""Settings of a training stage; the defaults are the published ones (GroundingGPT, arXiv 2401.06071).

Batch size is per process: the published one counts a GPU, and their number was not published.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from grounding.training.errors import TrainingError

Stage: TypeAlias = Literal[1, 2, 3]
Precision: TypeAlias = Literal["bfloat16", "float32"]
STAGES: tuple[int, ...] = get_args(Stage)


@dataclass(frozen=True, slots=True)
class Source:
    """A file of records. `weight` is how often each of its rows is seen in an epoch: .1 is a tenth of the rows, 2 all of them twice."""

    records: Path
    weight: float = 1.0
    media: Path | None = None
    """The folder that the paths in the records are relative to; without it the folder of the file."""

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise TrainingError(f"the weight of {self.records} is {self.weight}; expected a number above 0")

    @property
    def folder(self) -> Path:
        return self.media or self.records.parent


@dataclass(frozen=True, slots=True)
class StageSettings:
    stage: Stage
    start: Path
    """The checkpoint folder to start from: of the stage before, or for stage 1 of an assembled model."""
    output: Path
    """Becomes a folder: `model` is the checkpoint, beside it logs, the plot of the loss and what is needed to resume."""
    sources: tuple[Source, ...]
    learning_rate: float = 2e-5
    batch_size: int = 32
    accumulation: int = 2
    epochs: float = 1.0
    max_steps: int | None = None
    """Optimizer steps; None: as many as the epochs have."""
    schedule: str = "cosine"
    warmup: float = 0.03
    """Share of all steps."""
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    max_length: int = 2048
    """Tokens of a conversation with those of its media; longer ones are skipped and counted."""
    precision: Precision = "bfloat16"
    """bfloat16: frozen parts are stored and all is computed in it, trained parts are kept in float32."""
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
    """A folder in which what the frozen encoders made of each file is kept, so that it is made once; None: made each time."""
    engine: Path | None = None
    """A file of DeepSpeed's settings, or of FSDP's under the name `fsdp`, for several GPUs; examples in `configs/`."""
    device: Literal["auto", "cpu"] = "auto"
    any_start: bool = False
    """Start from whatever checkpoint, also one of another stage or of unknown origin."""

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise TrainingError(f"there is no stage {self.stage!r}; there are 1, 2 and 3")
        if self.stage == 1 and self.lora_rank:
            raise TrainingError(f"lora_rank is {self.lora_rank}, but stage 1 does not train the language model")
        if not self.sources:
            raise TrainingError("no data: name at least one file of records")
        for name in ("learning_rate", "batch_size", "accumulation", "epochs", "max_length", "log_steps", "save_steps"):
            if not getattr(self, name) > 0:
                raise TrainingError(f"{name} is {getattr(self, name)}; expected a number above 0")

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(self), default=str))


PUBLISHED: Mapping[int, Mapping[str, Any]] = {
    1: {"learning_rate": 1e-3, "batch_size": 64, "accumulation": 1},
    2: {"learning_rate": 2e-5, "batch_size": 32, "accumulation": 2},
    3: {"learning_rate": 2e-5, "batch_size": 32, "accumulation": 2},
}


def stage_settings(stage: Stage, start: Path, output: Path, sources: tuple[Source, ...], **changes: Any) -> StageSettings:
    """The published settings of a stage with changes."""
    unknown = sorted(set(changes) - {f.name for f in fields(StageSettings)})
    if unknown:
        raise TrainingError(f"there is no setting {', '.join(unknown)}; there are {', '.join(f.name for f in fields(StageSettings))}")
    return StageSettings(stage=stage, start=start, output=output, sources=sources, **{**PUBLISHED.get(stage, {}), **changes})


def read_changes(file: Path) -> dict[str, Any]:
    """Settings from a JSON object, which differ from the published ones."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(raw, dict):
        raise TrainingError(f"{file} holds a {type(raw).__name__} and not an object of settings")
    return {name: as_setting(name, value) for name, value in raw.items()}


def as_setting(name: str, value: Any) -> Any:
    return Path(value) if name in ("features", "engine") and value else value
