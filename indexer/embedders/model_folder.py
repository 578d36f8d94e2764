"""Where the checkpoint of a model is: a folder, or a hub id that is taken from the local cache
first.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import ModelError
from indexer.messages import Message

FILES = ("*.json", "*.safetensors", "*.txt", "*.model")
"""Of a checkpoint at a hub: what is loaded, and nothing of other frameworks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelKind:
    """`name` as people know it, `default` the hub id of a good one, `model_types` as config.json
    names them (none: any), `setting` the variable that names folder or hub id.
    """

    name: str
    default: str
    model_types: frozenset[str]
    setting: str = "SEEKPOINT_EMBEDDER_PATH"


def hint(kind: ModelKind) -> Message:
    """How to provide a checkpoint of the kind."""
    return Message(
        "put a {name} checkpoint (config.json, model.safetensors, tokenizer and "
        "preprocessor_config.json) into a folder and set {setting} to it, or to a hub id such as "
        "{default} where a hub is in reach",
        {"name": kind.name, "setting": kind.setting, "default": kind.default},
    )


def find_folder(wanted: str, kind: ModelKind) -> Path:
    """The folder of a checkpoint that is wanted by its folder or hub id; empty: the default.
    ModelError where there is none.
    """
    return local_folder(wanted, kind) or _from_hub(wanted or kind.default, kind)


def local_folder(wanted: str, kind: ModelKind) -> Path | None:
    """The folder that is wanted; None for a hub id. ModelError where there is no such folder."""
    wanted = wanted or kind.default
    folder = Path(wanted).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or wanted.startswith((".", "~")) or wanted.count("/") != 1:
        raise ModelError(
            "there is no folder {wanted!r} with a {name} checkpoint",
            hint(kind),
            wanted=wanted,
            name=kind.name,
        )
    return None


def is_here(wanted: str, kind: ModelKind) -> bool:
    """Whether a fitting checkpoint is on this machine; asks no hub."""
    try:
        folder = local_folder(wanted, kind) or _in_cache(wanted or kind.default)
        read_config(folder, kind)
    except (OSError, ValueError, ModelError):
        return False
    return True


def read_config(folder: Path, kind: ModelKind) -> dict[str, Any]:
    """config.json of the folder; ModelError when it is missing, unreadable, or of another kind of
    model.
    """
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise ModelError(
            "{folder} has no readable config.json: {error}", hint(kind), folder=folder, error=error
        ) from None
    found = config.get("model_type")
    if kind.model_types and found not in kind.model_types:
        raise ModelError(
            "{folder} holds a model of type {kind!r}, not {model_types}",
            hint(kind),
            folder=folder,
            kind=found,
            model_types=" or ".join(sorted(kind.model_types)),
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelError("{folder} has no *.safetensors weights", hint(kind), folder=folder)
    return config


def model_files(folder: Path) -> list[Path]:
    """The files of a checkpoint folder that make up the model."""
    return [path for pattern in FILES for path in folder.glob(pattern) if path.is_file()]


def _from_hub(repository: str, kind: ModelKind) -> Path:
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "on", "yes", "true"}
    failure: Exception | None = None
    for local_only in (True,) if offline else (True, False):
        try:
            return _in_cache(repository, local_only=local_only)
        except (OSError, ValueError, RuntimeError) as error:
            failure = error
    raise ModelError(
        "{name} is not here: {repository!r} is not in the local cache and could not be fetched",
        hint(kind),
        name=kind.name,
        repository=repository,
    ) from failure


def _in_cache(repository: str, *, local_only: bool = True) -> Path:
    import huggingface_hub  # reads its configuration for a tenth of a second

    return Path(
        huggingface_hub.snapshot_download(
            repository, allow_patterns=list(FILES), local_files_only=local_only
        )
    )
