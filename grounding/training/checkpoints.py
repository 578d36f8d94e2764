"""Checkpoints on the way: which of them is whole, and whether it belongs to this run. A kill while
one is written leaves half of it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from grounding.errors import TrainingError
from grounding.training.settings import StageSettings, with_new_names

log = logging.getLogger(__name__)

WEIGHTS = "model.safetensors"
RUN_FINGERPRINT = "run_fingerprint.json"
"""Beside the weights of a checkpoint: which run they belong to."""
OLD_RUN_FINGERPRINT = "passport.json"
"""Its name in checkpoints of earlier versions."""
STATE = "trainer_state.json"
FREE_TO_CHANGE = (
    "output",
    "features",
    "workers",
    "log_steps",
    "save_steps",
    "keep_checkpoints",
    "device",
    "distributed_config",
    "any_base_checkpoint",
)
"""What may change when a run goes on: paths, and how often it logs or saves."""


def last_whole(settings: StageSettings, names: Sequence[str]) -> Path | None:
    """The checkpoint to go on from; one that is not whole gives its place to the one before. None:
    there is none yet.

    Raises TrainingError where none is whole, or the last whole one belongs to another run.
    """
    found = sorted(settings.output.glob("checkpoint-*"), key=checkpoint_step, reverse=True)
    faults = []
    for checkpoint in found:
        fault = _fault(checkpoint, shared=settings.distributed_config is not None)
        if not fault:
            _check_fingerprint(checkpoint, run_fingerprint(settings, names))
            return checkpoint
        faults.append(f"{checkpoint} cannot be read: {fault}")
        log.warning("%s", faults[-1])
    if faults:
        raise TrainingError(f"{faults[0]}. Nothing before it is whole: remove it to begin again")
    return None


def run_fingerprint(settings: StageSettings, names: Sequence[str]) -> dict[str, Any]:
    """What must be equal for a run to go on: names of the trained tensors, settings, and the hash
    of each file of records.
    """
    fixed = {key: value for key, value in settings.to_json().items() if key not in FREE_TO_CHANGE}
    return {
        "names": list(names),
        "settings": {**fixed, "records": [_digest(source.records) for source in settings.sources]},
    }


def checkpoint_step(checkpoint: Path) -> int:
    """The N of `checkpoint-N`; -1 for another name."""
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _fault(checkpoint: Path, shared: bool) -> str:
    """Empty for a whole one. `shared`: DeepSpeed or FSDP keeps the optimizer in files of its
    own.
    """
    try:
        for file in (_fingerprint_file(checkpoint), checkpoint / STATE):
            if not isinstance(json.loads(file.read_text(encoding="utf-8")), dict):
                return f"{file.name} does not hold an object"
        if shared:
            return ""
        with safe_open(checkpoint / WEIGHTS, "pt"):
            pass
    except (OSError, ValueError, SafetensorError) as error:
        return str(error)
    states = sorted(checkpoint.glob("rng_state*.pth"))
    for file in (
        checkpoint / "optimizer.pt",
        checkpoint / "scheduler.pt",
        *(states or [checkpoint / "rng_state.pth"]),
    ):
        if not zipfile.is_zipfile(file):  # torch's files end with a table of contents
            return f"{file.name} is not there, or not whole"
    return ""


def _fingerprint_file(checkpoint: Path) -> Path:
    old = checkpoint / OLD_RUN_FINGERPRINT
    new = checkpoint / RUN_FINGERPRINT
    return old if old.exists() and not new.exists() else new


def _check_fingerprint(checkpoint: Path, ours: Mapping[str, Any]) -> None:
    theirs = json.loads(_fingerprint_file(checkpoint).read_text(encoding="utf-8"))
    before, now = with_new_names(theirs.get("settings", {})), ours["settings"]
    changed = [
        f"{key} was {before.get(key)!r} and is {now.get(key)!r}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    if changed:
        raise TrainingError(
            f"{checkpoint} belongs to another run: {'; '.join(changed[:4])}. Choose another "
            "output, or remove it"
        )


@cache
def _digest(file: Path) -> str:
    """Of a file of records, which stays as it is while a run reads it."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
